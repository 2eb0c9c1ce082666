"""Splitting and linking over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import linking
from helpdesk.conversations.models import Conversation, ConversationLink
from helpdesk.events.models import Event
from tests.api.conftest import Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def others(company: Company, at: datetime) -> list[int]:
    """Three more conversations."""
    inbounds = [
        conversations.Inbound(channel="form", customer=company.gil, at=at, subject=f"Other {n}", text="Other")
        for n in range(3)
    ]
    return [conversations.receive_message(inbound).conversation_id for inbound in inbounds]


def links(caller: Caller, pk: int) -> list[tuple[str, int]]:
    return [(link["relation"], link["id"]) for link in caller("get", f"/conversations/{pk}/links/").json()]


def test_splitting(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    more = conversations.receive_message(
        conversations.Inbound(
            channel="email",
            customer=company.carol,
            at=at + timedelta(hours=1),
            text="And the certificate?",
            conversation_id=conversation.pk,
        )
    )
    path = f"/conversations/{conversation.pk}/split/"
    answer = grace("post", path, {"messages": [more.pk], "subject": "Certificate"})
    assert answer.status_code == 201, answer.content
    new = answer.json()
    assert new["id"] != conversation.pk and new["subject"] == "Certificate" and new["status"] == "new"
    assert new["customer"]["id"] == conversation.customer_id and new["organization"]["name"] == "Acme Media"
    assert new["opened_at"] == "2026-01-12T09:00:00Z"
    assert {clock["target"]: clock["started_at"] for clock in new["clocks"]} == {
        "dispatch": "2026-01-12T09:00:00Z",
        "first_response": "2026-01-12T09:00:00Z",
    }
    said = grace("get", f"/conversations/{new['id']}/messages/").json()["results"]
    assert [message["id"] for message in said] == [more.pk]
    assert links(grace, conversation.pk) == [("split_into", new["id"])]
    assert links(grace, new["id"]) == [("split_from", conversation.pk)]
    told = [event["kind"] for event in grace("get", f"/conversations/{conversation.pk}/events/").json()["results"]]
    assert told == ["conversation.opened", "message.received", "conversation.split"]
    again = grace("post", path, {"messages": [more.pk]})
    assert again.status_code == 400 and "not in this conversation" in str(again.json()["messages"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": "all"},
        {"messages": [0]},
        {"messages": [-1]},
        {"messages": [2**63]},
        {"messages": [987654]},
        {"messages": [None]},
        {"messages": list(range(1, 300))},
        {"messages": ["{first}"]},
        {"messages": [1], "subject": "x" * 501},
    ],
)
def test_senseless_splits_are_refused(grace: Caller, conversation: Conversation, body: dict[str, Any]) -> None:
    first = conversation.messages.get().pk
    if body.get("messages") == ["{first}"]:
        body = {"messages": [first]}
    answer = grace("post", f"/conversations/{conversation.pk}/split/", body)
    assert answer.status_code == 400 and answer.json()
    assert Conversation.objects.count() == 1
    assert grace("post", "/conversations/987654/split/", {"messages": [first]}).status_code == 404


def test_relating(grace: Caller, company: Company, conversation: Conversation, others: list[int]) -> None:
    here, path = conversation.pk, f"/conversations/{conversation.pk}/links/"
    answer = grace("post", path, {"relation": "related", "id": others[0]})
    assert answer.status_code == 200, answer.content
    assert set(answer.json()[0]) == {"relation", "id", "number", "subject", "status", "url"}
    grace("post", path, {"relation": "child", "id": others[1]})
    grace("post", path, {"relation": "parent", "id": others[2]})
    assert links(grace, here) == [("related", others[0]), ("child", others[1]), ("parent", others[2])]
    assert links(grace, others[0]) == [("related", here)]
    assert links(grace, others[1]) == [("parent", here)] and links(grace, others[2]) == [("child", here)]
    mine = Event.objects.filter(conversation=here, kind="conversation.linked").order_by("seq")
    assert [event.data for event in mine] == [
        {"relation": "related", "id": others[0]},
        {"relation": "child", "id": others[1]},
        {"relation": "parent", "id": others[2]},
    ]
    theirs = Event.objects.get(conversation=others[1], kind="conversation.linked")
    assert theirs.data == {"relation": "parent", "id": here} and theirs.actor == company.grace
    assert theirs.public_seq is None, "a customer sees nothing of other conversations"
    # Again, and from the other side, nothing changes.
    grace("post", path, {"relation": "related", "id": others[0]})
    grace("post", f"/conversations/{others[0]}/links/", {"relation": "related", "id": here})
    grace("post", f"/conversations/{others[1]}/links/", {"relation": "parent", "id": here})
    assert ConversationLink.objects.count() == 3 and mine.count() == 3


def test_taking_a_link_back(grace: Caller, conversation: Conversation, others: list[int]) -> None:
    path = f"/conversations/{conversation.pk}/links/"
    grace("post", path, {"relation": "parent", "id": others[0]})
    grace("post", path, {"relation": "related", "id": others[0]})
    theirs = f"/conversations/{others[0]}/links/"
    assert grace("delete", theirs, relation="parent", id=conversation.pk).status_code == 404
    assert grace("delete", theirs, relation="child", id=conversation.pk).status_code == 204
    assert grace("delete", theirs, relation="child", id=conversation.pk).status_code == 404
    assert grace("delete", path, relation="related", id=others[0]).status_code == 204
    assert links(grace, conversation.pk) == []
    for pk, relation in ((conversation.pk, "parent"), (others[0], "child")):
        told = Event.objects.filter(conversation=pk, kind="conversation.unlinked").earliest("seq")
        assert told.data["relation"] == relation
    for query in ({}, {"relation": "split_from", "id": 1}, {"relation": "related", "id": "x"}, {"id": others[0]}):
        assert grace("delete", path, **query).status_code == 400
    assert grace("delete", path, relation="related", id=987654).status_code == 404
    assert grace("delete", "/conversations/987654/links/", relation="related", id=others[0]).status_code == 404


def test_one_parent_and_no_circle(grace: Caller, conversation: Conversation, others: list[int]) -> None:
    here = conversation.pk
    grace("post", f"/conversations/{here}/links/", {"relation": "child", "id": others[0]})
    grace("post", f"/conversations/{others[0]}/links/", {"relation": "child", "id": others[1]})
    for pk, relation, other, words in (
        (others[0], "parent", others[2], "has a parent already"),
        (others[2], "child", others[0], "has a parent already"),
        (others[0], "child", here, "above"),
        (others[1], "child", here, "above"),
        (here, "parent", others[1], "above"),
        (here, "parent", here, "itself"),
        (here, "related", here, "itself"),
        (here, "related", 987654, "no such conversation"),
    ):
        answer = grace("post", f"/conversations/{pk}/links/", {"relation": relation, "id": other})
        assert answer.status_code == 400 and words in str(answer.json()["id"]), answer.json()
    assert ConversationLink.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"relation": "related"},
        {"id": 1},
        {"relation": "duplicate_of", "id": 1},
        {"relation": "split_into", "id": 1},
        {"relation": "related", "id": None},
        {"previous": None, "relation": "related", "id": 1},
        {"relation": [], "id": 1},
    ],
)
def test_senseless_links_are_refused(grace: Caller, conversation: Conversation, body: dict[str, Any]) -> None:
    assert grace("post", f"/conversations/{conversation.pk}/links/", body).status_code == 400


def test_links_are_bounded(
    grace: Caller, conversation: Conversation, others: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "MAX_LINKS", 2)
    path = f"/conversations/{conversation.pk}/links/"
    answers = [grace("post", path, {"relation": "related", "id": other}) for other in others]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
