"""A conversation by mail from the customer's side: it goes on, others read along, mail bounces, machines are quiet."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.models import Event
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, text_of
from tests.fixtures.mailing import raw_mail
from tests.fixtures.providers import PagerDutyServer
from tickets.mail import tokens
from tickets.models import SuspendedAddress

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
HOUR = timedelta(hours=1)


def test_a_customers_follow_ups_and_a_colleague_in_copy(engine: Engine, company: Company) -> None:
    first = engine.receive(raw_mail(cc="Bob <bob@acme.example>", message_id="<1@acme.example>"), at=NINE)
    number = first.conversation_id or 0
    more = raw_mail(text="It is the cart, too.", message_id="<2@acme.example>", in_reply_to="<1@acme.example>")
    assert engine.receive(more, at=NINE + timedelta(minutes=5)).conversation_id == number
    assert len(engine.mails("carol@acme.example")) == 1, "one acknowledgement a thread"
    assert not engine.mails("bob@acme.example"), "automatic mail goes to the requester only"

    conversations.reply(number, company.grace, "Found it, one moment.", at=NINE + HOUR)
    engine.until(NINE + HOUR)
    to_carol, to_bob = engine.mails("carol@acme.example")[-1], engine.mails("bob@acme.example")[-1]
    assert to_carol["Message-ID"] == to_bob["Message-ID"] and to_carol["In-Reply-To"] == "<2@acme.example>"

    # Bob answers all; Grace, who has it, is told and answers from her own mailbox.
    answer = raw_mail(
        sender="Bob <bob@acme.example>",
        to=str(to_bob["Reply-To"]),
        text="Works again!",
        cc="carol@acme.example",
        in_reply_to=str(to_bob["Message-ID"]),
        message_id="<3@acme.example>",
    )
    at = NINE + 2 * HOUR
    assert (
        engine.receive(answer, at=at, sender="bob@acme.example", to=str(to_bob["Reply-To"])).conversation_id == number
    )
    notice = engine.mails("grace@demo.example")[-1]
    assert "Works again!" in text_of(notice)
    from_grace = raw_mail(
        sender="grace@demo.example", to=str(notice["Reply-To"]), text="Glad to hear!", message_id="<4@demo.example>"
    )
    engine.receive(from_grace, at=at + HOUR, sender="grace@demo.example", to=str(notice["Reply-To"]))
    last = engine.mails("carol@acme.example")[-1]
    assert "Glad to hear!" in text_of(last) and last["In-Reply-To"] == "<3@acme.example>"
    assert last["References"].split()[0] == "<1@acme.example>"
    assert Conversation.objects.count() == 1


def test_a_question_after_the_answer_is_promised_an_answer_again(engine: Engine, company: Company) -> None:
    mail = engine.receive(raw_mail(message_id="<1@acme.example>"), at=NINE)
    conversations.reply(mail.conversation_id or 0, company.grace, "Done.", at=NINE + HOUR, status="resolved")
    engine.until(NINE + 2 * HOUR)
    again = raw_mail(text="Not quite.", in_reply_to="<1@acme.example>", message_id="<2@acme.example>")
    engine.receive(again, at=NINE + 3 * HOUR)
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert (conversation.status, conversation.assignee) == ("open", company.grace)
    clock = Clock.objects.get(conversation=conversation, target="next_response")
    assert clock.due_at == NINE + timedelta(days=1, hours=3)
    assert "Not quite." in text_of(engine.mails("grace@demo.example")[-1])


def test_an_out_of_office_note_changes_nothing(engine: Engine, company: Company, pagerduty: PagerDutyServer) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    conversations.reply(mail.conversation_id or 0, company.grace, "Done.", at=NINE + HOUR, status="resolved")
    engine.until(NINE + HOUR)
    ours = engine.mails("carol@acme.example")[-1]
    note = raw_mail(
        subject=f"Automatic reply: {ours['Subject']}",
        text="Back on Monday.",
        auto_submitted="auto-replied",
        in_reply_to=str(ours["Message-ID"]),
        message_id="<ooo@acme.example>",
    )
    night = NINE + 14 * HOUR
    sent_before, events = len(engine.mails("@")), Event.objects.count()
    engine.receive(note, at=night, sender="")
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert (
        conversation.status == "resolved" and conversation.messages.filter(is_automatic=True, kind="inbound").exists()
    )
    assert len(engine.mails("@")) == sent_before and not Page.objects.exists() and not pagerduty.received
    assert Event.objects.count() == events + 1, "it is kept, and nothing follows"


def test_mail_that_bounces_is_seen_and_the_address_is_left_alone(engine: Engine, company: Company) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    number = mail.conversation_id or 0
    reply = conversations.reply(number, company.grace, "Could you try again?", at=NINE + HOUR)
    engine.until(NINE + HOUR)
    ours = engine.mails("carol@acme.example")[-1]
    bounced_to = str(ours["X-Envelope-From"])
    assert bounced_to == f"bounce+{tokens.make('message', reply.pk)}@demo.example"
    engine.receive(dsn(str(ours["Message-ID"]), bounced_to), at=NINE + 2 * HOUR, sender="", to=bounced_to)

    reply.refresh_from_db()
    assert reply.delivery == "failed" and "550 no such user" in reply.error
    assert SuspendedAddress.objects.get(address="carol@acme.example").until == NINE + 2 * HOUR + timedelta(days=7)
    again = conversations.reply(number, company.grace, "Are you there?", at=NINE + 3 * HOUR)
    engine.until(NINE + 3 * HOUR)
    again.refresh_from_db()
    assert again.delivery == "failed" and "suspended" in again.error
    assert Conversation.objects.count() == 1 and Message.objects.filter(kind="inbound").count() == 1

    desk = Client()
    desk.force_login(company.ada)
    shown = desk.get(reverse("tickets:conversation", args=[number])).content.decode()
    assert "Not delivered" in shown and "no such user" in shown


def dsn(message_id: str, to: str) -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <bounce@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; carol@acme.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    ).encode()
