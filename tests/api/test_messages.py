"""Messages, events, clock explanations and files over the API."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.actors import Actor
from helpdesk.sla.models import Clock
from tests.api.conftest import Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "kind", "author", "text", "html", "full_text", "at", "via", "external_id", "attachments", "delivery",
}  # fmt: skip


def said(caller: Caller, conversation: Conversation) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = caller("get", f"/conversations/{conversation.pk}/messages/").json()["results"]
    return results


def test_messages_look_as_the_contract_says(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    path = f"/conversations/{conversation.pk}/messages/"
    answer = grace("post", path, {"kind": "outbound", "text": "We are looking."})
    note = grace("post", path, {"kind": "note", "text": "c01 is full."})
    assert answer.status_code == note.status_code == 201
    inbound, outbound, inside = said(grace, conversation)
    assert set(inbound) == set(outbound) == FIELDS
    assert inbound["kind"] == "inbound" and inbound["delivery"] is None
    assert inbound["author"] == {"kind": "customer", "id": company.carol.pk, "name": "Carol Meyer"}
    assert inbound["text"] == inbound["full_text"] == "Our shop on acme.example is slow." and inbound["via"] == "email"
    assert outbound == answer.json() and inside == note.json()
    assert outbound["author"] == {"kind": "agent", "id": company.grace.pk, "name": "Grace Hopper"}
    assert outbound["delivery"] == {"state": "pending", "attempts": 0, "error": ""}
    assert inside["kind"] == "note" and inside["delivery"] is None
    changed = grace("get", f"/conversations/{conversation.pk}/").json()
    assert changed["status"] == "pending" and changed["assignee"] == company.grace.pk


def test_what_is_being_sent_is_pending_to_the_outside(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    message = conversations.reply(conversation.pk, company.grace, "Hello", at=at)
    for inside, outside in (("sending", "pending"), ("sent", "sent"), ("failed", "failed"), ("delivered", "delivered")):
        Message.objects.filter(pk=message.pk).update(delivery=inside)
        assert said(grace, conversation)[1]["delivery"]["state"] == outside


@pytest.mark.parametrize("kind", ["outbound", "note"])
def test_the_same_client_id_returns_the_first_message(grace: Caller, conversation: Conversation, kind: str) -> None:
    path, body = (
        f"/conversations/{conversation.pk}/messages/",
        {"kind": kind, "text": "Hi", "client_id": str(uuid.uuid4())},
    )
    first, again = grace("post", path, body), grace("post", path, {**body, "text": "Other"})
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert len(said(grace, conversation)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "outbound"},
        {"kind": "inbound", "text": "x"},
        {"kind": "note", "text": " \t\n"},
        {"kind": "note", "text": 7 * ["x"]},
        {"kind": "note", "text": "x", "client_id": 1.5},
        {"kind": "note", "text": "x" * 500_001},
        [],
        None,
        "text",
    ],
)
def test_senseless_messages_are_refused(grace: Caller, conversation: Conversation, body: Any) -> None:
    answer = grace("post", f"/conversations/{conversation.pk}/messages/", body)
    assert answer.status_code == 400 and answer.json()
    assert len(said(grace, conversation)) == 1


def test_a_thread_takes_few_queries_and_has_pages(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    file = conversations.File("log.txt", "text/plain", b"x" * 5)
    for number in range(55):
        conversations.note(conversation.pk, company.grace, f"note {number}", at=at, files=[file])
    with CaptureQueriesContext(connection) as asked:
        page = grace("get", f"/conversations/{conversation.pk}/messages/").json()
    assert len(asked) <= 8 and len(page["results"]) == 50
    rest = grace.client.get(page["next"], headers=grace.headers).json()
    texts = [message["text"] for message in page["results"] + rest["results"]]
    assert texts[1:] == [f"note {number}" for number in range(55)]


def test_files(grace: Caller, stranger: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    page = b"<script>alert(1)</script>"
    file = conversations.File("évil\r\n.html", "text/html", page)
    conversations.note(conversation.pk, company.grace, "see", at=at, files=[file])
    (shown,) = said(grace, conversation)[1]["attachments"]
    assert set(shown) == {"id", "name", "content_type", "size", "sha256", "url"} and shown["size"] == len(page)
    path = f"/attachments/{shown['id']}/content/"
    assert shown["url"].endswith(f"/api/v1{path}")
    content = grace("get", path)
    assert b"".join(content.streaming_content) == page
    assert content["Content-Type"] == "application/octet-stream" and content["X-Content-Type-Options"] == "nosniff"
    assert content["Content-Disposition"].startswith("attachment;")
    assert stranger("get", path).status_code == 401
    assert grace("get", "/attachments/987654/content/").status_code == 404


def test_events_are_read_by_their_number(grace: Caller, company: Company, conversation: Conversation) -> None:
    for number in range(6):
        grace("patch", f"/conversations/{conversation.pk}/", {"subject": f"Subject {number}"})
    path = f"/conversations/{conversation.pk}/events/"
    everything = grace("get", path).json()
    assert everything["next"] is None and everything["previous"] is None
    assert [event["seq"] for event in everything["results"]] == list(range(1, 8))
    first, renamed = everything["results"][0], everything["results"][-1]
    assert set(first) == {"seq", "public_seq", "kind", "at", "actor", "data"}
    assert first["kind"] == "conversation.opened" and first["public_seq"] == 1
    assert first["actor"] == {"kind": "customer", "id": None, "name": ""}
    assert renamed["public_seq"] is None and renamed["data"] == {"was": "Subject 4", "subject": "Subject 5"}
    assert renamed["actor"] == {"kind": "agent", "id": company.grace.pk, "name": "Grace Hopper"}
    seen: list[int] = []
    page = grace("get", path, after=2, page_size=2).json()
    while True:
        seen += [event["seq"] for event in page["results"]]
        if page["next"] is None:
            break
        page = grace.client.get(page["next"], headers=grace.headers).json()
    assert seen == [3, 4, 5, 6, 7]
    assert grace("get", path, after=99).json()["results"] == []
    for senseless in ("x", "-1", "1.5", str(10**40), "\x00"):
        assert grace("get", path, after=senseless).status_code == 400
    assert grace("get", "/conversations/987654/events/").status_code == 404


def test_a_clock_explains_itself(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    conversations.reply(conversation.pk, company.grace, "Hello", at=at + timedelta(minutes=90))
    path = f"/conversations/{conversation.pk}/clocks/first_response/explanation/"
    told = grace("get", path).json()
    assert told["target"] == "first_response" and told["timezone"] == "Europe/Berlin"
    assert told["goal_minutes"] == 720 and told["due_at"] == "2026-01-13T08:00:00Z" == told["clock"]["due_at"]
    assert told["worked_minutes"] == 90 and told["until"] == "2026-01-12T09:30:00Z"
    assert told["spans"] == [
        {
            "from": "2026-01-12T08:00:00Z",
            "to": "2026-01-12T09:30:00Z",
            "worked_minutes": 90,
            "running_total_minutes": 90,
        }
    ]
    assert "Goal: 12 h of opening hours." in told["text"]
    for target in ("resolution", "nonsense"):
        assert grace("get", f"/conversations/{conversation.pk}/clocks/{target}/explanation/").status_code == 404


def test_a_paused_clock_tells_of_its_pause(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    for minutes, status in ((10, "pending"), (30, "open"), (50, "pending")):
        changes = conversations.Changes(status=status)
        conversations.change(
            conversation.pk, changes, actor=Actor.agent(company.grace), at=at + timedelta(minutes=minutes)
        )
    told = grace("get", f"/conversations/{conversation.pk}/clocks/first_response/explanation/").json()
    assert told["pauses"][0] == {"from": "2026-01-12T08:10:00Z", "to": "2026-01-12T08:30:00Z"}
    assert told["pauses"][1]["from"] == "2026-01-12T08:50:00Z" == told["clock"]["paused_at"]
    assert told["worked_minutes"] == 30 and told["clock"]["due_at"] is None
    clock = Clock.objects.get(conversation=conversation, target="first_response")
    assert clock.used_seconds == 30 * 60
