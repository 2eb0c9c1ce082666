"""The rating of a conversation within customers' pages: `{% load ratings %}{% rating_of conversation %}`."""

from typing import Any

from django import template

from helpdesk.conversations.models import DONE, Conversation
from helpdesk.ratings.models import Rating
from helpdesk.ratings.wording import WORDS

register = template.Library()


@register.inclusion_tag("ratings/_ask.html", takes_context=True)
def rating_of(context: Any, conversation: Conversation) -> dict[str, Any]:
    """The five answers with what was given before; nothing while the conversation goes on unrated."""
    rating = Rating.objects.filter(pk=conversation.pk).first()
    chosen = rating.score if rating else None
    return {
        "conversation": conversation,
        "scores": WORDS.items(),
        "chosen": chosen,
        "comment": rating.comment if rating else "",
        "is_open": chosen is not None or conversation.status in DONE,
        "csrf_token": context.get("csrf_token", ""),
    }
