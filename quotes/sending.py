"""Sending a quote into its conversation, once, under the next number of the year; and taking it back."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, User
from helpdesk.events.actors import Actor
from quotes import dues, letters, pdf, telling
from quotes.days import end_of, morning_of, office_day
from quotes.drafting import BadQuote, NotADraft, quote_settings
from quotes.holding import held
from quotes.models import Quote, QuoteDue, QuoteSerial

State, Kind = Quote.State, QuoteDue.Kind
SUPERSEDED: Final = "superseded"


class NotOpen(ValueError):
    """Only a quote that waits for its answer can be withdrawn."""


class Superseded(ValueError):
    """The version before this one was answered meanwhile; `quote` is that one."""

    def __init__(self, quote: Quote) -> None:
        super().__init__(quote.state)
        self.quote = quote


@transaction.atomic
def send(quote_id: int, user: User, *, at: datetime, words: str = "", client_id: UUID | None = None) -> Quote:
    """Freeze the draft, number it and send it with its PDF as a reply; `words` are the reply's, else a set phrase.

    The same `client_id` again returns what was sent. Raises BadQuote, NotADraft, Superseded, Quote.DoesNotExist.
    """
    quote, conversation = held(quote_id)
    if quote.state != State.DRAFT:
        if client_id is not None and quote.client_id == client_id:
            return quote
        raise NotADraft(quote.state)
    _check(quote, conversation, at)
    _number(quote, at)
    quote.state, quote.sent_at, quote.updated_at = State.SENT, at, at
    quote.client_id = client_id or quote.client_id
    rules = quote_settings()
    quote.seller = {
        "name": rules.seller, "address": rules.address, "tax_id": rules.tax_id, "footer": rules.footer
    }  # fmt: skip
    quote.save()
    message = conversations.reply(
        conversation.pk,
        user,
        letters.covering(quote, words),
        at=at,
        files=[File(pdf.file_name(quote), "application/pdf", pdf.drawn(quote))],
        client_id=quote.key,
    )
    Quote.objects.filter(pk=quote.pk).update(message=message)
    quote.message = message
    _plan(quote, at)
    telling.tell(telling.SENT, quote, at=at, actor=Actor.agent(user))
    return quote


def _check(quote: Quote, conversation: Conversation, at: datetime) -> None:
    today = office_day(at)
    if quote.valid_until < today:
        raise BadQuote(_("It is valid until a day from today on, a year at most."), "valid_until")
    if quote.deliver_by is not None and quote.deliver_by < today:
        raise BadQuote(_("It is done by a day from today on, three years at most."), "deliver_by")
    if not quote.lines.exists():
        raise BadQuote(_("Write at least one line."), "lines")
    if quote.customer_id != conversation.customer_id:
        quote.customer = Customer.objects.get(pk=conversation.customer_id)
        quote.organization_id = conversation.organization_id


def _number(quote: Quote, at: datetime) -> None:
    """The number of what it supersedes, or the next of the year: the row lock keeps the numbers without gaps."""
    before = quote.supersedes
    if before is not None:
        before = Quote.objects.select_for_update(no_key=True).get(pk=before.pk)
        if before.state == State.ACCEPTED:
            raise Superseded(before)
        quote.year, quote.serial = before.year, before.serial
        if before.state == State.SENT:
            _end(before, State.WITHDRAWN, SUPERSEDED, at=at)
        return
    year = office_day(at).year
    QuoteSerial.objects.get_or_create(year=year)
    serial = QuoteSerial.objects.select_for_update().get(year=year)
    serial.last += 1
    serial.save(update_fields=["last"])
    quote.year, quote.serial = year, serial.last


def _plan(quote: Quote, at: datetime) -> None:
    dues.plan(quote.pk, Kind.EXPIRE, end_of(quote.valid_until))
    remind_at = morning_of(quote.valid_until - timedelta(days=quote.remind_days))
    # A reminder on the day on which it was sent reminds nobody of anything.
    if quote.remind_days and remind_at > at + timedelta(days=1):
        dues.plan(quote.pk, Kind.REMIND, remind_at)


@transaction.atomic
def withdraw(quote_id: int, user: User, reason: str, *, at: datetime) -> Quote:
    """We take the offer back, and tell the customer so. Raises NotOpen, Quote.DoesNotExist."""
    quote, conversation = held(quote_id)
    if quote.state != State.SENT:
        raise NotOpen(quote.state)
    _end(quote, State.WITHDRAWN, reason.strip()[:2000], at=at)
    with override(quote.language):
        words = _("We withdraw our quote %(number)s “%(title)s”.") % {"number": quote.number, "title": quote.title}
    conversations.write_automatically(conversation, words, at=at, user=user)
    telling.tell(telling.WITHDRAWN, quote, at=at, actor=Actor.agent(user))
    return quote


def _end(quote: Quote, state: str, reason: str, *, at: datetime) -> None:
    quote.state, quote.reason, quote.ended_at, quote.updated_at = state, reason, at, at
    quote.save(update_fields=["state", "reason", "ended_at", "updated_at"])
    dues.drop(quote.pk, list(Kind))
