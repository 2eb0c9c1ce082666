"""Writing policies, and seeing to it that every promise can be counted: hours that never hold a goal are refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from helpdesk.sla.calendars import check_holds, hours_of
from helpdesk.sla.models import Calendar, Goal, Policy


@dataclass(frozen=True, slots=True)
class GoalGiven:
    """Opening time, in seconds, within which `target` is promised for `priority`."""

    target: str
    priority: str
    seconds: int
    is_live: bool = False


@transaction.atomic
def save_policy(
    policy: Policy, *, at: datetime, name: str, calendar: Calendar, goals: Iterable[GoalGiven] | None = None
) -> Policy:
    """Write a policy, new or known; `goals` replace its own, None leaves them. Promises already made stay as they are.

    Raises UncountableGoal.
    """
    policy.name, policy.calendar = name, calendar
    policy.save()
    if goals is not None:
        policy.goals.all().delete()
        Goal.objects.bulk_create(
            Goal(
                policy=policy,
                target=goal.target,
                priority=goal.priority,
                seconds=goal.seconds,
                is_live=goal.is_live,
            )
            for goal in goals
        )
    longest = policy.goals.aggregate(seconds=Max("seconds"))["seconds"]
    check_holds(hours_of(calendar.pk, calendar.version), longest or 0, at)
    return policy
