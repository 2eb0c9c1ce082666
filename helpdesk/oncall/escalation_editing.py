"""Writing escalation policies: whom a page calls, step by step. Pages that are open keep the steps they began with."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.oncall.models import EscalationPolicy, EscalationStep, Schedule


class NobodyToCall(ValueError):
    """A policy without a step calls nobody in particular."""


class LastDefault(ValueError):
    """Teams without a policy of their own need the default one."""


@dataclass(frozen=True, slots=True)
class StepGiven:
    """Whoever is on call in `schedule`, or one `user`; then `delay_seconds` for an acknowledgement, 60 at least."""

    schedule: Schedule | None
    user: User | None
    delay_seconds: int


@transaction.atomic
def save_escalation_policy(
    policy: EscalationPolicy,
    *,
    name: str,
    repeats: int | None,
    is_default: bool,
    steps: Sequence[StepGiven] | None = None,
) -> EscalationPolicy:
    """Write a policy, new or known; `steps` replace its own, None leaves them. The first policy is the default one; a
    new default takes the old one's place.

    Raises NobodyToCall, LastDefault.
    """
    is_default = is_default or not EscalationPolicy.objects.exists()
    if policy.is_default and not is_default:
        raise LastDefault("make another escalation policy the default one instead")
    if is_default:
        EscalationPolicy.objects.filter(is_default=True).exclude(pk=policy.pk).update(is_default=False)
    policy.name, policy.repeats, policy.is_default = name, repeats, is_default
    policy.save()
    if steps is not None:
        policy.steps.all().delete()
        EscalationStep.objects.bulk_create(
            EscalationStep(
                policy=policy,
                position=position,
                schedule=step.schedule,
                user=step.user,
                delay_seconds=step.delay_seconds,
            )
            for position, step in enumerate(steps, start=1)
        )
    if not policy.steps.exists():
        raise NobodyToCall("an escalation policy has at least one step")
    policy.refresh_from_db()
    return policy


@transaction.atomic
def remove_escalation_policy(policy: EscalationPolicy) -> None:
    """Remove a policy; its teams go on with the default one. Raises LastDefault."""
    if EscalationPolicy.objects.select_for_update().get(pk=policy.pk).is_default:
        raise LastDefault("make another escalation policy the default one first")
    policy.delete()
