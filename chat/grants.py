"""Live chat for a customer whose plan does not include it: a day, given by an agent, on record."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from chat import chats
from chat.models import ChatGrant
from helpdesk.customers import audit
from helpdesk.customers.models import Customer, User

LASTS: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=31)


class TooLong(ValueError):
    """A grant ends within a month, and after it began."""


@transaction.atomic
def give(customer: Customer, user: User, *, at: datetime, until: datetime | None = None) -> ChatGrant:
    """A day from now, or until a time; the audit log says so. Raises TooLong."""
    until = until or at + LASTS
    if not at < until <= at + LONGEST:
        raise TooLong
    grant = chats.grant(customer, user, at=at, until=until)
    audit.record(user.pk, "granted", grant, {}, {"customer": customer.pk, "until": until}, at=at)
    return grant


def of(customer_id: int, most: int) -> list[ChatGrant]:
    """Newest first."""
    return list(ChatGrant.objects.select_related("by").filter(customer=customer_id).order_by("-pk")[:most])
