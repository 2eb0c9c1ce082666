"""A quote's life: numbered without gaps, frozen once sent, answered once, ended by the clock."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, Plan, PlanChange
from helpdesk.events.models import Event
from helpdesk.sla.models import Clock
from quotes import answering, drafting, dues, pdf, sending, telling
from quotes.answering import Given, TooLate
from quotes.drafting import BadQuote, LineGiven
from quotes.models import Quote, QuoteDue, QuoteLine
from quotes.money import Line
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.quotes.offers import VALID, content, drafted, sent

YES = Given("accept", "Carol Danvers", "198.51.100.7", "link")
State = Quote.State


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    return write(company.carol, at, subject="Please move the shop")


def test_a_quote_is_sent_once_with_its_document_and_link(company: Company, conversation: Conversation, at: datetime):  # type: ignore[no-untyped-def]
    key = uuid4()
    draft = drafted(conversation, company.grace, at)
    assert (draft.number, draft.net, draft.tax, draft.total) == (
        "", Decimal("139.85"), Decimal("26.57"), Decimal("166.42"),
    )  # fmt: skip
    quote = sending.send(draft.pk, company.grace, at=at, client_id=key)
    assert (quote.number, quote.state) == ("Q-2026-0001", "sent")
    # Killed and sent again, clicked twice: it is the same one.
    assert sending.send(draft.pk, company.grace, at=at, client_id=key).number == "Q-2026-0001"
    with pytest.raises(drafting.NotADraft):
        sending.send(draft.pk, company.grace, at=at)
    message = Message.objects.get(conversation=conversation, kind="outbound", is_automatic=False)
    assert "/quotes/link/" in message.text and "166.42\u00a0EUR" in message.text
    (file,) = message.attachments.all()
    assert (file.name, file.content_type) == ("Q-2026-0001.pdf", "application/pdf")
    event = Event.objects.get(kind=telling.SENT)
    assert event.data["total"] == "166.42" and event.data["lines"][1]["net"] == "-10.00"
    assert sent(conversation, company.grace, at).number == "Q-2026-0002"


def test_the_document_is_the_same_bytes_however_often_it_is_drawn(
    company: Company, conversation: Conversation, at: datetime
) -> None:
    quote = sent(
        conversation, company.grace, at, title="Žluťoučký kůň & <b>bold</b> – Łódź", currency="CLF",
        words="x" * 400 + "\n\n" + "word " * 1500, terms="ğüş " * 1200,
        lines=[LineGiven(f"Work {n} " + "ő" * 200, Line(Decimal("0.125"), Decimal("12.3456"), Decimal("7.7")))
               for n in range(50)],
    )  # fmt: skip
    first = pdf.drawn(Quote.objects.get(pk=quote.pk))
    assert first.startswith(b"%PDF-") and first == pdf.drawn(Quote.objects.get(pk=quote.pk))


def test_what_was_sent_does_not_change(company: Company, conversation: Conversation, at: datetime) -> None:
    quote = sent(conversation, company.grace, at)
    answering.answer(quote.pk, YES, at=at)
    forbidden: list[Callable[[], object]] = [
        lambda: Quote.objects.filter(pk=quote.pk).update(total=1),
        lambda: Quote.objects.filter(pk=quote.pk).update(title="Something else"),
        lambda: Quote.objects.filter(pk=quote.pk).update(state="sent", answer="", ended_at=None, answered_name=""),
        lambda: Quote.objects.filter(pk=quote.pk).update(answered_name="Somebody else"),
        lambda: Quote.objects.filter(pk=quote.pk).delete(),
        lambda: QuoteLine.objects.filter(quote=quote).update(unit_price=1),
        lambda: QuoteLine.objects.filter(quote=quote).delete(),
        lambda: QuoteLine.objects.create(quote=quote, position=9, text="x", quantity=1, unit_price=1, tax_rate=0),
    ]
    for change in forbidden:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    with pytest.raises(drafting.NotADraft):
        drafting.edit(quote.pk, content(), at=at)
    with pytest.raises(drafting.NothingToRevise):
        drafting.revise(quote.pk, company.grace, at=at)
    draft = drafted(conversation, company.grace, at)
    for illegal in ({"state": "accepted"}, {"state": "sent"}, {"answer": "accept"}, {"total": -1}, {"version": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Quote.objects.filter(pk=draft.pk).update(**illegal)


def test_a_change_is_a_new_version_under_the_same_number(
    company: Company, conversation: Conversation, at: datetime
) -> None:
    first = sent(conversation, company.grace, at)
    second = drafting.revise(first.pk, company.linus, at=at)
    assert second == drafting.revise(first.pk, company.linus, at=at)
    drafting.edit(second.pk, content(title="Move the shop, and the mail"), at=at)
    first.refresh_from_db()
    assert first.state == "sent"  # the last one counts until the next is sent
    second = sending.send(second.pk, company.linus, at=at)
    first.refresh_from_db()
    assert (first.state, first.reason, second.number) == ("withdrawn", "superseded", "Q-2026-0001-2")
    with pytest.raises(TooLate):
        answering.answer(first.pk, YES, at=at)
    answering.answer(second.pk, YES, at=at)


def test_whoever_accepts_the_old_version_first_has_it(
    company: Company, conversation: Conversation, at: datetime
) -> None:
    first = sent(conversation, company.grace, at)
    second = drafting.revise(first.pk, company.grace, at=at)
    answering.answer(first.pk, YES, at=at)
    with pytest.raises(sending.Superseded) as refused:
        sending.send(second.pk, company.grace, at=at)
    assert refused.value.quote == first
    assert Quote.objects.get(pk=second.pk).state == "draft"
    drafting.discard(second.pk)


def test_acceptance_opens_the_task_with_its_clock(company: Company, conversation: Conversation, at: datetime) -> None:
    quote = sent(conversation, company.grace, at, deliver_by=date(2026, 1, 16))
    later = at + timedelta(hours=3)
    quote = answering.answer(quote.pk, YES, at=later)
    conversation.refresh_from_db()
    assert (quote.state, quote.answered_name, quote.answered_from) == ("accepted", "Carol Danvers", "198.51.100.7")
    assert (conversation.status, conversation.assignee) == ("open", company.grace)
    clock = Clock.objects.get(conversation=conversation, target="resolution", cancelled_at=None, met_at=None)
    assert clock.due_at is not None and clock.due_at.date() == date(2026, 1, 16)
    assert "Carol Danvers accepted quote Q-2026-0001" in Message.objects.filter(kind="note").latest("pk").text
    event = Event.objects.get(kind=telling.ACCEPTED)
    assert event.data["answered_name"] == "Carol Danvers" and event.data["total"] == "166.42"
    # Said again it is the same; somebody else is told who was first.
    assert answering.answer(quote.pk, YES, at=later).pk == quote.pk
    with pytest.raises(TooLate) as late:
        answering.answer(quote.pk, replace(YES, answer="decline", name="Gil"), at=later)
    assert late.value.quote.answered_name == "Carol Danvers"
    assert Event.objects.filter(kind=telling.ACCEPTED).count() == 1


def test_declined_with_a_reason_and_the_plan_instead(
    company: Company, conversation: Conversation, at: datetime
) -> None:
    plan = Plan.objects.exclude(pk=company.carol.organization.plan_id).first()  # type: ignore[union-attr]
    no = answering.answer(
        sent(conversation, company.grace, at).pk, replace(YES, answer="decline", reason="Too dear"), at=at
    )
    assert (no.state, no.reason) == ("declined", "Too dear")
    with pytest.raises(answering.NotOffered):
        answering.answer(sent(conversation, company.grace, at).pk, replace(YES, answer="upgrade"), at=at)
    rules = drafting.quote_settings()
    rules.upgrade_plan, rules.upgrade_price, rules.upgrade_changes_plan = plan, "99 € a month", True
    rules.save()
    offered = drafting.beginning(company.carol, "x", at=at)
    quote = sent(conversation, company.grace, at, upgrade_plan=offered.upgrade_plan, upgrade_price="99 € a month")
    quote = answering.answer(quote.pk, replace(YES, answer="upgrade"), at=at)
    assert (quote.state, quote.answer) == ("declined", "upgrade")
    change = PlanChange.objects.get()
    assert (change.plan, change.organization, change.reason) == (plan, company.carol.organization, quote.number)
    assert Event.objects.filter(kind=telling.UPGRADE).count() == 1


def test_it_is_reminded_of_and_expires_by_the_clock(company: Company, conversation: Conversation, at: datetime) -> None:
    quote = sent(conversation, company.grace, at)
    assert set(QuoteDue.objects.values_list("kind", flat=True)) == {"remind", "expire"}
    assert dues.sweep(datetime(2026, 2, 9, 7, 59, tzinfo=UTC)) == 0
    assert dues.sweep(datetime(2026, 2, 9, 8, 0, tzinfo=UTC)) == 1
    assert "/quotes/link/" in Message.objects.filter(is_automatic=True, kind="outbound").latest("pk").text
    over = datetime(2026, 2, 12, 23, 0, tzinfo=UTC)  # midnight in Berlin
    with pytest.raises(TooLate):
        answering.answer(quote.pk, YES, at=over)
    assert dues.sweep(over - timedelta(seconds=1)) == 0
    assert (dues.sweep(over), dues.sweep(over)) == (1, 0)
    quote.refresh_from_db()
    assert quote.state == "expired" and Event.objects.filter(kind=telling.EXPIRED).count() == 1
    again = drafting.revise(quote.pk, company.grace, at=over)
    assert again.valid_until > VALID


def test_it_goes_along_when_its_conversation_is_merged(
    company: Company, conversation: Conversation, at: datetime
) -> None:
    quote = sent(conversation, company.grace, at)
    other = write(company.carol, at, subject="The same again")
    Conversation.objects.filter(pk=conversation.pk).update(merged_into=other, status="closed", resolved_at=at)
    answering.answer(quote.pk, YES, at=at)
    assert Quote.objects.get(pk=quote.pk).conversation == other
    assert Conversation.objects.get(pk=other.pk).assignee == company.grace


def test_what_makes_no_sense_is_refused(company: Company, conversation: Conversation, at: datetime) -> None:
    line = content().lines[0]
    wrong: dict[str, dict[str, Any]] = {
        "title": {"title": "  "},
        "currency": {"currency": "XXX"},
        "lines": {"lines": []},
        "valid_until": {"valid_until": date(2026, 1, 11)},
        "deliver_by": {"deliver_by": date(2025, 12, 31)},
        "unit_price": {"currency": "JPY"},
        "text": {"lines": [replace(line, text=" ")]},
    }
    for field, given in wrong.items():
        with pytest.raises(BadQuote) as refused:
            drafted(conversation, company.grace, at, **given)
        assert refused.value.field == field
    below = [LineGiven("Discount", Line(Decimal(1), Decimal(-1), Decimal(0)))]
    with pytest.raises(BadQuote):
        drafted(conversation, company.grace, at, lines=below)
    with pytest.raises(BadQuote):
        drafted(conversation, company.grace, at, lines=[line] * 51)


def _in_threads(works: list[Callable[[], object]]) -> list[object]:
    """Each in a connection of its own, all at once; what they returned or raised."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            found[place] = work()  # type: ignore[call-overload]
        except (TooLate, drafting.NotADraft) as error:
            found[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found  # type: ignore[return-value]


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_and_numbers_at_once(company: Company, at: datetime) -> None:
    quote = sent(write(company.carol, at), company.grace, at)
    answers = [replace(YES, name=name, answer=said) for name, said in (("Carol", "accept"), ("Danny", "decline"))]
    found = _in_threads([lambda one=one: answering.answer(quote.pk, one, at=at) for one in answers])
    lost = [one for one in found if isinstance(one, TooLate)]
    (won,) = [one for one in found if isinstance(one, Quote)]
    assert len(lost) == 1 and lost[0].quote.answered_name == won.answered_name
    assert Event.objects.filter(kind__in=[telling.ACCEPTED, telling.DECLINED]).count() == 1

    drafts = [drafted(write(customer, at), company.grace, at) for customer in Customer.objects.all()[:4]]
    _in_threads([lambda one=one: sending.send(one.pk, company.grace, at=at) for one in drafts])
    serials = sorted(one.serial or 0 for one in Quote.objects.exclude(serial=None))
    assert serials == [1, 2, 3, 4, 5]
