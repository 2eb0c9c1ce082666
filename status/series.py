"""Maintenance that comes again: its windows are planned sixty days ahead, each an incident of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from helpdesk.oncall.wall_clock import zone
from status import incidents, pages, recurrence
from status.incidents import Opening, Words
from status.models import Component, Incident, MaintenanceSeries, State

AHEAD: Final = timedelta(days=60)


def plan_all(at: datetime) -> int:
    """Plan what has come within sight of every series; how many windows that were."""
    going = MaintenanceSeries.objects.filter(ended_at=None).values_list("pk", flat=True)
    return sum(plan(pk, at=at) for pk in going)


@transaction.atomic
def plan(series_id: int, *, at: datetime) -> int:
    """The windows of one series up to sixty days from now, those that are planned already left as they are. They stand
    on the page; subscribers hear of each by its reminder.
    """
    series = MaintenanceSeries.objects.select_for_update().filter(pk=series_id, ended_at=None).first()
    if series is None:
        return 0
    until = at + AHEAD
    begins = recurrence.occurrences(
        series.rule, series.begins, zone(series.timezone), max(series.planned_until or at, at), until
    )
    known = set(series.windows.filter(occurs_at__in=begins).values_list("occurs_at", flat=True))
    states = dict.fromkeys(series.components.values_list("pk", flat=True), State.UNDER_MAINTENANCE.value)
    new = [begin for begin in begins if begin not in known]
    for begin in new:
        _open(series, begin, states, at)
    series.planned_until = until
    series.save(update_fields=["planned_until"])
    return len(new)


def _open(series: MaintenanceSeries, begin: datetime, states: Mapping[int, str], at: datetime) -> None:
    words = Words(Incident.Status.SCHEDULED, series.body.strip() or series.name, states, tells=False)
    incidents.open_incident(
        Opening(
            name=series.name,
            words=words,
            kind=Incident.Kind.MAINTENANCE,
            scheduled_for=begin,
            scheduled_until=recurrence.ends(begin, series.minutes),
            remind_minutes=series.remind_minutes,
            series_id=series.pk,
            occurs_at=begin,
        ),
        None,
        at=at,
    )


@transaction.atomic
def save(
    series: MaintenanceSeries | None, given: Mapping[str, Any], components: Sequence[Component], *, at: datetime
) -> MaintenanceSeries:
    """Make or change a series; what was planned by it and nobody has touched is planned anew."""
    row = series or MaintenanceSeries(created_at=at)
    for name, value in given.items():
        setattr(row, name, value)
    row.planned_until = None
    row.save()
    row.components.set(components)
    _forget(row, at)
    plan(row.pk, at=at)
    return row


@transaction.atomic
def end(series: MaintenanceSeries, *, at: datetime) -> None:
    """No more windows; what was planned and nobody has touched goes."""
    MaintenanceSeries.objects.filter(pk=series.pk).update(ended_at=at)
    _forget(series, at)


def _forget(series: MaintenanceSeries, at: datetime) -> None:
    """Take back windows that nobody was told of, that lie where the rule put them, that no conversation waits for."""
    untouched = series.windows.filter(
        status=Incident.Status.SCHEDULED,
        resolved_at=None,
        scheduled_for__gt=at,
        scheduled_for=F("occurs_at"),
        links=None,
    )
    locked = Incident.objects.select_for_update().filter(pk__in=untouched.values("pk")).exclude(updates__tells=True)
    gone = list(locked.values_list("pk", flat=True))
    if gone:
        Incident.objects.filter(pk__in=gone).delete()
        pages.changed(at)
