"""What agents do with incidents and maintenances in the desk."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.customers.models import User
from status import incidents
from status.incidents import Opening, Words
from status.models import Component, Incident, IncidentTemplate, IncidentUpdate, Proposal
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db
NEW = "/desk/status/new/"


@pytest.fixture
def desk(company: Company) -> Client:
    client = Client()
    client.force_login(company.grace)
    return client


@pytest.fixture
def web(company: Company) -> Component:
    return component("web14", timezone.now())


def _words(**more: Any) -> dict[str, Any]:
    return {
        "name": "Disks gone",
        "status": "investigating",
        "body": "We **look**.",
        "when": "now",
        "tells": "on",
    } | more


def _local(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}"


def _opened(company: Company, web: Component, **more: Any) -> Incident:
    words = Words("investigating", "We <b>look</b>.", {web.pk: "major_outage"}, **more)
    return incidents.open_incident(Opening("Disks <i>gone</i>", words), company.ada, at=timezone.now())


def test_an_agent_opens_an_incident_and_says_the_next_thing(desk: Client, web: Component) -> None:
    page = desk.get(NEW).content.decode()
    assert "web14" in page and "Major outage" in page
    answer = desk.post(NEW, _words(**{f"state_{web.pk}": "major_outage"}))
    incident = Incident.objects.get()
    assert answer.url == f"/desk/status/incidents/{incident.public_id}/"  # type: ignore[attr-defined]
    assert (incident.impact, incident.published_at is not None) == ("critical", True)

    shown = desk.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "<strong>look</strong>" in shown and "0 conversations are linked" in shown
    assert "Disks gone" in desk.get("/desk/status/").content.decode()

    desk.post(answer.url, {"status": "resolved", "body": "New disks.", "when": "now"})  # type: ignore[attr-defined]
    incident.refresh_from_db()
    web.refresh_from_db()
    assert (incident.status, web.state) == ("resolved", "operational")
    assert incident.updates.latest("pk").tells is False


def test_a_preview_saves_nothing(desk: Client, web: Component) -> None:
    page = desk.post(NEW, _words(preview="1", **{f"state_{web.pk}": "partial_outage"})).content.decode()
    assert "<strong>look</strong>" in page and not Incident.objects.exists()
    assert 'value="partial_outage" selected' in page


def test_what_is_wrong_is_said_beside_its_field(desk: Client, company: Company) -> None:
    answer = desk.post(NEW, _words(body=" ", when="later"))
    assert answer.status_code == 422 and "This field is required." in answer.content.decode()
    late = desk.post(NEW, _words(when="later", publish_at="2020-01-01T00:00"))
    assert late.status_code == 422 and "Give a time to come." in late.content.decode()
    assert not Incident.objects.exists()


def test_a_maintenance_is_planned_moved_and_called_off(desk: Client, web: Component, company: Company) -> None:
    begins = timezone.localtime() + timedelta(days=1)
    given = _words(
        status="scheduled",
        scheduled_for=_local(begins),
        scheduled_until=_local(begins + timedelta(hours=2)),
        remind_minutes="30 min",
        is_automatic="on",
        **{f"state_{web.pk}": "under_maintenance"},
    )
    first = desk.post(f"{NEW}?as=maintenance", given)
    found = Incident.objects.get()
    assert (found.kind, found.remind_minutes, found.is_automatic) == ("maintenance", 30, True)
    overlap = desk.post(f"{NEW}?as=maintenance", given | {"preview": "1"}).content.decode()
    assert "At the same time, on the same components:" in overlap

    path = first.url  # type: ignore[attr-defined]
    moved = {
        "name": "Newer disks",
        "scheduled_for": _local(begins + timedelta(days=1)),
        "scheduled_until": _local(begins + timedelta(days=1, hours=2)),
        "body": "A day later.",
        "tells": "on",
    }
    for page in ("change", "cancellation", found.updates.get().public_id):
        assert desk.get(f"{path}{page}/").status_code == 200
    assert desk.post(f"{path}change/", moved).status_code == 302
    found.refresh_from_db()
    assert found.name == "Newer disks" and found.updates.latest("pk").body == "A day later."
    assert desk.post(f"{path}cancellation/", {"body": "Not needed."}).status_code == 302
    found.refresh_from_db()
    assert found.is_cancelled
    assert "Called off" in desk.get("/desk/status/").content.decode()


def test_trouble_is_written_down_afterwards(desk: Client, web: Component) -> None:
    ended = timezone.localtime() - timedelta(hours=1)
    past = {"name": "Was slow", "body": "Disks.", f"state_{web.pk}": "degraded_performance"}
    times = {"started_at": _local(ended - timedelta(hours=2)), "resolved_at": _local(ended)}
    assert desk.post(f"{NEW}?as=past", past | times).status_code == 302
    found = Incident.objects.get()
    assert (found.is_backfilled, found.status, found.impact) == (True, "resolved", "minor")
    wrong = {"started_at": _local(ended), "resolved_at": _local(ended - timedelta(hours=2))}
    assert desk.post(f"{NEW}?as=past", past | wrong).status_code == 422


def test_a_draft_is_corrected_published_or_thrown_away(desk: Client, company: Company, web: Component) -> None:
    incident = _opened(company, web, is_draft=True)
    update = incident.updates.get()
    path = f"/desk/status/incidents/{incident.public_id}/"
    said_at = timezone.localtime(update.display_at)
    anew = {"status": "identified", "body": "Better.", "when": "draft", f"state_{web.pk}": "partial_outage"}
    desk.post(f"{path}{update.public_id}/", anew)
    update.refresh_from_db()
    assert (update.status, update.components) == ("identified", {str(web.pk): "partial_outage"})
    assert incident.updates.filter(published_at=None).exists()
    later = (timezone.now() + timedelta(hours=2)).astimezone(ZoneInfo(company.grace.timezone))
    desk.post(f"{path}{update.public_id}/", anew | {"when": "later", "publish_at": _local(later)})
    update.refresh_from_db()
    assert update.publish_at == later.replace(second=0, microsecond=0)
    shown = desk.get(f"{path}{update.public_id}/").text
    assert _local(later) in shown and '<option value="partial_outage" selected>' in shown
    desk.post(f"{path}{update.public_id}/publication/")
    desk.post(f"{path}{update.public_id}/", {"body": "Better.", "display_at": _local(said_at)})
    update.refresh_from_db()
    assert update.body == "Better." and update.published_at is not None
    desk.post(f"{path}{update.public_id}/discarding/")
    assert incident.updates.exists(), "what was published stays"

    gone = _opened(company, web, is_draft=True)
    answer = desk.post(f"/desk/status/incidents/{gone.public_id}/{gone.updates.get().public_id}/discarding/")
    assert answer.url == "/desk/status/"  # type: ignore[attr-defined]


def test_templates_and_proposals_give_the_first_words(desk: Client, company: Company, web: Component) -> None:
    template = IncidentTemplate.objects.create(name="Disk", title="Disk full", status="identified", body="It is full.")
    template.components.add(web)
    page = desk.get(NEW, {"template": template.pk}).content.decode()
    assert 'value="Disk full"' in page and "It is full." in page

    proposal = Proposal.objects.create(component=web, why="7 tickets in 10 minutes", created_at=timezone.now())
    assert "web14" in desk.get("/desk/status/").content.decode()
    assert 'value="Trouble with web14"' in desk.get(NEW, {"proposal": proposal.pk}).content.decode()
    desk.post(f"{NEW}?proposal={proposal.pk}", _words())
    proposal.refresh_from_db()
    assert proposal.incident == Incident.objects.get() and proposal.ended_by == company.grace

    another = Proposal.objects.create(component=web, why="x", created_at=timezone.now())
    desk.post(f"/desk/status/proposals/{another.pk}/dismissal/")
    another.refresh_from_db()
    assert another.ended_at is not None and another.incident is None


def test_html_is_shown_as_it_was_typed(desk: Client, company: Company, web: Component) -> None:
    incident = _opened(company, web)
    for path in ("/desk/status/", f"/desk/status/incidents/{incident.public_id}/"):
        page = desk.get(path).content.decode()
        assert "<i>gone</i>" not in page and "<b>look</b>" not in page and "&lt;i&gt;gone" in page


def test_viewers_read_and_send_nothing(company: Company, web: Component) -> None:
    incident = _opened(company, web)
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    company.linus.refresh_from_db()
    viewer = Client()
    viewer.force_login(company.linus)
    path = f"/desk/status/incidents/{incident.public_id}/"
    page = viewer.get(path).content.decode()
    assert "We &lt;b&gt;look" in page and "Say the next thing" not in page
    assert viewer.post(path, {"status": "resolved", "body": "x", "when": "now"}).status_code == 403
    assert viewer.post(NEW, _words()).status_code == 403
    assert viewer.post(f"{path}change/", {}).status_code == 403
    stranger = Client().get(path)
    assert stranger.status_code == 302 and "/login/" in stranger["Location"]


def test_pages_cost_the_same_however_much_was_said(
    desk: Client, company: Company, web: Component, django_assert_max_num_queries: Any
) -> None:
    incident = _opened(company, web)
    for number in range(12):
        incidents.add_update(
            incident, Words("identified", f"No {number}."), company.ada, at=timezone.now() + timedelta(seconds=number)
        )
        _opened(company, web)
    desk.get("/desk/status/")
    with django_assert_max_num_queries(14):
        assert desk.get("/desk/status/").status_code == 200
    with django_assert_max_num_queries(18):
        assert desk.get(f"/desk/status/incidents/{incident.public_id}/").status_code == 200


def test_ten_thousand_updates_are_shown_in_part(desk: Client, company: Company, web: Component) -> None:
    incident, at = _opened(company, web), timezone.now()
    times = {"display_at": at, "published_at": at, "created_at": at, "updated_at": at}
    rows = (IncidentUpdate(incident=incident, status="identified", body=f"No {n}", **times) for n in range(10_000))
    IncidentUpdate.objects.bulk_create(rows, batch_size=2_000)
    path = f"/desk/status/incidents/{incident.public_id}/"
    page = desk.get(path).content
    assert b"No 9999" in page and len(page) < 600_000
    assert desk.post(path, {"status": "resolved", "body": "Over.", "when": "now"}).status_code == 302
    listed = desk.get(f"/api/v1/incidents/{incident.public_id}/").json()["updates"]
    assert len(listed) == 10 and listed[0]["body"] == "Over."
