"""Writing a quote: drafts are changed and thrown away; what was sent is offered anew as a later version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.conversations.incoming import lock
from helpdesk.customers.company import company, names
from helpdesk.customers.models import Customer, Plan, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from quotes import money
from quotes.currencies import MINOR_UNITS
from quotes.days import office_day
from quotes.holding import held
from quotes.models import Quote, QuoteLine, QuoteSettings

DRAFTED: Final = "quote.drafted"
"""{quote, number}"""
MOST_LINES: Final = 50
LONGEST_LINE: Final = 500
LONGEST_VALIDITY: Final = timedelta(days=366)
LONGEST_DELIVERY: Final = timedelta(days=3 * 366)
State = Quote.State


class BadQuote(ValueError):
    """It cannot be written so; `field` says what to change, "" the whole, and `line` which line, from 0."""

    def __init__(self, words: str, field: str = "", line: int | None = None) -> None:
        super().__init__(words)
        self.field, self.line = field, line


class NotADraft(ValueError):
    """What was sent does not change."""


class NothingToRevise(ValueError):
    """An accepted quote, a draft, or one that a later version has followed."""


@dataclass(frozen=True, slots=True)
class LineGiven:
    text: str
    line: money.Line


@dataclass(frozen=True, slots=True)
class Content:
    """Everything an agent says in a quote. `upgrade_plan` is offered beside it."""

    title: str
    lines: Sequence[LineGiven]
    currency: str
    valid_until: date
    words: str = ""
    terms: str = ""
    language: str = "en"
    tax_name: str = ""
    deliver_by: date | None = None
    remind_days: int = 3
    upgrade_plan: Plan | None = None
    upgrade_price: str = ""
    upgrade_words: str = ""


def quote_settings() -> QuoteSettings:
    """What new quotes begin with; not saved yet where nobody has changed it."""
    found = QuoteSettings.objects.select_related("upgrade_plan").filter(pk=1).first()
    return found or QuoteSettings(pk=1, seller=names()[0])


def beginning(customer: Customer, title: str, *, at: datetime) -> Content:
    """What the editor of a new quote shows: everything but the lines."""
    rules = quote_settings()
    spoken = dict(settings.LANGUAGES)
    language = next((one for one in (customer.language, *company().languages) if one in spoken), "en")
    plan = rules.upgrade_plan
    is_theirs = plan is not None and customer.organization is not None and customer.organization.plan_id == plan.pk
    return Content(
        title=title[:200],
        lines=(),
        currency=rules.currency,
        valid_until=office_day(at) + timedelta(days=rules.validity_days),
        terms=rules.terms,
        language=language,
        tax_name=rules.tax_name,
        remind_days=rules.remind_days,
        upgrade_plan=None if is_theirs else plan,
        upgrade_price=rules.upgrade_price,
        upgrade_words=rules.upgrade_words,
    )


@transaction.atomic
def draft(conversation_id: int, content: Content, user: User, *, at: datetime, client_id: UUID | None = None) -> Quote:
    """Begin a quote to the customer of the conversation; the same `client_id` again returns the first one.

    Raises BadQuote, Conversation.DoesNotExist.
    """
    lines = checked(content, at=at)
    conversation = lock(conversation_id)
    known = Quote.objects.filter(client_id=client_id, conversation=conversation).first() if client_id else None
    if known is not None:
        return known
    quote = Quote(
        conversation=conversation,
        customer_id=conversation.customer_id,
        organization_id=conversation.organization_id,
        author=user,
        client_id=client_id,
        created_at=at,
    )
    _fill(quote, content, lines, at)
    record(Fact(DRAFTED, conversation.pk, Actor.agent(user), data={"quote": quote.pk, "number": ""}), at=at)
    return quote


@transaction.atomic
def edit(quote_id: int, content: Content, *, at: datetime) -> Quote:
    """Write a draft anew. Raises BadQuote, NotADraft, Quote.DoesNotExist."""
    lines = checked(content, at=at)
    quote, _conversation = held(quote_id)
    if quote.state != State.DRAFT:
        raise NotADraft(quote.state)
    quote.lines.all().delete()
    _fill(quote, content, lines, at)
    return quote


@transaction.atomic
def discard(quote_id: int) -> None:
    """Throw a draft away. Raises NotADraft, Quote.DoesNotExist."""
    quote, _conversation = held(quote_id)
    if quote.state != State.DRAFT:
        raise NotADraft(quote.state)
    quote.delete()


@transaction.atomic
def revise(quote_id: int, user: User, *, at: datetime) -> Quote:
    """A draft of the next version, with what the last one said. The last one counts until this is sent.

    Asked for twice it is the same draft. Raises NothingToRevise, Quote.DoesNotExist.
    """
    quote, conversation = held(quote_id)
    later = Quote.objects.filter(supersedes=quote).first()
    if later is not None and later.state == State.DRAFT:
        return later
    if later is not None or quote.state in (State.DRAFT, State.ACCEPTED):
        raise NothingToRevise(quote.state)
    today, rules = office_day(at), quote_settings()
    given = content_of(quote)
    lines = list(quote.lines.all())
    copy = Quote(
        conversation=conversation, customer_id=quote.customer_id, organization_id=quote.organization_id, author=user,
        supersedes=quote, version=quote.version + 1, created_at=at,
    )  # fmt: skip
    _fill(copy, given, [LineGiven(one.text, line_of(one)) for one in lines], at, save=False)
    copy.valid_until = max(quote.valid_until, today + timedelta(days=rules.validity_days))
    copy.deliver_by = quote.deliver_by if quote.deliver_by and quote.deliver_by > today else None
    _save(copy, [LineGiven(one.text, line_of(one)) for one in lines])
    record(Fact(DRAFTED, conversation.pk, Actor.agent(user), data={"quote": copy.pk, "number": quote.number}), at=at)
    return copy


def checked(content: Content, *, at: datetime) -> list[LineGiven]:
    """The lines with the decimals their numbers have. Raises BadQuote."""
    today = office_day(at)
    if not content.title.strip():
        raise BadQuote(_("Say in a few words what it is about."), "title")
    if content.currency not in MINOR_UNITS:
        raise BadQuote(_("There is no such currency."), "currency")
    if not content.lines:
        raise BadQuote(_("Write at least one line."), "lines")
    if len(content.lines) > MOST_LINES:
        raise BadQuote(_("At most %(most)s lines.") % {"most": MOST_LINES}, "lines")
    if not today <= content.valid_until <= today + LONGEST_VALIDITY:
        raise BadQuote(_("It is valid until a day from today on, a year at most."), "valid_until")
    if content.deliver_by is not None and not today <= content.deliver_by <= today + LONGEST_DELIVERY:
        raise BadQuote(_("It is done by a day from today on, three years at most."), "deliver_by")
    lines = [_checked_line(given, content.currency, place) for place, given in enumerate(content.lines)]
    if money.of_lines((one.line for one in lines), content.currency).total < 0:
        raise BadQuote(_("The total is below zero."), "lines")
    return lines


def _checked_line(given: LineGiven, currency: str, place: int) -> LineGiven:
    text = given.text.strip()
    if not text or len(text) > LONGEST_LINE:
        raise BadQuote(_("Say what is done, in at most %(most)s characters.") % {"most": LONGEST_LINE}, "text", place)
    words = {
        "quantity": _("A quantity is above zero and has at most three decimals."),
        "unit_price": _("A price in %(currency)s has at most %(digits)s decimals, and is no astronomical sum.")
        % {"currency": currency, "digits": MINOR_UNITS[currency]},
        "tax_rate": _("A tax rate is between 0 and 100, with at most two decimals."),
    }
    try:
        return LineGiven(text, money.checked(given.line, currency))
    except money.BadAmount as error:
        raise BadQuote(words[error.field], error.field, place) from error


def line_of(line: QuoteLine) -> money.Line:
    return money.Line(line.quantity, line.unit_price, line.tax_rate)


def content_of(quote: Quote) -> Content:
    """What a quote says, for the editor."""
    return Content(
        title=quote.title,
        lines=[LineGiven(one.text, line_of(one)) for one in quote.lines.all()],
        currency=quote.currency,
        valid_until=quote.valid_until,
        words=quote.words,
        terms=quote.terms,
        language=quote.language,
        tax_name=quote.tax_name,
        deliver_by=quote.deliver_by,
        remind_days=quote.remind_days,
        upgrade_plan=quote.upgrade_plan,
        upgrade_price=quote.upgrade_price,
        upgrade_words=quote.upgrade_words,
    )


def _fill(quote: Quote, content: Content, lines: Sequence[LineGiven], at: datetime, *, save: bool = True) -> None:
    sums = money.of_lines((one.line for one in lines), content.currency)
    quote.title, quote.words, quote.terms = content.title.strip()[:200], content.words.strip(), content.terms.strip()
    quote.language, quote.currency, quote.tax_name = content.language, content.currency, content.tax_name.strip()
    quote.valid_until, quote.deliver_by, quote.remind_days = (
        content.valid_until,
        content.deliver_by,
        content.remind_days,
    )
    quote.upgrade_plan = content.upgrade_plan
    quote.upgrade_name = content.upgrade_plan.name if content.upgrade_plan else ""
    quote.upgrade_price, quote.upgrade_words = content.upgrade_price.strip(), content.upgrade_words.strip()
    quote.net, quote.tax, quote.total, quote.updated_at = sums.net, sums.tax, sums.total, at
    if save:
        _save(quote, lines)


def _save(quote: Quote, lines: Sequence[LineGiven]) -> None:
    quote.save()
    QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote, position=place, text=one.text, quantity=one.line.quantity, unit_price=one.line.unit_price,
            tax_rate=one.line.tax_rate,
        )
        for place, one in enumerate(lines)
    )  # fmt: skip
