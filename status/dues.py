"""What is to happen to an incident by the clock, as rows: a sweep finds them, looks again under the lock and moves them
on. STATUS_DUES names what does each kind: a function of (incident, at) that returns when to look again, or None.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from helpdesk.prepared import Prepared
from status.models import Incident, IncidentDue

logger = logging.getLogger(__name__)

MOST: Final = 200
AFTER_AN_ERROR: Final = timedelta(minutes=1)
Handler = Callable[[Incident, datetime], datetime | None]
Kind, Status = IncidentDue.Kind, Incident.Status

_INTO: Final = (
    f"INSERT INTO {IncidentDue._meta.db_table} AS due (incident_id, kind, due_at)"
    " VALUES (%s::bigint, %s, %s::timestamptz)"
)
_PLAN = Prepared("plan_incident_due", f"{_INTO} ON CONFLICT (incident_id, kind) DO UPDATE SET due_at = excluded.due_at")
_PLAN_SOONER = Prepared(
    "plan_incident_due_sooner",
    f"{_INTO} ON CONFLICT (incident_id, kind) DO UPDATE SET due_at = least(due.due_at, excluded.due_at)",
)


def plan(incident_id: int, kind: str, due_at: datetime) -> None:
    """Let this happen at that time, instead of at the time planned before."""
    _PLAN.run([incident_id, kind, due_at])


def plan_sooner(incident_id: int, kind: str, due_at: datetime) -> None:
    """Let this happen at that time, or at the time planned before if that is sooner."""
    _PLAN_SOONER.run([incident_id, kind, due_at])


def plan_for(incident: Incident, at: datetime) -> None:
    """The timers of a maintenance as its state wants them; what has become needless goes."""
    wanted: dict[str, datetime] = {}
    begin, end = incident.scheduled_for, incident.scheduled_until
    if begin is not None and end is not None:
        if incident.status == Status.SCHEDULED:
            remind_at = begin - timedelta(minutes=incident.remind_minutes)
            wanted = {Kind.REMIND: remind_at} if incident.remind_minutes and remind_at > at else {}
            wanted[Kind.BEGIN if incident.is_automatic else Kind.OVERRUN] = begin
        elif incident.status == Status.IN_PROGRESS:
            wanted = {Kind.END if incident.is_automatic else Kind.OVERRUN: end}
        elif incident.status == Status.VERIFYING:
            wanted = {Kind.OVERRUN: max(end, at + timedelta(minutes=30))}
    IncidentDue.objects.filter(incident=incident).exclude(kind__in=[Kind.PUBLISH, *wanted]).delete()
    for kind, due_at in wanted.items():
        plan(incident.pk, kind, due_at)


@cache
def handler_of(kind: str) -> Handler:
    """The function of STATUS_DUES for this kind."""
    found: Handler = import_string(settings.STATUS_DUES[kind])
    return found


def sweep(at: datetime) -> int:
    """Do what is due; how much that was. Each in a transaction of its own, under the lock of its incident."""
    done = 0
    due = IncidentDue.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", "incident_id")[:MOST]
    for pk, incident_id in due:
        try:
            done += _do(pk, incident_id, at)
        except Exception:
            # Whatever is wrong with one incident must not keep the others waiting; it is logged and tried again.
            logger.exception("what was due of incident %s failed", incident_id)
            IncidentDue.objects.filter(pk=pk, due_at__lte=at).update(due_at=at + AFTER_AN_ERROR)
    return done


@transaction.atomic
def _do(pk: int, incident_id: int, at: datetime) -> bool:
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    due = IncidentDue.objects.select_for_update().filter(pk=pk, due_at__lte=at).first()
    if incident is None or due is None:
        return False  # another sweep was quicker, or it was moved meanwhile
    again = handler_of(due.kind)(incident, at)
    # What the handler has planned anew stays.
    moved = IncidentDue.objects.filter(pk=pk, due_at=due.due_at)
    if again is None:
        moved.delete()
    else:
        moved.update(due_at=again)
    return True
