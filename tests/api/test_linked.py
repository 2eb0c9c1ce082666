"""An incident's conversations over the API, and the signals that nobody but their source may send."""

from datetime import datetime
from typing import Any

import pytest
from django.utils.timezone import now

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events import outbox
from status import incidents, linking
from status.incidents import Opening, Words
from status.models import Incident
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(company: Company, at: datetime) -> Incident:
    return incidents.open_incident(Opening("Network", Words("investigating", "We look.")), company.ada, at=at)


def test_linked_told_listed_and_let_go(ada: Caller, company: Company, at: datetime, incident: Incident) -> None:
    chosen = [write(company.gil, at).pk for _ in range(3)]
    path = f"/incidents/{incident.public_id}/conversations/"
    assert ada("post", path, {"conversations": chosen}).json() == {"linked": chosen}
    assert ada("post", path, {"conversations": chosen}).json() == {"linked": []}
    while outbox.drain(now()):
        pass
    first = ada("get", path, page_size=2).json()
    assert [one["id"] for one in first["results"]] == chosen[:2]
    assert {(one["how"], one["told"], one["delivery"], one["error"]) for one in first["results"]} == {
        ("hand", 1, "sent", "")
    }
    rest = ada("get", first["next"].partition("testserver")[2]).json()
    assert ([one["id"] for one in rest["results"]], rest["next"]) == (chosen[2:], None)
    assert ada("get", path, still_broken="true").json()["results"] == []

    assert ada("delete", f"{path}{chosen[0]}/").status_code == 204
    assert ada("delete", f"{path}{chosen[0]}/").status_code == 404
    assert ada("get", f"/conversations/{chosen[1]}/").json()["incident"] == incident.public_id
    assert ada("get", f"/conversations/{chosen[0]}/").json()["incident"] is None


def test_nonsense_is_refused(ada: Caller, incident: Incident) -> None:
    path = f"/incidents/{incident.public_id}/conversations/"
    nonsense: tuple[Any, ...] = ({}, {"conversations": []}, {"conversations": ["x"]}, {"conversations": [2**70]}, [1])
    for body in nonsense:
        assert ada("post", path, body).status_code == 400
    assert ada("get", "/incidents/zzzzzzzzzzzz/conversations/").status_code == 404
    assert ada("get", f"/maintenances/{incident.public_id}/conversations/").status_code == 404
    assert ada("get", path, after="x").status_code == 400


def test_who_may(ada: Caller, company: Company, at: datetime, incident: Incident) -> None:
    mine = write(company.gil, at)
    team = company.grace.teams.get(name="Backoffice")
    team.is_private = True
    team.save()
    team.members.set([company.grace])
    Conversation.objects.filter(pk=mine.pk).update(team=team)
    path = f"/incidents/{incident.public_id}/conversations/"
    linus = Caller(company.linus)
    assert linus("post", path, {"conversations": [mine.pk]}).json() == {"linked": []}
    linking.link(incident, [mine.pk], how="hand", user=company.grace, at=at)
    assert linus("get", path).json()["results"] == []
    assert linus("delete", f"{path}{mine.pk}/").status_code == 404
    User.objects.filter(pk=company.linus.pk).update(role="viewer")
    assert linus("get", path).status_code == 200
    assert linus("post", path, {"conversations": [mine.pk]}).status_code == 403
    assert Caller(None)("get", path).status_code in (401, 403)
