"""What the portal shows of quotes with a conversation, and what it exports and forgets of them."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer
from quotes import money, wording
from quotes.models import Quote
from quotes.permissions import quotes_of

MOST = 5


def drawn(request: HttpRequest, conversation: Conversation, customer: Customer, at: datetime) -> str:
    """The quotes of the conversation that this customer may see, the newest first; "" where there are none."""
    found = quotes_of(customer).filter(conversation=conversation).order_by("-pk")[:MOST]
    rows = [(one, money.written(one.total, one.currency), wording.STATES[one.state]) for one in found]
    return render_to_string("quotes/_beside.html", {"rows": rows}, request) if rows else ""


def exported(customer: Customer) -> list[dict[str, Any]]:
    """For the file of the customer's own data."""
    rows = Quote.objects.filter(customer=customer).exclude(state=Quote.State.DRAFT).order_by("pk")
    return [
        {
            "number": one.number, "title": one.title, "state": one.state, "currency": one.currency,
            "total": f"{money.rounded(one.total, one.currency):f}", "sent_at": one.sent_at, "ended_at": one.ended_at,
            "answered_name": one.answered_name, "answered_from": one.answered_from, "reason": one.reason,
        }
        for one in rows
    ]  # fmt: skip


def erase(customer: Customer, at: datetime) -> None:
    """Drafts go. What was sent is kept: the law wants commercial letters kept (GDPR, article 17 (3) b)."""
    Quote.objects.filter(customer=customer, state=Quote.State.DRAFT).delete()
