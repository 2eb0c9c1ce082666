"""Macros on a conversation's page: what one would do is shown, it is done, and all of it is taken back."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk.models import Macro

ASK: list[dict[str, Any]] = [
    {"do": "reply", "value": "Hello {{ customer.first_name }}, the log please."},
    {"do": "set_status", "value": "pending"},
    {"do": "add_tags", "value": ["log wanted"]},
]


@pytest.fixture
def conversation(company: Company) -> Conversation:
    return write(company.carol, now())


@pytest.fixture
def grace(company: Company) -> Client:
    return logged_in(company.grace)


def _path(conversation: Conversation) -> str:
    return f"/desk/conversations/{conversation.pk}/macros/"


def _macro(actions: list[dict[str, Any]], **fields: Any) -> Macro:
    return Macro.objects.create(**{"name": "Ask", "actions": actions, "updated_at": now()} | fields)


def _last(conversation: Conversation) -> int:
    last = Message.objects.filter(conversation=conversation).latest("pk")
    return last.pk


def test_what_each_would_do_is_shown(
    company: Company, conversation: Conversation, grace: Client, django_assert_max_num_queries: Any
) -> None:
    team = Team.objects.order_by("pk")[0]
    _macro([*ASK, {"do": "assign", "value": "me"}, {"do": "set_team", "value": team.pk}], name="First")
    _macro([{"do": "assign", "value": 999_999}, {"do": "snooze", "value": 2}], name="Second")
    _macro([{"do": "close", "value": None}], name="Not mine", owner=company.linus)

    with django_assert_max_num_queries(2 + 7):
        page = grace.get(_path(conversation)).content.decode()

    for words in ("First", "Hello Carol, the log please.", "Assignee: Grace Hopper", f"Team: {team.name}"):
        assert words in page
    assert "Assignee: (gone)" in page and "Puts it off for 2 hours" in page and "Not mine" not in page
    assert not Message.objects.filter(kind="outbound", is_automatic=False).exists()


def test_without_one_the_page_says_what_they_are_for(conversation: Conversation, grace: Client) -> None:
    assert "No macro yet" in grace.get(_path(conversation)).content.decode()


def test_a_reply_waits_and_all_of_it_is_taken_back(conversation: Conversation, grace: Client) -> None:
    macro, tags = _macro(ASK), set(conversation.tags.all())

    answer = grace.post(_path(conversation), {"macro": macro.pk, "seen": _last(conversation)})
    sent = int(parse_qs(urlsplit(answer["Location"]).query)["sent"][0])
    conversation = Conversation.objects.get(pk=conversation.pk)
    assert conversation.status == "pending" and conversation.assignee and Message.objects.filter(pk=sent).exists()
    assert "log wanted" in conversation.tags.values_list("name", flat=True)
    assert "Reply sent" in grace.get(answer["Location"]).content.decode()

    grace.post(f"/desk/messages/{sent}/return/")
    conversation = Conversation.objects.get(pk=conversation.pk)
    assert conversation.status == "new" and conversation.assignee is None and set(conversation.tags.all()) == tags
    assert not Message.objects.filter(pk=sent).exists()


def test_what_writes_nothing_is_taken_back_as_any_change(conversation: Conversation, grace: Client) -> None:
    macro = _macro([{"do": "set_priority", "value": "urgent"}])

    answer = grace.post(_path(conversation), {"macro": macro.pk, "seen": 0})

    assert (
        "undo=" in answer["Location"] and "priority Normal → Urgent" in grace.get(answer["Location"]).content.decode()
    )


def test_nobody_is_written_past_and_a_form_sent_twice_writes_once(
    company: Company, conversation: Conversation, grace: Client
) -> None:
    macro, seen = _macro(ASK), _last(conversation)
    conversations.reply(conversation.pk, company.linus, "I am on it.", at=now())

    refused = grace.post(_path(conversation), {"macro": macro.pk, "seen": seen})
    assert refused.status_code == 409 and "Somebody has written meanwhile" in refused.content.decode()

    again = {"macro": macro.pk, "seen": _last(conversation)}
    assert grace.post(_path(conversation), again).status_code == 302
    assert grace.post(_path(conversation), again).status_code == 409
    assert Message.objects.filter(conversation=conversation, agent=company.grace).count() == 1


def test_what_cannot_be_done_is_said_and_does_nothing(conversation: Conversation, grace: Client) -> None:
    macro = _macro([{"do": "set_team", "value": 999_999}, {"do": "set_status", "value": "open"}])

    page = grace.post(_path(conversation), {"macro": macro.pk, "seen": 0}, follow=True).content.decode()

    assert "did nothing" in page and Conversation.objects.get(pk=conversation.pk).status == "new"


def test_whose_it_is_not_applies_nothing(company: Company, conversation: Conversation, grace: Client) -> None:
    theirs = _macro(ASK, owner=company.linus)
    assert grace.post(_path(conversation), {"macro": theirs.pk, "seen": 0}).status_code == 404
    assert grace.post(_path(conversation), {"macro": "x", "seen": "y"}).status_code == 404

    secret = Team.objects.create(name="Management", is_private=True)
    Conversation.objects.filter(pk=conversation.pk).update(team=secret)
    assert grace.get(_path(conversation)).status_code == 404
    own = _macro(ASK, owner=company.grace)
    assert grace.post(_path(conversation), {"macro": own.pk, "seen": 0}).status_code == 404


def test_formatted_words_go_out_formatted(conversation: Conversation, grace: Client, at: datetime) -> None:
    macro = _macro([{"do": "reply", "value": "**Now** it works."}])
    grace.post(_path(conversation), {"macro": macro.pk, "seen": _last(conversation)})
    assert "<strong>Now</strong>" in Message.objects.get(agent__isnull=False).html
