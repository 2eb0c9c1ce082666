"""Statuspage's API v2: every document, every field, and what is in which."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from status import incidents, pages, statuspage_api
from status.incidents import Opening, Words
from status.models import Component, Incident, StatusPage
from tests.fixtures.company import Company
from tests.fixtures.status import component, forget_components

pytestmark = pytest.mark.django_db

PAGE = {"id", "name", "url", "time_zone", "updated_at"}
COMPONENT = {
    *("id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date"),
    *("group_id", "page_id", "group", "only_show_if_degraded"),
}
INCIDENT = {
    *("id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink"),
    *("started_at", "page_id", "incident_updates", "components"),
}
UPDATE = {
    *("id", "status", "body", "incident_id", "created_at", "updated_at", "display_at", "affected_components"),
    *("deliver_notifications", "custom_tweet", "tweet_id"),
}


@pytest.fixture(autouse=True)
def _nothing_shown(company: Company) -> None:
    forget_components()


def _read(name: str) -> dict[str, Any]:
    answer = Client().get(f"/status/api/v2/{name}.json")
    assert answer.status_code == 200, name
    # Statuspage's own widget asks at the root of the host it is given.
    assert Client().get(f"/api/v2/{name}.json").content == answer.content
    assert answer["Access-Control-Allow-Origin"] == "*"
    found: dict[str, Any] = answer.json()
    assert found["page"].keys() == PAGE
    return found


def _open(company: Company, at: datetime, name: str, state: str, *affected: Component, **more: Any) -> Incident:
    status = "scheduled" if more.get("kind") == "maintenance" else "investigating"
    words = Words(status, "We look.", {one.pk: state for one in affected})
    return incidents.open_incident(Opening(name, words, **more), company.ada, at=at)


def _window(begin: datetime) -> dict[str, Any]:
    return {"kind": "maintenance", "scheduled_for": begin, "scheduled_until": begin + timedelta(hours=2)}


def test_every_document_has_its_keys_and_every_object_its_fields(company: Company, at: datetime) -> None:
    group = component("c01", at, is_group=True, position=1)
    web = component("web14", at, group=group, position=2)
    one = _open(company, at, "Disks gone", "major_outage", web)
    _open(company, at, "Kernel", "under_maintenance", web, **_window(at + timedelta(days=1)))

    summary = _read("summary")
    assert summary.keys() == {"page", "components", "incidents", "scheduled_maintenances", "status"}
    assert summary["status"] == {"indicator": "critical", "description": "Major System Outage"}
    told_group, told = summary["components"]
    assert told.keys() == COMPONENT and told_group.keys() == COMPONENT | {"components"}
    assert (told["status"], told["group_id"], told_group["status"]) == ("major_outage", group.public_id, "major_outage")
    assert told_group["components"] == [web.public_id]

    (incident,) = summary["incidents"]
    assert incident.keys() == INCIDENT
    assert incident["shortlink"].endswith(f"/status/incidents/{one.public_id}/")
    assert incident["started_at"] == "2026-01-12T08:00:00.000Z"
    (update,) = incident["incident_updates"]
    assert update.keys() == UPDATE
    assert update["affected_components"] == [
        {"code": web.public_id, "name": "web14", "old_status": "operational", "new_status": "major_outage"}
    ]
    (maintenance,) = summary["scheduled_maintenances"]
    assert maintenance.keys() == INCIDENT | {"scheduled_for", "scheduled_until"}
    assert (maintenance["impact"], maintenance["scheduled_for"]) == ("maintenance", "2026-01-13T08:00:00.000Z")
    for name in statuspage_api.DOCUMENTS:
        _read(name)


def test_what_is_over_leaves_what_is_open(company: Company, at: datetime) -> None:
    web = component("web14", at)
    one = _open(company, at, "Disks gone", "major_outage", web)
    assert [found["id"] for found in _read("incidents/unresolved")["incidents"]] == [one.public_id]

    incidents.add_update(one, Words("resolved", "New disks."), company.ada, at=at + timedelta(hours=1))

    assert _read("incidents/unresolved")["incidents"] == _read("summary")["incidents"] == []
    (found,) = _read("incidents")["incidents"]
    assert (found["status"], found["resolved_at"]) == ("resolved", "2026-01-12T09:00:00.000Z")
    assert [update["status"] for update in found["incident_updates"]] == ["resolved", "investigating"]
    assert _read("status")["status"] == {"indicator": "none", "description": "All Systems Operational"}


def test_maintenance_goes_from_upcoming_to_active_to_all(company: Company, at: datetime) -> None:
    web = component("web14", at)
    later = _open(company, at, "Later", "under_maintenance", web, **_window(at + timedelta(days=9)))
    sooner = _open(company, at, "Sooner", "under_maintenance", web, **_window(at + timedelta(days=1)))
    upcoming = _read("scheduled-maintenances/upcoming")["scheduled_maintenances"]
    assert [one["id"] for one in upcoming] == [sooner.public_id, later.public_id]

    incidents.add_update(sooner, Words("in_progress", "We begin."), company.ada, at=at + timedelta(days=1))
    active = _read("scheduled-maintenances/active")["scheduled_maintenances"]
    assert [one["id"] for one in active] == [sooner.public_id]

    incidents.add_update(sooner, Words("completed", "Done."), company.ada, at=at + timedelta(days=1, hours=1))
    assert _read("scheduled-maintenances/active")["scheduled_maintenances"] == []
    assert len(_read("scheduled-maintenances")["scheduled_maintenances"]) == 2
    assert [one["id"] for one in _read("summary")["scheduled_maintenances"]] == [later.public_id]


def test_private_things_are_nowhere(company: Company, at: datetime) -> None:
    public = component("web14", at)
    group = component("hidden rack", at, is_group=True, is_private=True)
    secrets = [component("hidden box", at, is_private=True), component("hidden too", at, group=group)]
    _open(company, at, "hidden trouble", "major_outage", *secrets)
    _open(company, at, "Known trouble", "partial_outage", public, secrets[0])

    for name in statuspage_api.DOCUMENTS:
        assert "hidden" not in str(_read(name)), name
    (known,) = _read("summary")["incidents"]
    assert [one["name"] for one in known["components"]] == ["web14"]
    assert [one["name"] for one in known["incident_updates"][0]["affected_components"]] == ["web14"]
    assert _read("status")["status"]["indicator"] == "major"


def test_drafts_are_nowhere(company: Company, at: datetime) -> None:
    words = Words("investigating", "not yet", is_draft=True)
    incidents.open_incident(Opening("secret draft", words), company.ada, at=at)
    one = _open(company, at, "Known", "major_outage", component("web14", at))
    incidents.add_update(one, words, company.ada, at=at)
    for name in statuspage_api.DOCUMENTS:
        assert "draft" not in str(_read(name)) and "not yet" not in str(_read(name))


def test_a_page_that_has_nothing_yet_is_a_page_all_the_same() -> None:
    StatusPage.objects.all().delete()
    summary = _read("summary")
    assert summary["components"] == summary["incidents"] == []
    assert summary["status"]["indicator"] == "none"


def test_ten_thousand_updates_stay_a_page(company: Company, at: datetime) -> None:
    one = _open(company, at, "Long", "major_outage", component("web14", at))
    first = one.updates.get()
    many = []
    for number in range(10_000):
        then = at + timedelta(seconds=number)
        many.append(type(first)(incident=one, status="identified", body=f"word {number}", display_at=then,
                                published_at=then, created_at=then, updated_at=then))  # fmt: skip
    type(first).objects.bulk_create(many, batch_size=5000)
    pages.the_page(at)
    (found,) = _read("incidents")["incidents"]
    assert len(found["incident_updates"]) == 100
    assert found["incident_updates"][0]["body"] == "word 9999"
    shown = Client().get(f"/status/incidents/{one.public_id}/").content.decode()
    assert "word 9999" in shown and "9001 earlier updates are not shown" in shown
