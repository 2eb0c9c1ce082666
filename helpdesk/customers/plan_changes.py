"""Plans that change on a day: planned, taken back, and carried out once by a sweep."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.customers import audit
from helpdesk.customers.models import Organization, Plan, PlanChange, User

MOST: Final = 200
FURTHEST: Final = timedelta(days=3660)


class NotPlanned(ValueError):
    """There is nothing to take back: it is carried out already."""


class BadDay(ValueError):
    """A change lies in the future, and within ten years."""


def plan(
    organization: Organization, wanted: Plan, *, due_at: datetime, by: User | None, at: datetime, reason: str = ""
) -> PlanChange:
    """Let the organization have another plan from that time on. Raises BadDay."""
    if not at < due_at <= at + FURTHEST:
        raise BadDay
    with transaction.atomic():
        change = PlanChange.objects.create(
            organization=organization, plan=wanted, due_at=due_at, reason=reason[:200], by=by, created_at=at
        )
        audit.record(by.pk if by else None, "created", change, {}, audit.stored(change), at=at)
    return change


@transaction.atomic
def take_back(change_id: int, *, by: User | None, at: datetime) -> None:
    """It does not come. Raises NotPlanned."""
    change = PlanChange.objects.select_for_update().filter(pk=change_id, done_at=None).first()
    if change is None:
        raise NotPlanned
    before = audit.stored(change)
    change.delete()
    audit.record(by.pk if by else None, "deleted", change, before, {}, at=at, thing_id=change_id)


def ahead_of(organization_id: int | None) -> list[PlanChange]:
    """What is planned for an organization, the next one first."""
    if organization_id is None:
        return []
    return list(PlanChange.objects.select_related("plan", "by").filter(organization=organization_id, done_at=None))


def sweep(at: datetime) -> int:
    """Carry out what is due, each in a transaction of its own; how many there were."""
    due = PlanChange.objects.filter(done_at=None, due_at__lte=at).order_by("due_at", "pk")
    return sum(_carry_out(pk, at) for pk in due.values_list("pk", flat=True)[:MOST])


@transaction.atomic
def _carry_out(change_id: int, at: datetime) -> bool:
    """Under the lock, so that it happens once; what is running keeps the promises that it was begun with."""
    rows = PlanChange.objects.select_for_update(skip_locked=True).filter(pk=change_id, done_at=None, due_at__lte=at)
    change = rows.first()
    if change is None:
        return False
    organization = Organization.objects.select_for_update(no_key=True).get(pk=change.organization_id)
    before = audit.stored(organization)
    change.before_id, change.done_at = organization.plan_id, at
    change.save(update_fields=["before", "done_at"])
    if organization.plan_id != change.plan_id:
        organization.plan_id = change.plan_id
        organization.save(update_fields=["plan"])
        audit.record(change.by_id, "changed", organization, before, audit.stored(organization), at=at)
    return True
