"""Maintenance that comes again, planned ahead, changed and ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from status import incidents, maintenances, series
from status.incidents import Words
from status.models import Incident, MaintenanceSeries
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _saved(at: datetime, found: MaintenanceSeries | None = None, **more: Any) -> MaintenanceSeries:
    given = {
        "name": "Kernel updates",
        "body": "Servers restart.",
        "timezone": "Europe/Berlin",
        "begins": at + DAY,
        "minutes": 120,
        "rule": "FREQ=WEEKLY",
        "remind_minutes": 60,
    }
    return series.save(found, given | more, [component("web14", at)] if found is None else [], at=at)


def test_windows_are_planned_once_sixty_days_ahead(company: Company, at: datetime) -> None:
    made = _saved(at)
    windows = list(made.windows.order_by("scheduled_for"))
    assert len(windows) == 9 and windows[0].scheduled_for == at + DAY
    assert windows[0].scheduled_until == at + DAY + timedelta(hours=2)
    first = windows[0].updates.get()
    assert (first.body, first.tells, windows[0].affected.get().state) == (
        "Servers restart.",
        False,
        "under_maintenance",
    )
    assert windows[0].dues.filter(kind="remind").exists()
    assert series.plan_all(at) == 0
    assert series.plan_all(at + 10 * DAY) == 1
    assert made.windows.count() == 10


def test_a_moved_or_cancelled_window_does_not_come_back(company: Company, at: datetime) -> None:
    made = _saved(at)
    first, second = made.windows.order_by("scheduled_for")[:2]
    assert first.scheduled_for is not None
    maintenances.reschedule(first, first.scheduled_for + DAY, first.scheduled_for + 2 * DAY, company.ada, at=at)
    maintenances.cancel(second, company.ada, "Not this week.", at=at)
    MaintenanceSeries.objects.update(planned_until=None)
    assert series.plan(made.pk, at=at) == 0


def test_a_changed_series_is_planned_anew_but_for_what_was_touched(company: Company, at: datetime) -> None:
    made = _saved(at)
    first = made.windows.order_by("scheduled_for")[0]
    incidents.add_update(first, Words("scheduled", "Bring a torch."), company.ada, at=at)
    _saved(at, made, begins=at + DAY + timedelta(hours=1), rule="FREQ=WEEKLY;INTERVAL=2")
    windows = list(made.windows.order_by("scheduled_for"))
    assert windows[0] == first
    assert [one.scheduled_for - at for one in windows[1:3] if one.scheduled_for] == [
        DAY + timedelta(hours=1), 15 * DAY + timedelta(hours=1),
    ]  # fmt: skip


def test_an_ended_series_leaves_nothing_planned(company: Company, at: datetime) -> None:
    made = _saved(at)
    series.end(made, at=at + 2 * DAY)
    assert Incident.objects.filter(series=made).count() == 1, "what has begun, or is past, stays"
    assert series.plan_all(at + 3 * DAY) == 0
