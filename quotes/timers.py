"""What the clock does to quotes: the functions of QUOTE_DUES, called with the quote's row locked."""

from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from quotes import letters, telling
from quotes.models import Quote

State = Quote.State


def remind(quote: Quote, at: datetime) -> datetime | None:
    """Say once more that it waits for an answer."""
    if quote.state == State.SENT:
        conversations.write_automatically(_conversation(quote), letters.reminder(quote), at=at)
        telling.tell(telling.REMINDED, quote, at=at)
    return None


def expire(quote: Quote, at: datetime) -> datetime | None:
    """Its last day is over and nobody has answered."""
    if quote.state != State.SENT:
        return None
    quote.state, quote.ended_at, quote.updated_at = State.EXPIRED, at, at
    quote.save(update_fields=["state", "ended_at", "updated_at"])
    words = _("Nobody has answered quote %(number)s until it expired.") % {"number": quote.number}
    conversations.note_automatically(_conversation(quote), words, at=at)
    telling.tell(telling.EXPIRED, quote, at=at)
    return None


def _conversation(quote: Quote) -> Conversation:
    return Conversation.objects.get(pk=quote.conversation_id)
