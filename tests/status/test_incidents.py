"""An incident from its first words to its end: states, spans, impact, and what nobody sees yet."""

from datetime import datetime, timedelta

import pytest

from helpdesk.events.models import Event
from status import components, dues, incidents, pages
from status.incidents import Opening, Words
from status.models import Component, ComponentSpan, Incident, IncidentUpdate
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


def _opening(*affected: Component, state: str = "major_outage", **more: object) -> Opening:
    states = {one.pk: state for one in affected}
    return Opening("Disks gone", Words("investigating", "We look.", states, **more))  # type: ignore[arg-type]


def test_from_first_words_to_the_end(company: Company, at: datetime) -> None:
    web = component("web14", at)
    version = pages.version()

    incident = incidents.open_incident(_opening(web), company.ada, at=at)
    web.refresh_from_db()
    assert (web.state, incident.impact, incident.published_at) == ("major_outage", "critical", at)
    assert pages.version() > version
    assert Event.objects.filter(kind=incidents.PUBLISHED, data__incident=incident.pk, data__tells=True).count() == 1

    later = at + timedelta(hours=2)
    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=later)
    incident.refresh_from_db()
    web.refresh_from_db()
    assert (web.state, incident.status, incident.resolved_at, incident.impact) == (
        "operational", "resolved", later, "critical",
    )  # fmt: skip
    spans = ComponentSpan.objects.filter(component=web).order_by("since").values_list("state", "since", "until")
    assert list(spans)[-2:] == [("major_outage", at, later), ("operational", later, None)]


def test_two_incidents_on_one_component_leave_it_as_bad_as_the_worse(company: Company, at: datetime) -> None:
    web = component("web14", at)
    outage = incidents.open_incident(_opening(web), company.ada, at=at)
    incidents.open_incident(_opening(web, state="degraded_performance"), company.ada, at=at)

    incidents.add_update(outage, Words("resolved", "Done."), company.ada, at=at)

    web.refresh_from_db()
    assert web.state == "degraded_performance"


def test_a_draft_changes_nothing_until_it_is_published(company: Company, at: datetime) -> None:
    web = component("web14", at)
    draft = incidents.open_incident(_opening(web, is_draft=True), company.ada, at=at)
    web.refresh_from_db()
    assert (draft.published_at, web.state) == (None, "operational")
    assert not Event.objects.filter(kind=incidents.PUBLISHED).exists()

    update = draft.updates.get()
    assert incidents.publish(update.pk, company.ada, at=at)
    assert not incidents.publish(update.pk, company.ada, at=at)
    assert Event.objects.filter(kind=incidents.PUBLISHED).count() == 1


def test_what_is_to_be_published_later_waits_for_the_clock(company: Company, at: datetime) -> None:
    then = at + timedelta(hours=3)
    incident = incidents.open_incident(_opening(publish_at=then), company.ada, at=at)

    assert dues.sweep(then - timedelta(seconds=1)) == 0
    assert dues.sweep(then) == 1
    assert dues.sweep(then) == 0

    incident.refresh_from_db()
    assert incident.published_at == then


def test_nonsense_is_refused_with_a_reason(company: Company, at: datetime) -> None:
    web = component("web14", at)
    incident = incidents.open_incident(_opening(web), company.ada, at=at)
    with pytest.raises(incidents.Refused, match="completed is no status"):
        incidents.add_update(incident, Words("completed", "x"), company.ada, at=at)
    with pytest.raises(incidents.Refused, match="says something"):
        incidents.add_update(incident, Words("monitoring", "  "), company.ada, at=at)
    with pytest.raises(incidents.Refused, match="not taken back"):
        incidents.discard(incident.updates.get(), company.ada, at=at)
    with pytest.raises(ValueError, match="no such component: zzz"):
        components.by_public_id({"zzz": "major_outage"})
    with pytest.raises(ValueError, match="not a component's state: on fire"):
        components.by_public_id({web.public_id: "on fire"})


def test_an_incident_of_which_nothing_was_published_goes_with_its_last_draft(company: Company, at: datetime) -> None:
    draft = incidents.open_incident(_opening(is_draft=True), company.ada, at=at)
    incidents.discard(draft.updates.get(), company.ada, at=at)
    assert not Incident.objects.exists() and not IncidentUpdate.objects.exists()
