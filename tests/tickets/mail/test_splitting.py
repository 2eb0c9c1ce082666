"""After a split: answers follow the message they answer, by whatever way they find us."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import merging
from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, text_of
from tests.fixtures.mailing import raw_mail
from tickets.models import InboundEmail, MailHeader, MailThread

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
HOUR = timedelta(hours=1)
HOSTING = "hosting@demo.example"


@pytest.fixture
def mails(engine: Engine, company: Company) -> list[InboundEmail]:
    """Carol asks hosting@, Grace answers, Carol asks for another thing in the same thread, Grace answers that too."""
    first = engine.receive(raw_mail(to=HOSTING, message_id="<1@acme.example>"), at=NINE, to=HOSTING)
    pk = first.conversation_id or 0
    conversations.reply(pk, company.grace, "We look at the shop.", at=NINE + HOUR)
    engine.until(NINE + HOUR)
    more = raw_mail(text="And move my backup.", message_id="<2@acme.example>", in_reply_to="<1@acme.example>")
    second = engine.receive(more, at=NINE + 2 * HOUR)
    conversations.reply(pk, company.grace, "Where to?", at=NINE + 3 * HOUR)
    engine.until(NINE + 3 * HOUR)
    return [first, second]


def split(mails: list[InboundEmail], company: Company) -> tuple[Conversation, Conversation]:
    pk = mails[0].conversation_id or 0
    asked = Message.objects.get(text="Where to?")
    new = conversations.split(pk, [mails[1].message_id or 0, asked.pk], company.grace, at=NINE + 4 * HOUR)
    return Conversation.objects.get(pk=pk), new


def answer(to: str, number: int, **headers: str) -> bytes:
    return raw_mail(to=to, text=f"Answer {number}.", message_id=f"<a{number}@acme.example>", **headers)


def test_what_mail_knows_goes_along(engine: Engine, company: Company, mails: list[InboundEmail]) -> None:
    source, new = split(mails, company)
    moved = list(new.messages.order_by("pk").values_list("pk", flat=True))
    assert list(MailHeader.objects.filter(conversation=new).order_by("pk").values_list("message", flat=True)) == moved
    assert InboundEmail.objects.get(pk=mails[1].pk).conversation == new
    assert InboundEmail.objects.get(pk=mails[0].pk).conversation == source
    thread = MailThread.objects.get(conversation=new)
    assert thread.mailbox.address == HOSTING and not thread.may_acknowledge
    conversations.reply(new.pk, company.grace, "Moved.", at=NINE + 5 * HOUR)
    engine.until(NINE + 5 * HOUR)
    sent = engine.mails("carol@acme.example")[-1]
    assert "Moved." in text_of(sent) and f"[#{new.pk}]" in sent["Subject"] and HOSTING in sent["From"]
    assert sent["In-Reply-To"] == "<2@acme.example>" and "<1@acme.example>" not in sent["References"]


def test_answers_go_where_the_answered_message_went(
    engine: Engine, company: Company, mails: list[InboundEmail]
) -> None:
    to_stay, to_go = [m for m in engine.mails("carol@acme.example") if m["From"].startswith('"Grace')]
    source, new = split(mails, company)
    at = NINE + 5 * HOUR
    for number, (to, headers, expected) in enumerate(
        [
            # With our signed address, as nearly every mail program answers.
            (str(to_go["Reply-To"]), {"in_reply_to": str(to_go["Message-ID"])}, new),
            (str(to_go["Reply-To"]), {"references": f"<1@acme.example> {to_go['Message-ID']}"}, new),
            (str(to_stay["Reply-To"]), {"in_reply_to": str(to_stay["Message-ID"])}, source),
            # Her own mail again, and nothing but the address.
            (str(to_go["Reply-To"]), {"in_reply_to": "<2@acme.example>"}, new),
            (str(to_go["Reply-To"]), {}, source),
            # Without the address: by our signed Message-ID, by hers, by the same parent.
            (HOSTING, {"in_reply_to": str(to_go["Message-ID"])}, new),
            (HOSTING, {"in_reply_to": str(to_stay["Message-ID"])}, source),
            (HOSTING, {"in_reply_to": "<2@acme.example>"}, new),
            (HOSTING, {"in_reply_to": "<1@acme.example>"}, source),
        ]
    ):
        mail = engine.receive(answer(to, number, **headers), at=at + number * timedelta(minutes=1), to=to)
        assert mail.conversation_id == expected.pk, (number, headers)


def test_an_agents_answer_to_a_notice_follows_too(engine: Engine, company: Company, mails: list[InboundEmail]) -> None:
    notice = next(m for m in engine.mails("grace@demo.example") if "move my backup" in text_of(m))
    _, new = split(mails, company)
    reply = raw_mail(
        sender="grace@demo.example",
        to=str(notice["Reply-To"]),
        text="It is on its way.",
        message_id="<g@demo.example>",
        in_reply_to=str(notice["Message-ID"]),
    )
    at = NINE + 5 * HOUR
    mail = engine.receive(reply, at=at, sender="grace@demo.example", to=str(notice["Reply-To"]))
    assert mail.conversation_id == new.pk
    assert f"[#{new.pk}]" in engine.mails("carol@acme.example")[-1]["Subject"]


def test_a_part_of_a_part_and_a_part_that_was_merged(
    engine: Engine, company: Company, mails: list[InboundEmail]
) -> None:
    to_go = engine.mails("carol@acme.example")[-1]
    asked = Message.objects.get(text="Where to?")
    _, new = split(mails, company)
    part = conversations.split(new.pk, [asked.pk], company.grace, at=NINE + 4 * HOUR)
    headers = {"in_reply_to": str(to_go["Message-ID"])}
    to = str(to_go["Reply-To"])
    assert engine.receive(answer(to, 1, **headers), at=NINE + 5 * HOUR, to=to).conversation_id == part.pk
    merging.merge(part.pk, new.pk, company.grace, at=NINE + 6 * HOUR)
    assert engine.receive(answer(to, 2, **headers), at=NINE + 7 * HOUR, to=to).conversation_id == new.pk


def test_a_forged_id_leads_nowhere_else(engine: Engine, company: Company, mails: list[InboundEmail]) -> None:
    """A mail id of another customer's thread does not lead a token's holder out of the conversation it is for."""
    foreign = engine.receive(raw_mail(sender="gil@globex.example", message_id="<9@globex.example>"), at=NINE + 4 * HOUR)
    to_go = engine.mails("carol@acme.example")[-1]
    source, _ = split(mails, company)
    to = str(to_go["Reply-To"])
    for number, mail_id in enumerate(["<9@globex.example>", "<agent-1-event-999999@demo.example>", "<t1.m1.aaaa@x>"]):
        mail = engine.receive(answer(to, number, in_reply_to=mail_id), at=NINE + 6 * HOUR, to=to)
        assert mail.conversation_id == source.pk != foreign.conversation_id
