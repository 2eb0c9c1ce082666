"""Conversations over the API: what they look like, how they are found, opened and changed."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, CustomField, Message
from helpdesk.conversations.serializers import ClockSerializer, ConversationSerializer
from helpdesk.customers.models import Customer, Service, Team
from helpdesk.events.actors import Actor
from tests.api.conftest import Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "number", "channel", "subject", "status", "priority", "team", "assignee", "customer", "organization",
    "services", "tags", "opened_at", "updated_at", "resolved_at", "clocks", "incident", "url",
    "snoozed_until", "is_spam", "custom", "minutes_spent",
}  # fmt: skip
CLOCK_FIELDS = {"target", "goal_minutes", "started_at", "due_at", "paused_at", "met_at", "breached_at"}


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_it_looks_as_the_contract_says(grace: Caller, conversation: Conversation) -> None:
    shown = grace("get", "/conversations/").json()["results"][0]
    assert set(shown) == FIELDS == set(ConversationSerializer().fields)
    assert shown == grace("get", f"/conversations/{conversation.pk}/").json()
    assert shown["number"] == shown["id"] == conversation.pk
    assert shown["customer"] == {"id": conversation.customer_id, "name": "Carol Meyer", "email": "carol@acme.example"}
    assert shown["organization"]["name"] == "Acme Media" and shown["organization"]["plan"] == "Standard"
    assert shown["services"] == ["acme.example"] and shown["tags"] == ["acme.example", "c01"]
    assert shown["opened_at"] == "2026-01-12T08:00:00Z" and shown["resolved_at"] is None
    assert shown["incident"] is None and shown["url"].endswith(f"/desk/conversations/{conversation.pk}/")


def test_clocks_are_the_newest_of_each_target(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    conversations.reply(conversation.pk, company.grace, "Looking into it.", at=at + timedelta(minutes=10))
    inbound = conversations.Inbound(
        channel="email",
        customer=company.carol,
        at=at + timedelta(hours=1),
        text="And?",
        conversation_id=conversation.pk,
    )
    conversations.receive_message(inbound)
    clocks = {c["target"]: c for c in grace("get", f"/conversations/{conversation.pk}/").json()["clocks"]}
    assert set(clocks) == {"dispatch", "first_response", "next_response"}
    assert all(set(clock) == CLOCK_FIELDS == set(ClockSerializer().fields) for clock in clocks.values())
    assert clocks["dispatch"]["goal_minutes"] == 60 and clocks["dispatch"]["met_at"] == "2026-01-12T08:10:00Z"
    assert clocks["next_response"]["started_at"] == "2026-01-12T09:00:00Z"
    assert clocks["next_response"]["due_at"] == "2026-01-13T09:00:00Z"


def test_what_was_cancelled_is_no_promise_any_more(grace: Caller, conversation: Conversation) -> None:
    answer = grace("patch", f"/conversations/{conversation.pk}/", {"status": "resolved"}).json()
    assert answer["status"] == "resolved" and answer["resolved_at"] and answer["clocks"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "new"}, True),
        ({"status": "new,open"}, True),
        ({"status": ["new", "closed"]}, True),
        ({"status": "closed"}, False),
        ({"channel": "email"}, True),
        ({"channel": "form"}, False),
        ({"assignee": "none"}, True),
        ({"assignee": "me"}, False),
        ({"assignee": "grace@demo.example"}, False),
        ({"team": "none"}, True),
        ({"team": "support"}, False),
        ({"priority": "normal"}, True),
        ({"priority": "urgent"}, False),
        ({"customer": "carol@acme.example"}, True),
        ({"customer": "Carol@ACME.example"}, True),
        ({"customer": "gil@globex.example"}, False),
        ({"organization": "acme media"}, True),
        ({"organization": "Globex"}, False),
        ({"tag": "c01"}, True),
        ({"tag": "c02"}, False),
        ({"service": "acme.example"}, True),
        ({"service": "c02"}, False),
        ({"updated_since": "2026-01-12T08:00:00Z"}, True),
        ({"updated_since": "2026-01-12T09:00:00+01:00"}, True),
        ({"updated_since": "2026-01-12T08:00:01Z"}, False),
        ({"q": "slow"}, True),
        ({"q": "SHOP -fast"}, True),
        ({"q": '"shop on"'}, True),
        ({"q": '"on shop"'}, False),
        ({"q": "fast"}, False),
        ({"q": "!!! & | ( <->"}, False),
        ({"q": "slow", "status": "new", "tag": "c01"}, True),
    ],
)
def test_filters(grace: Caller, conversation: Conversation, query: dict[str, Any], found: bool) -> None:
    assert ids(grace("get", "/conversations/", **query)) == ([conversation.pk] if found else [])


def test_filters_take_ids(grace: Caller, company: Company, conversation: Conversation) -> None:
    team = Team.objects.get(name="Support")
    grace("patch", f"/conversations/{conversation.pk}/", {"team": team.pk, "assignee": company.grace.pk})
    service = Service.objects.get(name="acme.example")
    for query in (
        {"team": team.pk},
        {"assignee": company.grace.pk},
        {"assignee": "me"},
        {"customer": company.carol.pk},
        {"organization": company.carol.organization_id},
        {"service": service.pk},
        {"q": f"#{conversation.pk}"},
        {"q": f"[#{conversation.pk}]"},
        {"q": str(conversation.pk)},
    ):
        assert ids(grace("get", "/conversations/", **query)) == [conversation.pk], query
    assert ids(grace("get", "/conversations/", q=f"#{conversation.pk + 1}")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "nonsense"),
        ("priority", "very"),
        ("updated_since", "yesterday"),
        ("updated_since", "0001-01-01T00:00:00+14:00"),
        ("q", "\x00"),
        ("team", "a\x00b"),
        ("q", "x" * 1000),
    ],
)
def test_senseless_filters_are_refused_with_a_reason(grace: Caller, name: str, value: str) -> None:
    answer = grace("get", "/conversations/", **{name: value})
    assert answer.status_code == 400 and answer.json()[name]


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "é", "bz0tNQ=="])
def test_a_forged_cursor_is_refused(grace: Caller, cursor: str) -> None:
    assert grace("get", "/conversations/", cursor=cursor).status_code in (200, 404)


def test_pages_hold_every_row_once_in_few_queries(grace: Caller, company: Company, at: datetime) -> None:
    for number in range(60):
        conversations.receive_message(
            conversations.Inbound(
                channel="email",
                customer=company.carol,
                at=at,
                subject=f"Request {number}",
                text="c01",
                tags=("bulk", "load"),
            )
        )
    with CaptureQueriesContext(
        connection,
    ) as asked:
        first = grace("get", "/conversations/").json()
    assert len(asked) <= 8 and len(first["results"]) == 50 and first["previous"] is None
    second = grace.client.get(first["next"], headers=grace.headers).json()
    assert len(second["results"]) == 10 and second["next"] is None
    seen = [row["id"] for row in first["results"] + second["results"]]
    assert seen == sorted(set(seen), reverse=True) and len(seen) == 60
    back = grace.client.get(second["previous"], headers=grace.headers).json()
    assert [row["id"] for row in back["results"]] == seen[:50]
    assert len(grace("get", "/conversations/", page_size=7).json()["results"]) == 7
    assert len(grace("get", "/conversations/", page_size=10**30).json()["results"]) == 60
    with CaptureQueriesContext(connection) as asked:
        grace("get", "/conversations/", q="c01", tag="bulk", service="c01", status="new")
    assert len(asked) <= 8


def test_opening(grace: Caller, company: Company) -> None:
    support = Team.objects.get(name="Support")
    request = {
        "subject": "Certificate",
        "text": "Please renew it.",
        "customer": {"email": "New.Person@Globex.example", "name": "New Person"},
        "priority": "high",
        "team": "Support",
        "services": ["c02"],
        "tags": ["TLS"],
    }
    answer = grace("post", "/conversations/", request)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["channel"] == "api" and shown["status"] == "new" and shown["priority"] == "high"
    assert shown["team"] == support.pk and shown["assignee"] is None
    assert shown["customer"]["email"] == "new.person@globex.example" and shown["customer"]["name"] == "New Person"
    assert shown["organization"]["plan"] == "Enterprise"
    assert shown["services"] == ["c02"] and shown["tags"] == ["c02", "tls"]
    assert {clock["target"]: clock["goal_minutes"] for clock in shown["clocks"]}["first_response"] == 240
    message = Message.objects.get(conversation=shown["id"])
    assert (message.kind, message.text, message.via) == ("inbound", "Please renew it.", "api")


def test_opening_for_a_known_customer_takes_few_queries(grace: Caller, company: Company) -> None:
    request = {"subject": "Hello", "text": "A question.", "customer": {"email": "gil@globex.example"}}
    grace("post", "/conversations/", {**request, "client_id": str(uuid.uuid4())})
    with CaptureQueriesContext(connection) as asked:
        answer = grace("post", "/conversations/", {**request, "client_id": str(uuid.uuid4())})
    assert answer.status_code == 201
    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 12, "\n".join(statements)


def test_opening_twice_with_one_client_id_opens_once(grace: Caller, ada: Caller, company: Company) -> None:
    request = {"text": "Once.", "customer": company.carol.pk, "client_id": str(uuid.uuid4())}
    first, again = grace("post", "/conversations/", request), grace("post", "/conversations/", request)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert Conversation.objects.count() == Message.objects.count() == 1
    # Another agent's script has its own numbers.
    assert ada("post", "/conversations/", request).status_code == 201


def test_writing_to_a_customer_first(grace: Caller, company: Company) -> None:
    request = {"kind": "outbound", "subject": "Your plan", "text": "It ends soon.", "customer": company.carol.pk}
    request |= {"tags": ["renewal"], "services": ["c02"], "client_id": str(uuid.uuid4())}
    first, again = grace("post", "/conversations/", request), grace("post", "/conversations/", request)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    shown = first.json()
    assert (shown["channel"], shown["status"], shown["assignee"]) == ("email", "pending", company.grace.pk)
    assert shown["services"] == ["c02"] and "renewal" in shown["tags"] and shown["clocks"] == []
    message = Message.objects.get(conversation=shown["id"])
    assert (message.kind, message.text, message.delivery) == ("outbound", "It ends soon.", "pending")
    nobody = Customer.objects.create(name="By phone alone", created_at=message.at)
    refused = grace("post", "/conversations/", {**request, "customer": nobody.pk, "client_id": str(uuid.uuid4())})
    assert refused.status_code == 400 and "customer" in refused.json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "note"}, "kind"),
        ({"text": " \n"}, "text"),
        ({"text": None}, "text"),
        ({"text": 5 * ["x"]}, "text"),
        ({"customer": {"email": "no address"}}, "customer"),
        ({"customer": {}}, "customer"),
        ({"customer": 987654}, "customer"),
        ({"customer": True}, "customer"),
        ({"customer": [1]}, "customer"),
        ({"priority": "extreme"}, "priority"),
        ({"team": "No such team"}, "team"),
        ({"team": {"id": 1}}, "team"),
        ({"services": ["nowhere"]}, "services"),
        ({"services": "c01"}, "services"),
        ({"tags": ["x" * 100]}, "tags"),
        ({"tags": [f"t{n}" for n in range(60)]}, "tags"),
        ({"channel": "carrier pigeon"}, "channel"),
        ({"client_id": "not a uuid"}, "client_id"),
        ({"subject": "x" * 501}, "subject"),
    ],
)
def test_senseless_requests_open_nothing(grace: Caller, company: Company, change: dict[str, Any], field: str) -> None:
    answer = grace("post", "/conversations/", {"text": "Hi", "customer": {"email": "a@b.example"}, **change})
    assert answer.status_code == 400 and answer.json()[field]
    assert not Conversation.objects.exists()
    assert not Customer.objects.filter(email="a@b.example").exists()


def test_changing(grace: Caller, company: Company, conversation: Conversation) -> None:
    path = f"/conversations/{conversation.pk}/"
    shown = grace(
        "patch",
        path,
        {
            "priority": "urgent",
            "team": "Hosting",
            "assignee": "linus@demo.example",
            "tags": ["Slow", "shop"],
            "services": ["c01", "acme.example"],
            "subject": "The shop is slow",
            "status": "on_hold",
        },
    ).json()
    assert shown["status"] == "on_hold" and shown["priority"] == "urgent" and shown["subject"] == "The shop is slow"
    assert shown["assignee"] == company.linus.pk and shown["team"] == Team.objects.get(name="Hosting").pk
    assert shown["tags"] == ["shop", "slow"] and shown["services"] == ["acme.example", "c01"]
    clocks = {clock["target"]: clock for clock in shown["clocks"]}
    assert clocks["dispatch"]["met_at"] and clocks["first_response"]["paused_at"]
    assert clocks["first_response"]["goal_minutes"] == 30
    shown = grace("patch", path, {"assignee": None, "team": None}).json()
    assert shown["assignee"] is None and shown["team"] is None
    events = grace("get", f"{path}events/").json()["results"]
    assert {event["actor"]["name"] for event in events[1:]} == {"Grace Hopper"}


@pytest.mark.parametrize(
    "change", [{"status": "gone"}, {"assignee": "nobody@demo.example"}, {"priority": 3}, {"team": []}, {"tags": None}]
)
def test_senseless_changes_change_nothing(grace: Caller, conversation: Conversation, change: dict[str, Any]) -> None:
    before = grace("get", f"/conversations/{conversation.pk}/").json()
    answer = grace("patch", f"/conversations/{conversation.pk}/", {"subject": "new", **change})
    assert answer.status_code == 400 and list(answer.json()) == list(change)
    assert grace("get", f"/conversations/{conversation.pk}/").json() == before


def test_an_agent_who_left_gets_nothing(grace: Caller, company: Company, conversation: Conversation) -> None:
    company.linus.is_active = False
    company.linus.save()
    assert grace("patch", f"/conversations/{conversation.pk}/", {"assignee": company.linus.pk}).status_code == 400


def test_merging(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    other = conversations.receive_message(
        conversations.Inbound(
            channel="form", customer=company.gil, at=at, subject="Me too", text="Down.", tags=("down",)
        )
    ).conversation_id
    conversations.change(
        conversation.pk, conversations.Changes(assignee=company.grace), actor=Actor.agent(company.grace), at=at
    )
    shown = grace("post", f"/conversations/{other}/merge/", {"into": conversation.pk}).json()
    assert shown["id"] == conversation.pk and "down" in shown["tags"]
    gone = grace("get", f"/conversations/{other}/").json()
    assert gone["status"] == "closed" and gone["clocks"] == []
    note = grace("get", f"/conversations/{conversation.pk}/messages/").json()["results"][-1]
    assert note["kind"] == "note" and "Down." in note["text"]
    assert list(conversation.followers.all()) == [company.gil]
    links = grace("get", f"/conversations/{conversation.pk}/links/").json()
    assert [(link["relation"], link["id"]) for link in links] == [("merged", other)]
    # Later answers to it arrive where it went.
    late = conversations.Inbound(channel="form", customer=company.gil, at=at, text="Hello?", conversation_id=other)
    assert conversations.receive_message(late).conversation_id == conversation.pk
    assert grace("post", f"/conversations/{other}/merge/", {"into": conversation.pk}).status_code == 400
    assert grace("post", f"/conversations/{conversation.pk}/merge/", {"into": other}).status_code == 400
    assert grace("post", f"/conversations/{conversation.pk}/merge/", {"into": conversation.pk}).status_code == 400
    assert grace("post", f"/conversations/{conversation.pk}/merge/", {"into": 987654}).status_code == 400
    assert grace("post", "/conversations/987654/merge/", {"into": conversation.pk}).status_code == 404


def test_a_promise_survives_merging_with_its_deadline(
    grace: Caller, company: Company, conversation: Conversation, at: datetime
) -> None:
    later = at + timedelta(hours=2)
    conversations.reply(conversation.pk, company.grace, "Done?", at=at + timedelta(minutes=5))
    other = conversations.receive_message(
        conversations.Inbound(channel="form", customer=company.carol, at=later, subject="Still slow", text="Still.")
    ).conversation_id
    due = {c["target"]: c["due_at"] for c in grace("get", f"/conversations/{other}/").json()["clocks"]}
    shown = grace("post", f"/conversations/{other}/merge/", {"into": conversation.pk}).json()
    open_now = {c["target"]: c["due_at"] for c in shown["clocks"] if c["met_at"] is None}
    assert open_now == {"first_response": due["first_response"]}


def test_linking(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    inbound = conversations.Inbound(channel="form", customer=company.carol, at=at, text="Again.")
    other = conversations.receive_message(inbound).conversation_id
    links = grace("post", f"/conversations/{other}/links/", {"previous": conversation.pk}).json()
    assert [(link["relation"], link["id"]) for link in links] == [("previous", conversation.pk)]
    assert grace("get", f"/conversations/{conversation.pk}/links/").json()[0]["relation"] == "next"
    assert grace("post", f"/conversations/{conversation.pk}/links/", {"previous": other}).status_code == 400
    assert grace("post", f"/conversations/{other}/links/", {"previous": other}).status_code == 400
    assert grace("post", f"/conversations/{other}/links/", {"previous": 987654}).status_code == 400
    assert grace("post", f"/conversations/{other}/links/", {}).status_code == 400
    assert grace("post", f"/conversations/{other}/links/", {"previous": None}).json() == []


def test_it_sleeps_is_spam_and_carries_custom_values(grace: Caller, conversation: Conversation) -> None:
    for key in ("contract", "seats"):
        CustomField.objects.create(key=key, name=key)
    path = f"/conversations/{conversation.pk}/"
    until = timezone.now() + timedelta(days=1)

    asleep = grace("patch", path, {"snoozed_until": until.isoformat(), "custom": {"contract": "A-7", "seats": "4"}})
    assert asleep.status_code == 200 and asleep.json()["custom"] == {"contract": "A-7", "seats": "4"}
    assert asleep.json()["snoozed_until"] and asleep.json()["minutes_spent"] == 0
    assert grace("patch", path, {"custom": {"seats": None}}).json()["custom"] == {"contract": "A-7"}
    assert grace("patch", path, {"snoozed_until": "2020-01-01T00:00:00Z"}).status_code == 400
    spam = grace("patch", path, {"is_spam": True}).json()
    assert (spam["is_spam"], spam["status"], spam["snoozed_until"]) == (True, "closed", None)
    assert grace("patch", path, {"snoozed_until": until.isoformat()}).status_code == 400
    assert grace("patch", path, {"is_spam": False}).json()["status"] == "open"
