"""What the phone holds of a customer: packed with their data, and forgotten with them."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from helpdesk.customers.models import Customer
from helpdesk.events.models import Hook
from phone import told
from phone.lines import IDENTITY
from phone.models import Call, Recording, TextMessage


def exported(customer: Customer) -> list[dict[str, Any]]:
    """Calls, for the file of the customer's own data."""
    rows = _calls(customer).order_by("pk")
    return [
        dict(row) for row in rows.values("direction", "from_number", "to_number", "began_at", "ended_at", "seconds")
    ]


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: their numbers and what was understood of their words. That there was a call stays."""
    calls, texts = _calls(customer), TextMessage.objects.filter(message__conversation__customer=customer)
    numbers = {
        *calls.filter(direction=Call.Direction.INBOUND).values_list("from_number", flat=True),
        *calls.filter(direction=Call.Direction.BACK).values_list("to_number", flat=True),
        *texts.values_list("to_number", flat=True),
        *customer.identities.filter(channel=IDENTITY).values_list("handle", flat=True),
    } - {""}
    Hook.objects.filter(provider=told.PROVIDER, headers__person__in=numbers).update(body=b"", headers={}, error="")
    Recording.objects.filter(call__in=calls).update(transcript="", error="")
    texts.update(to_number="")
    calls.filter(direction=Call.Direction.INBOUND).update(from_number="", error="")
    calls.filter(direction=Call.Direction.BACK).update(to_number="", error="")


def _calls(customer: Customer) -> QuerySet[Call]:
    return Call.objects.filter(Q(customer=customer) | Q(conversation__customer=customer))
