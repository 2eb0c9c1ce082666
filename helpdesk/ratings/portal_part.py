"""The question within the portal's page of a conversation, and what the portal exports and forgets of ratings."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers.models import Customer
from helpdesk.ratings.giving import OPEN_FOR, rated_instead
from helpdesk.ratings.models import Rating
from helpdesk.ratings.wording import WORDS


def drawn(request: HttpRequest, conversation: Conversation, customer: Customer, at: datetime) -> str:
    """The five answers with what was given before, for whoever asked for help; "" while there is nothing to rate, and
    once it was too long ago.
    """
    if conversation.customer_id != customer.pk or conversation.is_spam:
        return ""
    rating = Rating.objects.filter(pk=conversation.pk).first()
    chosen = rating.score if rating else None
    since = rating.rated_at if rating and rating.rated_at else conversation.resolved_at
    if chosen is None and (conversation.status not in DONE or rated_instead(conversation) != conversation):
        return ""
    if since is None or since + OPEN_FOR < at:
        return ""
    context = {
        "conversation": conversation,
        "scores": WORDS.items(),
        "chosen": chosen,
        "comment": rating.comment if rating else "",
    }
    return render_to_string("ratings/_ask.html", context, request)


def exported(customer: Customer) -> list[dict[str, Any]]:
    """For the file of the customer's own data."""
    rows = Rating.objects.filter(customer=customer, score__isnull=False).order_by("pk")
    return [dict(row) for row in rows.values("conversation_id", "score", "comment", "via", "rated_at")]


def erase(customer: Customer, at: datetime) -> None:
    """The score stays in the figures; what was written goes, and nothing is asked any more."""
    Rating.objects.filter(customer=customer).update(comment="", due_at=None, is_shown=False)
