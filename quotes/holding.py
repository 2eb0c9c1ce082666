"""A quote, held to the end of the transaction: its conversation first, then itself, for everybody in this order."""

from typing import Final

from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation
from quotes.models import Quote

MOST_MERGES: Final = 20


def held(quote_id: int) -> tuple[Quote, Conversation]:
    """The quote and the conversation it is now about, which may have been merged into another one. Raises
    Quote.DoesNotExist.
    """
    before = Quote.objects.values_list("conversation_id", flat=True).get(pk=quote_id)
    conversation = lock(before)
    for _ in range(MOST_MERGES):
        if conversation.merged_into_id is None:
            break
        conversation = lock(conversation.merged_into_id)
    quote = Quote.objects.select_for_update(no_key=True).get(pk=quote_id)
    if quote.conversation_id != conversation.pk:
        quote.conversation = conversation
        quote.save(update_fields=["conversation"])
    return quote, conversation


def held_or_gone(quote_id: int) -> Quote | None:
    """For timers."""
    try:
        return held(quote_id)[0]
    except Quote.DoesNotExist:
        return None
