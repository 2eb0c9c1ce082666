"""Writing on the conversation page: drafts, canned replies, mentions, sending that waits, and what came in between."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, Team, User
from helpdesk.events.models import OutboxEntry
from helpdesk.events.outbox import drain
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk.models import CannedReply, Draft, Mention


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    return write(company.carol, at, text="How are you?")


@pytest.fixture
def ada(company: Company) -> Client:
    return logged_in(company.ada)


def _path(conversation: Conversation, part: str = "") -> str:
    return f"/desk/conversations/{conversation.pk}/{part}"


def _page(browser: Client, conversation: Conversation, query: str = "") -> str:
    return browser.get(f"{_path(conversation)}{query}").content.decode()


def _seen() -> int:
    return Message.objects.latest("pk").pk


def test_a_draft_is_kept_shown_again_and_known_to_others(
    ada: Client, conversation: Conversation, company: Company
) -> None:
    as_json = {"Accept": "application/json"}
    said = {"kind": "note", "text": "Half a <thought>"}

    first = ada.post(_path(conversation, "draft/"), said, headers=as_json)
    second = ada.post(_path(conversation, "draft/"), said | {"text": "Half a <thought> more"}, headers=as_json)

    assert (first.json(), second.json()) == ({"version": 1}, {"version": 2})
    assert "Half a &lt;thought&gt; more</textarea>" in _page(ada, conversation)
    theirs = _page(logged_in(company.grace), conversation)
    assert "Ada Lovelace has a draft" in theirs and "thought" not in theirs
    assert ada.post(_path(conversation, "draft/"), {"text": " "}, headers=as_json).json() == {"version": 0}
    assert not Draft.objects.exists()


@pytest.mark.parametrize(("sent", "stays"), [(2, False), (1, True)])
def test_sending_uses_up_the_draft_that_was_sent(
    sent: int, stays: bool, ada: Client, conversation: Conversation
) -> None:
    for text in ("One", "One and more"):
        ada.post(_path(conversation, "draft/"), {"text": text})

    ada.post(_path(conversation, "messages/"), {"kind": "reply", "text": "One", "draft": sent})

    assert Draft.objects.exists() is stays


def test_a_canned_reply_is_filled_in_and_counted(ada: Client, conversation: Conversation, company: Company) -> None:
    reply = CannedReply.objects.create(
        shortcut="hello", name="Greeting", text="Hello {{ customer.first_name|there }}!", updated_at=now()
    )
    CannedReply.objects.create(shortcut="hers", name="Hers", text="x", owner=company.grace, updated_at=now())
    team = Team.objects.create(name="Others")
    CannedReply.objects.create(shortcut="theirs", name="Theirs", text="x", team=team, updated_at=now())

    offered = ada.get("/desk/canned/?q=he").json()["results"]
    answer = ada.post(
        _path(conversation, "canned/"), {"reply": reply.pk}, headers={"Accept": "application/json"}
    ).json()

    assert offered == [{"id": reply.pk, "name": "Greeting", "hint": "/hello"}]
    assert answer == {"text": "Hello Carol!"}
    reply.refresh_from_db()
    assert reply.uses == 1
    ada.post(_path(conversation, "canned/"), {"reply": reply.pk, "text": "Good day."})
    assert Draft.objects.get().text == "Good day.\n\nHello Carol!"


@pytest.mark.parametrize("number", ["999999", "x", "", "9" * 30])
def test_no_such_canned_reply(number: str, ada: Client, conversation: Conversation) -> None:
    assert ada.post(_path(conversation, "canned/"), {"reply": number}).status_code == 404


def test_a_mention_is_seen_when_it_is_opened_not_when_it_is_fetched_ahead(
    ada: Client, conversation: Conversation, company: Company
) -> None:
    ada.post(_path(conversation, "messages/"), {"kind": "note", "text": "@Grace Hopper please"})
    grace = logged_in(company.grace)

    ahead = grace.get(_path(conversation), headers={"HX-Target": "main", "HX-Request": "true"}).content.decode()
    assert "data-mentioned=" in ahead and Mention.objects.get().seen_at is None
    assert grace.post(_path(conversation, "mentions/")).status_code == 204
    assert Mention.objects.get().seen_at is not None
    Mention.objects.update(seen_at=None)
    _page(grace, conversation)
    assert Mention.objects.get().seen_at is not None


def test_markdown_leaves_as_html_and_as_it_was_typed(ada: Client, conversation: Conversation) -> None:
    ada.post(_path(conversation, "messages/"), {"kind": "reply", "text": "It is **done** <b>now</b>."})

    message = Message.objects.get(kind="outbound")
    assert message.text == "It is **done** <b>now</b>."
    assert "<strong>done</strong> &lt;b&gt;now&lt;/b&gt;" in message.html
    assert "<strong>done</strong>" in _page(ada, conversation)
    assert "<strong>x</strong>" in ada.post("/desk/preview/", {"text": "**x**"}).content.decode()


def test_a_reply_waits_ten_seconds_and_can_be_taken_back(ada: Client, conversation: Conversation) -> None:
    answer = ada.post(_path(conversation, "messages/"), {"kind": "reply", "text": "Too early"})
    message = Message.objects.get(kind="outbound")
    due = OutboxEntry.objects.get(event__kind="message.written", handler__endswith=".deliver").due_at
    assert due - message.at == timedelta(seconds=10)
    assert "Reply sent" in ada.get(answer["Location"]).content.decode()

    ada.post(f"/desk/messages/{message.pk}/return/")

    assert not Message.objects.filter(kind="outbound").exists()
    page = _page(ada, conversation)
    assert "Too early</textarea>" in page and "Taken back." in page


def test_what_left_is_not_taken_back(ada: Client, conversation: Conversation, company: Company) -> None:
    ada.post(_path(conversation, "messages/"), {"kind": "reply", "text": "Gone"})
    message = Message.objects.get(kind="outbound")
    assert logged_in(company.grace).post(f"/desk/messages/{message.pk}/return/").status_code == 302
    assert Message.objects.filter(pk=message.pk).exists()
    drain(now() + timedelta(seconds=11))

    page = ada.post(f"/desk/messages/{message.pk}/return/", follow=True).content.decode()

    assert "It is too late" in page and Message.objects.get(pk=message.pk).delivery == "sent"


def test_without_a_wait_it_leaves_at_once(ada: Client, conversation: Conversation, settings: Any) -> None:
    settings.UNDO_SEND_SECONDS = 0

    answer = ada.post(_path(conversation, "messages/"), {"kind": "reply", "text": "Now"})

    assert "sent=" not in answer["Location"]
    drain(now())
    assert Message.objects.get(kind="outbound").delivery == "sent"


def test_who_wrote_meanwhile_is_shown_before_it_is_sent(
    ada: Client, conversation: Conversation, company: Company
) -> None:
    said = {"kind": "reply", "text": "My long answer", "seen": _seen(), "client_id": str(uuid4())}
    conversations.receive_message(
        conversations.Inbound(
            channel="email", customer=company.carol, at=now(), text="Never mind <b>!", conversation_id=conversation.pk
        )
    )

    held = ada.post(_path(conversation, "messages/"), said)

    page = held.content.decode()
    assert held.status_code == 409
    assert "Carol Meyer wrote again. Send anyway?" in page and "Never mind &lt;b&gt;!" in page
    assert "My long answer</textarea>" in page and f'name="seen" value="{_seen()}"' in page
    assert not Message.objects.filter(kind="outbound").exists()
    ada.post(_path(conversation, "messages/"), said | {"seen": _seen()})
    assert Message.objects.filter(kind="outbound").count() == 1


def test_of_two_who_answer_at_once_the_second_is_asked(
    ada: Client, conversation: Conversation, company: Company
) -> None:
    said = {"kind": "reply", "text": "Hello", "seen": _seen()}

    first = logged_in(company.grace).post(_path(conversation, "messages/"), said)
    second = ada.post(_path(conversation, "messages/"), said)

    assert (first.status_code, second.status_code) == (302, 409)
    assert "Grace Hopper wrote again" in second.content.decode()


def test_copies_are_edited_with_the_reply(ada: Client, conversation: Conversation, at: datetime) -> None:
    conversation.followers.add(Customer.objects.create(name="Old", email="old@acme.example", created_at=at))
    said = {"kind": "reply", "text": "Hi", "was_cc": "old@acme.example", "cc": "new@acme.example, New@acme.example"}

    ada.post(_path(conversation, "messages/"), said)

    assert list(conversation.followers.values_list("email", flat=True)) == ["new@acme.example"]
    odd = ada.post(_path(conversation, "messages/"), said | {"cc": "no address", "text": "Kept"})
    assert odd.status_code == 422 and "Kept</textarea>" in odd.content.decode()


def test_what_is_sent_after_the_login_ran_out_waits_behind_it(conversation: Conversation, company: Company) -> None:
    browser = Client()
    referer = {"Referer": f"http://testserver{_path(conversation)}"}

    answer = browser.post(
        _path(conversation, "messages/"), {"kind": "reply", "text": "An hour of <work>"}, headers=referer
    )
    assert answer["Location"] == f"/desk/login/?next={_path(conversation)}"
    page = browser.post(answer["Location"], {"username": "ada@demo.example", "password": "demo"}, follow=True)

    assert "An hour of &lt;work&gt;</textarea>" in page.content.decode()
    assert Draft.objects.get().user == company.ada
    assert "An hour" not in _page(logged_in(company.grace), conversation)


def test_a_referer_that_is_no_address_leads_to_the_inbox(conversation: Conversation) -> None:
    answer = Client().post(_path(conversation, "messages/"), {"text": "x"}, headers={"Referer": "http://["})
    assert answer["Location"] == "/desk/login/?next=/desk/"


def test_strangers_fill_no_disk(conversation: Conversation, company: Company) -> None:
    browser = Client()
    browser.post(_path(conversation, "messages/"), {"kind": "reply", "text": "x" * 100_001})
    assert "kept_words" not in browser.session
    for _ in range(31):
        Client().post(_path(conversation, "messages/"), {"kind": "reply", "text": "x"})
    browser.post(_path(conversation, "messages/"), {"kind": "reply", "text": "x"})
    assert "kept_words" not in browser.session


def test_a_viewer_writes_notes_only(conversation: Conversation, company: Company) -> None:
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    viewer = logged_in(company.linus)

    assert viewer.post(_path(conversation, "messages/"), {"kind": "reply", "text": "x"}).status_code == 403
    assert viewer.post(_path(conversation, "messages/"), {"kind": "note", "text": "Seen."}).status_code == 302
    page = _page(viewer, conversation)
    assert "Seen." in page and 'value="reply"' not in page and 'id="resolve"' not in page
    assert Message.objects.filter(kind="outbound").count() == 0
