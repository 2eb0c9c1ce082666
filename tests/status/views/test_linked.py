"""Linking conversations in the desk, one and many, the list of whom an incident concerns, and the API's word of it."""

from datetime import datetime
from typing import Any

import pytest
from django.utils.timezone import now

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events import outbox
from status import incidents, linking
from status.incidents import Opening, Words
from status.models import Incident, IncidentConversation
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(company: Company, at: datetime) -> Incident:
    return incidents.open_incident(Opening("<i>Network</i>", Words("investigating", "We look.")), company.ada, at=at)


def _drain() -> None:
    while outbox.drain(now()):
        pass


def test_one_is_linked_and_told_and_unlinked(company: Company, at: datetime, incident: Incident) -> None:
    mine = write(company.gil, at)
    browser = logged_in(company.linus)
    page = browser.get(f"/desk/conversations/{mine.pk}/").content.decode()
    assert f"/desk/status/linking/?c={mine.pk}" in page
    form = browser.get(f"/desk/status/linking/?c={mine.pk}").content.decode()
    assert "&lt;i&gt;Network&lt;/i&gt;" in form
    sent = {"c": mine.pk, "incident": incident.public_id, "tells": "1"}
    assert browser.post("/desk/status/linking/", sent)["Location"] == f"/desk/conversations/{mine.pk}/"
    _drain()
    link = IncidentConversation.objects.get()
    assert (link.incident, link.conversation_id, link.how, link.linked_by) == (incident, mine.pk, "hand", company.linus)
    page = browser.get(f"/desk/conversations/{mine.pk}/").content.decode()
    assert f"/desk/status/incidents/{incident.public_id}/" in page
    assert "linked to the incident “&lt;i&gt;Network&lt;/i&gt;”" in page
    page = browser.get(f"/desk/status/incidents/{incident.public_id}/conversations/").content.decode()
    assert "told once" in page
    assert f"/desk/conversations/{mine.pk}/" in page

    assert browser.post(f"/desk/status/linking/{mine.pk}/end/").status_code == 302
    assert not IncidentConversation.objects.exists()


def test_many_are_linked_from_the_list(company: Company, at: datetime, incident: Incident) -> None:
    chosen = [write(company.gil, at) for _ in range(3)]
    browser = logged_in(company.ada)
    query = "&".join(f"c={one.pk}" for one in chosen)
    assert f"/desk/status/linking/?c={chosen[0].pk}" in browser.get(f"/desk/bulk/?{query}").content.decode()
    sent = {"c": [one.pk for one in chosen], "incident": incident.public_id}
    answer = browser.post("/desk/status/linking/", sent)
    assert answer["Location"] == f"/desk/status/incidents/{incident.public_id}/conversations/"
    assert linking.counts(incident).linked == 3
    _drain()
    assert all(not one.messages.filter(kind="outbound").exists() for one in chosen), "nobody was to be told"

    other = write(company.carol, at)
    found = browser.get(f"/desk/?view=filter&incident={incident.public_id}").content.decode()
    assert all(f"/desk/conversations/{one.pk}/" in found for one in chosen)
    assert f"/desk/conversations/{other.pk}/" not in found
    assert "Incident: &lt;i&gt;Network" in found


def test_the_list_goes_on(company: Company, at: datetime, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("status.views.linked.PAGE", 2)
    chosen = [write(company.gil, at).pk for _ in range(3)]
    linking.link(incident, chosen, how="hand", user=company.ada, at=at)
    browser, path = logged_in(company.ada), f"/desk/status/incidents/{incident.public_id}/conversations/"
    page = browser.get(path).content.decode()
    assert f"after={chosen[1]}" in page and f"conversations/{chosen[2]}/" not in page
    assert f"conversations/{chosen[2]}/" in browser.get(f"{path}?after={chosen[1]}").content.decode()
    assert f"conversations/{chosen[0]}/" not in browser.get(f"{path}?still").content.decode()


@pytest.mark.parametrize("sent", [{}, {"incident": "zzzzzzzzzzzz"}, {"c": "x", "incident": "y"}, {"c": "9" * 30}])
def test_nonsense_is_asked_for_again(company: Company, incident: Incident, sent: dict[str, Any]) -> None:
    assert logged_in(company.ada).post("/desk/status/linking/", sent).status_code == 422


def test_viewers_read_and_strangers_do_not(company: Company, at: datetime, incident: Incident) -> None:
    mine = write(company.gil, at)
    User.objects.filter(pk=company.linus.pk).update(role="viewer")
    viewer, path = logged_in(company.linus), f"/desk/status/incidents/{incident.public_id}/conversations/"
    assert viewer.get(path).status_code == 200
    sent = {"c": mine.pk, "incident": incident.public_id}
    assert viewer.post("/desk/status/linking/", sent).status_code == 403
    assert viewer.post(f"/desk/status/linking/{mine.pk}/end/").status_code == 403
    assert "Link to an incident" not in viewer.get(f"/desk/conversations/{mine.pk}/").content.decode()
    viewer.logout()
    assert viewer.get(path).status_code == 302


def test_the_api_names_the_incident_and_filters_by_it(company: Company, at: datetime, incident: Incident) -> None:
    mine, other = write(company.gil, at), write(company.gil, at)
    linking.link(incident, [mine.pk], how="hand", user=company.ada, at=at)
    browser = logged_in(company.ada)
    rows = browser.get("/api/v1/conversations/").json()["results"]
    assert {row["id"]: row["incident"] for row in rows} == {mine.pk: incident.public_id, other.pk: None}
    assert browser.get(f"/api/v1/conversations/{mine.pk}/").json()["incident"] == incident.public_id
    found = browser.get(f"/api/v1/conversations/?incident={incident.public_id}").json()["results"]
    assert [row["id"] for row in found] == [mine.pk]
    assert browser.get("/api/v1/conversations/?incident=%25s' OR 1=1").json()["results"] == []


def test_private_teams_conversations_stay_private(company: Company, at: datetime, incident: Incident) -> None:
    mine = write(company.gil, at)
    team = company.grace.teams.get(name="Backoffice")
    team.is_private = True
    team.save()
    team.members.set([company.grace])
    Conversation.objects.filter(pk=mine.pk).update(team=team)
    linking.link(incident, [mine.pk], how="hand", user=company.grace, at=at)
    path = f"/desk/status/incidents/{incident.public_id}/conversations/"
    assert f"conversations/{mine.pk}/" not in logged_in(company.linus).get(path).content.decode()
    assert logged_in(company.linus).post(f"/desk/status/linking/{mine.pk}/end/").status_code == 404
    assert f"conversations/{mine.pk}/" in logged_in(company.grace).get(path).content.decode()
