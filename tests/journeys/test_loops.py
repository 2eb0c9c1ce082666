"""Machines that talk to each other: whatever the other side sends back, it ends by itself, and soon."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, text_of
from tests.fixtures.mailing import raw_mail
from tickets import receivers
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
OTHER = "help@other.example"
ROUNDS = 60

Answer = Callable[[EmailMessage, int], bytes]


def polite(ours: EmailMessage, number: int) -> bytes:
    """As RFC 3834 wants it."""
    return raw_mail(
        sender=OTHER,
        to=str(ours["Reply-To"]),
        subject=f"[Other #{number}] Request received",
        text=f"Got it {number}",
        in_reply_to=str(ours["Message-ID"]),
        auto_submitted="auto-replied",
        message_id=f"<p{number}@other.example>",
    )


def rude(ours: EmailMessage, number: int) -> bytes:
    """An answer to our signed address without any mark of a machine."""
    return raw_mail(
        sender=OTHER,
        to=str(ours["Reply-To"]),
        subject=f"[Other #{number}] Request received",
        text=f"Got it {number}",
        message_id=f"<r{number}@other.example>",
    )


def ruder(ours: EmailMessage, number: int) -> bytes:
    """A new mail to our public address each time: no mark, no thread, another subject."""
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
    subject = f"{words[number % 8]} {number * 7919}"
    return raw_mail(
        sender=OTHER,
        to="support@demo.example",
        subject=subject,
        text=f"Got it {number}",
        message_id=f"<x{number}@other.example>",
    )


def echoing(ours: EmailMessage, number: int) -> bytes:
    """Our own mail sent back as it came, all its headers in it."""
    del ours["X-Envelope-To"], ours["X-Envelope-From"]
    return ours.as_bytes()


ENOUGH = 6


@pytest.mark.parametrize(
    ("answer", "mails", "tickets"),
    [(polite, 1, 1), (rude, 1, 1), (ruder, ENOUGH, ENOUGH + 1), (echoing, 1, 1)],
)
@pytest.mark.parametrize("pause", [timedelta(seconds=1), timedelta(minutes=20)])
def test_two_desks_that_acknowledge_each_other_stop(
    engine: Engine, answer: Answer, mails: int, tickets: int, pause: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "PER_SENDER", ENOUGH)
    engine.receive(raw_mail(sender=OTHER, subject="Your offer"), at=NINE, sender=OTHER)
    answered = 0
    for number in range(ROUNDS):
        ours = engine.mails(OTHER)[answered:]
        if not ours:
            break
        answered += 1
        to = str(ours[0]["Reply-To"]) if answer in (polite, rude) else "support@demo.example"
        engine.receive(answer(ours[0], number), at=NINE + pause * (number + 1), sender=OTHER, to=to)
    assert len(engine.mails(OTHER)) == mails
    # Very many in a few minutes are grouped into one ticket besides.
    assert Conversation.objects.count() in (tickets, tickets - 1)
    assert InboundEmail.objects.count() == answered + 1, "all of it is kept"


def test_a_mailbox_that_mails_itself(engine: Engine, company: Company) -> None:
    raw = raw_mail(sender="support@demo.example", subject="Test", text="Do you hear me?")
    mail = engine.receive(raw, at=NINE, sender="support@demo.example")
    assert mail.conversation_id is not None, "somebody wrote it, and it is kept"
    assert not engine.mails("support@demo.example"), "and nobody acknowledges it"
    conversations.reply(mail.conversation_id, company.grace, "Loud and clear.", at=NINE)
    engine.until(NINE)
    (ours,) = engine.mails("support@demo.example")
    assert "Loud and clear." in text_of(ours)
    back = engine.receive(echoing(ours, 0), at=NINE, sender=str(ours["Return-Path"] or ""))
    assert (back.state, back.conversation_id) == ("automatic", None)
    assert len(engine.mails("support@demo.example")) == 1 and Conversation.objects.count() == 1


def test_an_agent_whose_mailbox_answers_by_itself_does_not_write_to_the_customer(
    engine: Engine, company: Company
) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    conversations.reply(mail.conversation_id or 0, company.grace, "On it.", at=NINE)
    engine.receive(raw_mail(subject=f"Re: [#{mail.conversation_id}] x", text="And?"), at=NINE + timedelta(hours=1))
    notice = engine.mails("grace@demo.example")[-1]
    assert (notice["Auto-Submitted"], notice["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    away = raw_mail(
        sender="grace@demo.example",
        to=str(notice["Reply-To"]),
        subject="Automatic reply: x",
        text="On holiday.",
        in_reply_to=str(notice["Message-ID"]),
    )
    before = len(engine.mails("carol@acme.example"))
    engine.receive(away, at=NINE + timedelta(hours=2), sender="", to=str(notice["Reply-To"]))
    assert len(engine.mails("carol@acme.example")) == before
    assert len(engine.mails("grace@demo.example")) == 1
