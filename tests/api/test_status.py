"""Components, incidents and maintenances over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from helpdesk.customers.models import AuditEntry, Service, User
from helpdesk.events.models import Event
from status import dues, incidents, pages
from status.models import Component, ComponentSpan, Incident
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(company: Company) -> Component:
    Component.objects.filter(is_group=False).delete()
    Component.objects.all().delete()
    return component("web14", timezone.now())


def _opened(caller: Caller, web: Component, **more: Any) -> Any:
    body = {
        "name": "Disks gone",
        "status": "investigating",
        "body": "We look.",
        "components": {web.public_id: "major_outage"},
    }
    return caller("post", "/incidents/", body | more)


def test_the_demo_company_has_components_in_groups(ada: Caller) -> None:
    found = ada("get", "/components/").json()["results"]
    groups = ada("get", "/component-groups/").json()["results"]
    assert {"c01-web1.demo.example", "Mail", "Control panel"} <= {one["name"] for one in found}
    assert {one["group"] for one in found} <= {one["id"] for one in groups} | {None}
    assert all(one["status"] == "operational" and not one["is_private"] for one in found)


def test_a_component_is_made_changed_and_removed_by_admins(ada: Caller, grace: Caller, company: Company) -> None:
    version = pages.version()
    group = ada("post", "/component-groups/", {"name": "c09"}).json()
    made = ada("post", "/components/", {"name": "web9", "group": group["id"], "services": ["c01"]})
    assert made.status_code == 201, made.json()
    one = made.json()
    service = Service.objects.get(name="c01")
    assert (one["group"], one["status"], one["services"]) == (group["id"], "operational", [service.pk])
    assert pages.version() > version
    assert grace("post", "/components/", {"name": "x"}).status_code == 403
    assert grace("get", f"/components/{one['id']}/").json()["name"] == "web9"

    changed = ada("patch", f"/components/{one['id']}/", {"own_status": "degraded_performance", "services": []}).json()
    assert (changed["status"], changed["services"]) == ("degraded_performance", [])
    spans = (
        ComponentSpan.objects.filter(component__public_id=one["id"]).order_by("since").values_list("state", flat=True)
    )
    assert list(spans) == ["operational", "degraded_performance"]
    assert AuditEntry.objects.filter(kind="component", action="changed").exists()

    assert ada("delete", f"/component-groups/{group['id']}/").status_code == 409
    assert ada("delete", f"/components/{one['id']}/").status_code == 204
    assert ada("delete", f"/component-groups/{group['id']}/").status_code == 204


def test_components_are_found_by_what_they_carry(ada: Caller, web: Component) -> None:
    web.services.set(Service.objects.filter(name="c01"))
    component("web15", timezone.now(), state="major_outage")

    def names(**query: str) -> list[str]:
        return [one["name"] for one in ada("get", "/components/", **query).json()["results"]]

    assert names(service="C01") == ["web14"]
    assert names(status="major_outage") == ["web15"]


def test_an_incident_from_its_first_words_to_its_end(grace: Caller, web: Component) -> None:
    answer = _opened(grace, web)
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["status"], made["impact"], made["components"]) == (
        "investigating", "critical", {web.public_id: "major_outage"},
    )  # fmt: skip
    assert made["url"].endswith(f"/status/incidents/{made['id']}/") and len(made["id"]) == 12
    assert [one["body"] for one in made["updates"]] == ["We look."]
    assert made["updates"][0]["affected_components"] == [
        {"id": web.public_id, "name": "web14", "old_status": "operational", "new_status": "major_outage"}
    ]
    assert [one["id"] for one in grace("get", "/incidents/", unresolved=True).json()["results"]] == [made["id"]]

    said = grace("post", f"/incidents/{made['id']}/updates/", {"status": "resolved", "body": "New disks."})
    assert said.status_code == 201 and said.json()["affected_components"][0]["new_status"] == "operational"
    now = grace("get", f"/incidents/{made['id']}/").json()
    assert (now["status"], now["components"], now["impact"]) == ("resolved", {web.public_id: "operational"}, "critical")
    assert now["resolved_at"] is not None
    assert grace("get", "/incidents/", unresolved=True).json()["results"] == []
    assert [one["status"] for one in grace("get", f"/incidents/{made['id']}/updates/").json()["results"]] == [
        "resolved", "investigating",
    ]  # fmt: skip


def test_a_draft_is_published_once_or_thrown_away(grace: Caller, web: Component) -> None:
    draft = _opened(grace, web, is_draft=True).json()
    assert draft["published_at"] is None
    (update,) = draft["updates"]
    path = f"/incidents/{draft['id']}/updates/{update['id']}/"
    first = grace("post", f"{path}publication/").json()["published_at"]
    assert first and grace("post", f"{path}publication/").json()["published_at"] == first
    assert grace("delete", path).status_code == 409
    assert Event.objects.filter(kind=incidents.PUBLISHED).count() == 1

    gone = _opened(grace, web, is_draft=True).json()
    assert grace("delete", f"/incidents/{gone['id']}/updates/{gone['updates'][0]['id']}/").status_code == 204
    assert grace("get", f"/incidents/{gone['id']}/").status_code == 404


def test_a_draft_is_written_anew_until_it_is_published(grace: Caller, web: Component) -> None:
    draft = _opened(grace, web, is_draft=True).json()
    path = f"/incidents/{draft['id']}/updates/{draft['updates'][0]['id']}/"
    said = grace("patch", path, {"body": "It is the disks.", "status": "identified", "short_text": "Disks."}).json()
    assert (said["body"], said["status"], said["short_text"]) == ("It is the disks.", "identified", "Disks.")
    grace("patch", path, {"components": {web.public_id: "partial_outage"}, "tells": False})
    for wrong in ({"status": "completed"}, {"components": {"zzzzzzzzzzzz": "operational"}}, {"body": " "}):
        assert grace("patch", path, wrong).status_code == 400, wrong
    assert grace("get", path).json()["published_at"] is None
    assert grace("get", f"/components/{web.public_id}/").json()["status"] == "operational"

    grace("post", f"{path}publication/")
    now = grace("get", f"/incidents/{draft['id']}/").json()
    assert (now["status"], now["impact"]) == ("identified", "major")
    assert now["components"] == {web.public_id: "partial_outage"}
    assert Event.objects.get(kind=incidents.PUBLISHED).data["tells"] is False
    assert grace("patch", path, {"status": "monitoring"}).status_code == 400, "said is said"
    assert grace("patch", path, {"body": "It was the disks."}).json()["body"] == "It was the disks."


def test_what_waits_for_its_time_is_put_off_and_held_back(grace: Caller, web: Component) -> None:
    at = timezone.now().replace(microsecond=0)
    draft = _opened(grace, web, publish_at=at + timedelta(hours=1)).json()
    update = draft["updates"][0]
    path = f"/incidents/{draft['id']}/updates/{update['id']}/"
    assert (draft["published_at"], update["publish_at"] is not None) == (None, True)
    assert grace("patch", path, {"publish_at": at + timedelta(hours=2)}).json()["published_at"] is None
    dues.sweep(at + timedelta(hours=1, minutes=1))
    assert grace("get", path).json()["published_at"] is None, "it was put off"
    held = grace("patch", path, {"publish_at": None}).json()
    assert held["publish_at"] is None
    dues.sweep(at + timedelta(hours=3))
    assert grace("get", path).json()["published_at"] is None, "it is a draft again"

    grace("patch", path, {"publish_at": at + timedelta(hours=4)})
    dues.sweep(at + timedelta(hours=4))
    assert grace("get", path).json()["published_at"] is not None
    assert grace("get", f"/components/{web.public_id}/").json()["status"] == "major_outage"


def test_the_next_words_may_be_a_draft_too(grace: Caller, web: Component) -> None:
    made = _opened(grace, web).json()
    next_words = {"status": "resolved", "body": "New disks.", "is_draft": True}
    draft = grace("post", f"/incidents/{made['id']}/updates/", next_words).json()
    path = f"/incidents/{made['id']}/updates/{draft['id']}/"
    assert grace("get", f"/incidents/{made['id']}/").json()["status"] == "investigating"
    assert grace("delete", path).status_code == 204 and grace("get", path).status_code == 404
    assert grace("get", f"/incidents/{made['id']}/").json()["status"] == "investigating"


def test_words_are_corrected_names_and_impact_changed(grace: Caller, web: Component) -> None:
    made = _opened(grace, web).json()
    update = made["updates"][0]["id"]
    said = grace("patch", f"/incidents/{made['id']}/updates/{update}/", {"body": "We look closer."}).json()
    assert said["body"] == "We look closer."
    began = timezone.now().replace(microsecond=0) - timedelta(hours=1)
    changed = grace(
        "patch", f"/incidents/{made['id']}/", {"name": "Disks slow", "impact": "minor", "started_at": began}
    ).json()
    assert (changed["name"], changed["impact"]) == ("Disks slow", "minor")
    first = ComponentSpan.objects.filter(component=web).earliest("since")
    assert (first.state, first.since) == ("major_outage", began)
    assert grace("patch", f"/incidents/{made['id']}/", {"impact": None}).json()["impact"] == "critical"


def test_what_is_written_down_afterwards_counts_and_tells_nobody(grace: Caller, web: Component) -> None:
    at = timezone.now().replace(microsecond=0)
    times = {"started_at": at - timedelta(hours=5), "resolved_at": at - timedelta(hours=3)}
    made = _opened(grace, web, is_backfilled=True, **times).json()
    assert (made["status"], made["impact"]) == ("resolved", "critical")
    assert Event.objects.get(kind=incidents.PUBLISHED).data["tells"] is False
    web.refresh_from_db()
    assert web.state == "operational"
    bad = ComponentSpan.objects.get(component=web, state="major_outage")
    assert (bad.since, bad.until) == (times["started_at"], times["resolved_at"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"body": "  "}, "body"),
        ({"status": "completed"}, "status"),
        ({"components": {"zzzzzzzzzzzz": "major_outage"}}, "components"),
        ({"components": ["x"]}, "components"),
        ({"components": {"x": {}}}, "components"),
        ({"impact": "awful"}, "impact"),
        ({"resolved_at": "2026-01-01T00:00:00Z"}, "resolved_at"),
        ({"is_backfilled": True}, "is_backfilled"),
        ({"started_at": "2999-01-01T00:00:00Z"}, "non_field_errors"),
    ],
)
def test_nonsense_is_refused_by_its_field(grace: Caller, web: Component, change: dict[str, Any], field: str) -> None:
    answer = _opened(grace, web, **change)
    assert answer.status_code == 400 and list(answer.json()) == [field]
    assert not Incident.objects.exists()


def test_a_maintenance_is_planned_moved_and_called_off(grace: Caller, web: Component) -> None:
    at = timezone.now().replace(microsecond=0)
    body = {
        "name": "New disks",
        "body": "Away for ten minutes.",
        "scheduled_for": at + timedelta(days=1),
        "scheduled_until": at + timedelta(days=1, hours=2),
        "components": [web.public_id],
    }
    answer = grace("post", "/maintenances/", body)
    assert answer.status_code == 201, answer.json()
    first = answer.json()
    assert (first["status"], first["impact"], first["components"], first["overlaps"]) == (
        "scheduled", "maintenance", {web.public_id: "under_maintenance"}, [],
    )  # fmt: skip
    assert grace("get", f"/components/{web.public_id}/").json()["status"] == "operational"
    assert first["updates"][0]["affected_components"][0]["new_status"] == "operational"
    second = grace("post", "/maintenances/", body).json()
    assert second["overlaps"] == [first["id"]]

    path = f"/maintenances/{second['id']}"
    moved = grace("post", f"{path}/schedule/", {"scheduled_for": at + timedelta(days=3), "body": "Later."}).json()
    assert moved["scheduled_until"] == (at + timedelta(days=3, hours=2)).isoformat().replace("+00:00", "Z")
    assert moved["overlaps"] == [] and moved["updates"][0]["body"] == "Later."
    wrong = grace("post", f"{path}/schedule/", {"scheduled_until": at + timedelta(days=2)})
    assert wrong.status_code == 400

    over = grace("post", f"{path}/cancellation/", {"body": "Not needed."}).json()
    assert (over["status"], over["is_cancelled"]) == ("completed", True)
    assert grace("post", f"{path}/cancellation/", {"body": "x"}).status_code == 400
    assert grace("get", f"/incidents/{second['id']}/").status_code == 404


def test_viewers_read_and_publish_nothing(grace: Caller, web: Component, company: Company) -> None:
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    company.linus.refresh_from_db()
    viewer = Caller(company.linus)
    made = _opened(grace, web).json()
    assert viewer("get", f"/incidents/{made['id']}/").status_code == 200
    assert _opened(viewer, web).status_code == 403
    assert viewer("post", f"/incidents/{made['id']}/updates/", {"status": "resolved", "body": "x"}).status_code == 403


def test_lists_cost_the_same_however_long(grace: Caller, web: Component, django_assert_max_num_queries: Any) -> None:
    for _number in range(5):
        _opened(grace, web)
    with django_assert_max_num_queries(9):
        assert len(grace("get", "/incidents/").json()["results"]) == 5
