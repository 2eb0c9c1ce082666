"""Maintenance as it is planned, moved and called off. What happens in it by the clock is in `timers`."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from status import dues, incidents, pages
from status.incidents import Opening, Refused, Words
from status.models import Incident

LONGEST: Final = timedelta(days=31)
MOST_OVERLAPS: Final = 20
_MAINTENANCE, _SCHEDULED = Incident.Kind.MAINTENANCE, Incident.Status.SCHEDULED


def schedule(given: Opening, user: User | None, *, at: datetime) -> Incident:
    """Plan a maintenance, and say so. Others at the same time are no reason to refuse it: see `overlapping`. Raises
    Refused.
    """
    if given.scheduled_for is None or given.scheduled_until is None:
        raise Refused("a maintenance has a begin and an end")
    _check(given.scheduled_for, given.scheduled_until, at)
    return incidents.open_incident(given, user, at=at)


def _check(begins: datetime, ends: datetime, at: datetime) -> None:
    if ends <= begins:
        raise Refused("a maintenance ends after it begins")
    if ends - begins > LONGEST:
        raise Refused(f"a maintenance lasts at most {LONGEST.days} days")
    if ends <= at:
        raise Refused("a maintenance that is over is not planned")


def overlapping(
    component_ids: Collection[int], begins: datetime, ends: datetime, *, but: int | None = None
) -> list[Incident]:
    """Maintenances of any of these components that are planned for a part of this time, soonest first."""
    others = Incident.objects.filter(
        kind=_MAINTENANCE, resolved_at=None, scheduled_for__lt=ends, scheduled_until__gt=begins
    ).filter(affected__component__in=list(component_ids))
    if but is not None:
        others = others.exclude(pk=but)
    return list(others.order_by("scheduled_for", "pk").distinct()[:MOST_OVERLAPS])


@transaction.atomic
def reschedule(
    maintenance: Incident,
    begins: datetime,
    ends: datetime,
    user: User,
    *,
    words: Words | None = None,
    at: datetime,
) -> Incident:
    """Another time. Of one that goes on only the end moves. `words` tell of it; without them nobody is told. Raises
    Refused.
    """
    locked = _locked(maintenance)
    assert locked.scheduled_for is not None and locked.scheduled_until is not None, "a maintenance has a window"
    before = (locked.scheduled_for, locked.scheduled_until)
    if locked.is_over:
        raise Refused("this maintenance is over")
    if locked.status != _SCHEDULED and begins != locked.scheduled_for:
        raise Refused("this maintenance has begun already: only its end can move")
    _check(begins, ends, at)
    if (begins, ends) == before:
        return locked
    locked.scheduled_for, locked.scheduled_until, locked.updated_at = begins, ends, at
    if locked.status == _SCHEDULED:
        locked.started_at = begins
    locked.save(update_fields=["scheduled_for", "scheduled_until", "started_at", "updated_at"])
    if locked.published_at is not None:
        dues.plan_for(locked, at)
    old, new = [one.isoformat() for one in before], [begins.isoformat(), ends.isoformat()]
    data = {"incident": locked.pk, "before": old, "after": new}
    record(Fact("incident.rescheduled", None, Actor.agent(user), data=data), at=at)
    if words is not None:
        incidents.add_update(locked, words, user, at=at)
    elif locked.published_at is not None:
        pages.changed(at)
    return locked


@transaction.atomic
def cancel(maintenance: Incident, user: User | None, body: str, *, tells: bool = True, at: datetime) -> None:
    """Call off what has not begun, and say so; what nobody has heard of just goes. Raises Refused."""
    locked = _locked(maintenance)
    if locked.status != _SCHEDULED or locked.is_over:
        raise Refused("this maintenance has begun: complete it instead")
    if locked.published_at is None:
        locked.delete()
        actor = SYSTEM if user is None else Actor.agent(user)
        record(Fact("incident.discarded", None, actor, data={"incident": maintenance.pk, "body": ""}), at=at)
        return
    incidents.add_update(locked, Words(Incident.Status.COMPLETED, body, tells=tells), user, at=at)


def _locked(maintenance: Incident) -> Incident:
    locked = Incident.objects.select_for_update().get(pk=maintenance.pk)
    if locked.kind != _MAINTENANCE:
        raise Refused("only a maintenance has a time")
    return locked
