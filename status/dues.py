"""What is to happen to an incident by the clock; STATUS_DUES names what does it, functions of (incident, at)."""

from datetime import datetime, timedelta

from helpdesk.events.dues import Dues
from status.models import Incident, IncidentDue

Kind, Status = IncidentDue.Kind, Incident.Status


def _locked(incident_id: int) -> Incident | None:
    return Incident.objects.select_for_update().filter(pk=incident_id).first()


_dues = Dues(IncidentDue, "incident", "STATUS_DUES", _locked)
plan, plan_sooner, sweep = _dues.plan, _dues.plan_sooner, _dues.sweep


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
