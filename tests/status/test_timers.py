"""What the clock does: maintenance reminded of, begun, ended, overrun; moved and called off meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.events.models import Event
from helpdesk.oncall.models import Page
from status import dues, incidents, maintenances, pages, timers
from status.incidents import Opening, Refused, Words
from status.models import AffectedComponent, Component, ComponentSpan, Incident, IncidentDue
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def _planned(web: Component, company: Company, at: datetime, **more: Any) -> Incident:
    words = Words("scheduled", "Away for ten minutes.", {web.pk: "under_maintenance"})
    window = {"scheduled_for": at + 3 * HOUR, "scheduled_until": at + 5 * HOUR}
    return maintenances.schedule(Opening("New disks", words, kind="maintenance", **(window | more)), company.ada, at=at)


def _kinds(incident: Incident) -> dict[str, datetime]:
    return dict(IncidentDue.objects.filter(incident=incident).values_list("kind", "due_at"))


def test_a_maintenance_from_its_reminder_to_its_end(company: Company, at: datetime) -> None:
    web = component("web14", at)
    maintenance = _planned(web, company, at)
    assert _kinds(maintenance) == {"remind": at + 2 * HOUR, "begin": at + 3 * HOUR}
    version = pages.version()

    assert dues.sweep(at + 2 * HOUR) == 1
    reminder = maintenance.updates.get(is_reminder=True)
    assert (reminder.body, reminder.tells, reminder.published_at) == ("Away for ten minutes.", True, at + 2 * HOUR)
    assert Event.objects.filter(kind=incidents.PUBLISHED, data__update=reminder.pk).count() == 1
    assert pages.version() == version, "nothing new is to be seen"

    assert dues.sweep(at + 3 * HOUR) == 1
    maintenance.refresh_from_db()
    web.refresh_from_db()
    assert (maintenance.status, web.state) == ("in_progress", "under_maintenance")
    assert maintenance.started_at == at + 3 * HOUR
    begun = AffectedComponent.objects.get(update__incident=maintenance, update__status="in_progress")
    assert (begun.old_state, begun.new_state) == ("operational", "under_maintenance")
    assert _kinds(maintenance) == {"end": at + 5 * HOUR}

    assert dues.sweep(at + 5 * HOUR) == 1
    maintenance.refresh_from_db()
    web.refresh_from_db()
    assert (maintenance.status, web.state, maintenance.resolved_at) == ("completed", "operational", at + 5 * HOUR)
    assert not maintenance.is_cancelled and _kinds(maintenance) == {}
    assert dues.sweep(at + 9 * HOUR) == 0


def test_a_window_that_was_slept_through_begins_and_ends_late_but_once(company: Company, at: datetime) -> None:
    web = component("web14", at)
    maintenance = _planned(web, company, at, remind_minutes=0)
    late = at + 9 * HOUR
    assert [dues.sweep(late), dues.sweep(late), dues.sweep(late)] == [1, 1, 0]
    assert list(maintenance.updates.order_by("pk").values_list("status", flat=True)) == [
        "scheduled", "in_progress", "completed",
    ]  # fmt: skip


def test_the_house_speaks_the_companys_first_language(company: Company, at: datetime) -> None:
    maintenance = _planned(component("web14", at), company, at)
    timers.begin(maintenance, at)
    assert maintenance.updates.latest("pk").body.startswith("The maintenance has begun")


def test_who_verifies_too_long_is_asked(company: Company, at: datetime) -> None:
    web = component("web14", at)
    maintenance = _planned(web, company, at)
    dues.sweep(at + 3 * HOUR)
    incidents.add_update(maintenance, Words("verifying", "We look whether it works."), company.ada, at=at + 5 * HOUR)
    assert _kinds(maintenance) == {"overrun": at + 5.5 * HOUR}

    dues.sweep(at + 5.5 * HOUR)
    page = Page.objects.get(dedup_key=timers.page_key(maintenance.pk))
    assert page.state == "triggered" and "New disks" in page.summary

    done = incidents.add_update(maintenance, Words("completed", "All is well."), company.ada, at=at + 6 * HOUR)
    timers.settle(Event.objects.get(kind=incidents.PUBLISHED, data__update=done.pk), at + 6 * HOUR)
    page.refresh_from_db()
    assert page.state == "resolved"


def test_who_begins_by_hand_is_asked_when_it_does_not_begin(company: Company, at: datetime) -> None:
    maintenance = _planned(component("web14", at), company, at, is_automatic=False)
    dues.sweep(at + 4 * HOUR)
    maintenance.refresh_from_db()
    assert maintenance.status == "scheduled"
    assert "has not begun" in Page.objects.get(dedup_key=timers.page_key(maintenance.pk)).summary


def test_what_is_moved_is_reminded_of_and_begins_then(company: Company, at: datetime) -> None:
    maintenance = _planned(component("web14", at), company, at)
    begins = at + 30 * HOUR
    moved = maintenances.reschedule(maintenance, begins, begins + HOUR, company.ada, at=at)
    assert _kinds(moved) == {"remind": begins - HOUR, "begin": begins}
    assert (moved.started_at, Event.objects.filter(kind="incident.rescheduled").count()) == (begins, 1)
    assert maintenance.updates.count() == 1, "without words nobody is told"

    dues.sweep(begins)
    dues.sweep(begins)
    with pytest.raises(Refused, match="only its end"):
        maintenances.reschedule(maintenance, begins + HOUR, begins + 2 * HOUR, company.ada, at=begins)
    longer = Words("in_progress", "It takes longer.")
    maintenances.reschedule(maintenance, begins, begins + 4 * HOUR, company.ada, words=longer, at=begins)
    assert _kinds(maintenance) == {"end": begins + 4 * HOUR}


def test_what_is_called_off_never_begins(company: Company, at: datetime) -> None:
    web = component("web14", at)
    maintenance = _planned(web, company, at)
    maintenances.cancel(maintenance, company.ada, "Not needed.", at=at + HOUR)
    maintenance.refresh_from_db()
    assert (maintenance.status, maintenance.is_cancelled, _kinds(maintenance)) == ("completed", True, {})
    assert not ComponentSpan.objects.filter(component=web, state="under_maintenance").exists()
    with pytest.raises(Refused, match="has begun"):
        maintenances.cancel(maintenance, company.ada, "Again.", at=at + HOUR)


def test_what_nobody_has_heard_of_just_goes(company: Company, at: datetime) -> None:
    words = Words("scheduled", "Soon.", is_draft=True)
    draft = maintenances.schedule(
        Opening("x", words, kind="maintenance", scheduled_for=at + HOUR, scheduled_until=at + 2 * HOUR),
        company.ada,
        at=at,
    )
    maintenances.cancel(draft, company.ada, "", at=at)
    assert not Incident.objects.exists()


def test_maintenances_may_overlap_and_are_named(company: Company, at: datetime) -> None:
    web, mail = component("web14", at), component("mail", at)
    first = _planned(web, company, at)
    _planned(mail, company, at)
    assert maintenances.overlapping([web.pk], at + 4 * HOUR, at + 6 * HOUR) == [first]
    assert maintenances.overlapping([web.pk], at + 5 * HOUR, at + 6 * HOUR) == []
    assert maintenances.overlapping([web.pk], at, at + 6 * HOUR, but=first.pk) == []
    second = _planned(web, company, at, scheduled_until=at + 9 * HOUR)
    for hours in (3, 3, 5):
        dues.sweep(at + hours * HOUR)
    first.refresh_from_db()
    web.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status, web.state) == ("completed", "in_progress", "under_maintenance")


@pytest.mark.parametrize(
    ("begin", "end", "why"), [(3, 3, "after it begins"), (-5, -1, "over"), (3, 3 + 32 * 24, "at most 31 days")]
)
def test_windows_that_make_no_sense_are_refused(company: Company, at: datetime, begin: int, end: int, why: str) -> None:
    with pytest.raises(Refused, match=why):
        _planned(component("web14", at), company, at, scheduled_for=at + begin * HOUR, scheduled_until=at + end * HOUR)


def test_trouble_written_down_afterwards_splits_what_was_known(company: Company, at: datetime) -> None:
    web = component("web14", at)
    incidents.open_incident(
        Opening("Slow", Words("investigating", "x", {web.pk: "partial_outage"})), company.ada, at=at + 2 * HOUR
    )
    incident = Incident.objects.get()
    incidents.add_update(incident, Words("resolved", "x"), company.ada, at=at + 3 * HOUR)
    past = Opening(
        "Was worse",
        Words("resolved", "x", {web.pk: "degraded_performance"}),
        started_at=at - HOUR,
        resolved_at=at + 4 * HOUR,
        is_backfilled=True,
    )
    incidents.open_incident(past, company.ada, at=at + 6 * HOUR)
    spans = ComponentSpan.objects.filter(component=web).order_by("since").values_list("state", "since", "until")
    assert list(spans) == [
        ("degraded_performance", at - HOUR, at),
        ("degraded_performance", at, at + 2 * HOUR),
        ("partial_outage", at + 2 * HOUR, at + 3 * HOUR),
        ("degraded_performance", at + 3 * HOUR, at + 4 * HOUR),
        ("operational", at + 4 * HOUR, None),
    ]
