"""The customer's answer: yes, no, or the plan instead. One answer a quote, whoever is first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import handling, promises
from helpdesk.conversations.models import Conversation, Status
from helpdesk.conversations.visibility import may_see
from helpdesk.customers.models import Customer, PlanChange, User
from helpdesk.customers.permissions import may_work
from helpdesk.events.actors import CUSTOMER, SYSTEM
from quotes import dues, letters, money, telling
from quotes.days import end_of
from quotes.drafting import quote_settings
from quotes.holding import held
from quotes.models import Quote, QuoteDue

State, Reply = Quote.State, Quote.Answer
_EVENTS: Final = {
    Reply.ACCEPT: telling.ACCEPTED,
    Reply.DECLINE: telling.DECLINED,
    Reply.UPGRADE: telling.UPGRADE,
}
LONGEST_NAME: Final = 200
LONGEST_REASON: Final = 2000


class NoName(ValueError):
    """Whoever answers says who they are."""


class NotOffered(ValueError):
    """There is no plan beside this quote."""


class TooLate(ValueError):
    """Somebody has answered, it was withdrawn, or its time is over; `quote` says which."""

    def __init__(self, quote: Quote) -> None:
        super().__init__(quote.state)
        self.quote = quote


@dataclass(frozen=True, slots=True)
class Given:
    """An answer: what, by whom, from which network address, by the `link` or in the `portal`."""

    answer: str
    name: str
    remote: str
    via: str
    reason: str = ""
    customer: Customer | None = None


@transaction.atomic
def answer(quote_id: int, given: Given, *, at: datetime) -> Quote:
    """Record it and do what follows from it. The same answer by the same person again is taken as said once.

    Raises NoName, NotOffered, TooLate, Quote.DoesNotExist.
    """
    name = " ".join(given.name.replace("\x00", "").split())[:LONGEST_NAME]
    if not name:
        raise NoName("say who you are")
    quote, conversation = held(quote_id)
    if quote.answer == given.answer and quote.answered_name == name and quote.answered_from == given.remote[:45]:
        return quote
    if quote.state != State.SENT or at >= end_of(quote.valid_until):
        raise TooLate(quote)
    if given.answer == Reply.UPGRADE and not quote.upgrade_name:
        raise NotOffered("no plan is offered")
    quote.state = State.ACCEPTED if given.answer == Reply.ACCEPT else State.DECLINED
    quote.answer, quote.answered_name, quote.answered_by = given.answer, name, given.customer
    quote.answered_from, quote.answered_via = given.remote[:45], given.via
    quote.reason = given.reason.replace("\x00", "").strip()[:LONGEST_REASON]
    quote.ended_at = quote.updated_at = at
    quote.save()
    dues.drop(quote.pk, list(QuoteDue.Kind))
    conversations.note_automatically(conversation, _told(quote), at=at)
    _back_to_work(conversation, quote, at)
    if given.answer == Reply.ACCEPT:
        conversations.write_automatically(conversation, letters.confirmation(quote), at=at)
    if given.answer == Reply.UPGRADE:
        _change_plan(quote, at)
    telling.tell(_EVENTS[Reply(given.answer)], quote, at=at, actor=CUSTOMER)
    return quote


def _told(quote: Quote) -> str:
    """The note for the team, in the author's language: the one on now is that of the customer's browser."""
    with override(quote.author.language):
        given = {
            "name": quote.answered_name, "number": quote.number, "reason": quote.reason, "plan": quote.upgrade_name,
            "total": money.written(quote.total, quote.currency), "remote": quote.answered_from,
        }  # fmt: skip
        if quote.answer == Reply.ACCEPT:
            words = _("%(name)s accepted quote %(number)s over %(total)s (from %(remote)s).") % given
        elif quote.answer == Reply.UPGRADE:
            words = _("%(name)s wants the plan “%(plan)s” instead of quote %(number)s (from %(remote)s).") % given
        else:
            words = _("%(name)s declined quote %(number)s (from %(remote)s).") % given
    return words + (f"\n\n> {quote.reason}" if quote.reason else "")


def _back_to_work(conversation: Conversation, quote: Quote, at: datetime) -> None:
    """It is the author's again; what was agreed on is due by the day that the quote names."""
    author = User.objects.filter(pk=quote.author_id).first()
    if author is not None and may_work(author) and may_see(author, conversation.pk):
        handling.assign(conversation, author, actor=SYSTEM, at=at)
    handling.change_status(conversation, Status.OPEN, actor=CUSTOMER, at=at)
    if quote.answer == Reply.ACCEPT and quote.deliver_by is not None:
        promises.due_by(conversation, end_of(quote.deliver_by), at=at)


def _change_plan(quote: Quote, at: datetime) -> None:
    """Where an admin has said so, the plan is theirs at once; else the task is enough."""
    organization = quote.organization
    if quote.upgrade_plan is None or organization is None or not quote_settings().upgrade_changes_plan:
        return
    PlanChange.objects.create(
        organization=organization, plan=quote.upgrade_plan, due_at=at, reason=quote.number, created_at=at
    )
