"""Opening a conversation on a customer's behalf, once for each `client_id`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.incoming import receive_message
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.customers import actions as customers
from helpdesk.customers.models import Customer, User


class UnknownCustomer(ValueError):
    """There is no customer with that id."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A request as an agent or a script hands it in; `customer` is an id, or address and name of one maybe new."""

    text: str
    customer: int | tuple[str, str]
    channel: str = "api"
    subject: str = ""
    priority: str = Priority.NORMAL
    team_id: int | None = None
    service_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    client_id: UUID | None = None


def open_conversation(given: Opening, user: User, *, at: datetime) -> tuple[int, bool]:
    """The conversation's id, and whether it was opened just now. Raises UnknownCustomer, UnknownPlan."""
    owner = f"agent:{user.pk}" if given.client_id else ""
    thread = str(given.client_id or "")
    try:
        with transaction.atomic():
            message = receive_message(
                Inbound(
                    channel=given.channel,
                    customer=_customer(given.customer, at),
                    at=at,
                    text=given.text,
                    subject=given.subject,
                    owner=owner,
                    thread=thread,
                    client_id=given.client_id,
                    team_id=given.team_id,
                    priority=given.priority,
                    service_ids=given.service_ids,
                    tags=given.tags,
                )
            )
    except IntegrityError:
        # The thread is unique: the same request came before, or came twice at once. To ask first would cost all others.
        opened = Conversation.objects.filter(channel=given.channel, owner=owner, thread=thread)
        known = opened.exclude(thread="").first()
        if known is None:
            raise
        return known.pk, False
    return message.conversation_id, True


def _customer(given: int | tuple[str, str], at: datetime) -> Customer:
    if isinstance(given, tuple):
        return customers.find_or_create_customer("email", given[0], given[1], at=at)
    customer = Customer.objects.select_related("organization__plan").filter(pk=given).first()
    if customer is None:
        raise UnknownCustomer(f"there is no customer {given}")
    return customer
