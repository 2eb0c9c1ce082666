"""What a customer may see, said here and nowhere else: pages, files, lists and polls ask this one function."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.customers.visibility import open_to_managers


def own(customer: Customer) -> Q:
    """Conversations that are the customer's own."""
    return Q(customer=customer, merged_into=None)


def of_colleagues(customer: Customer) -> Q | None:
    """Conversations of the organization that its managers see; None for who is no manager."""
    if not customer.is_manager or customer.organization_id is None:
        return None
    return Q(organization=customer.organization_id, merged_into=None) & open_to_managers()


def visible_to(customer: Customer) -> QuerySet[Conversation]:
    """Conversations this customer may read and answer."""
    colleagues = of_colleagues(customer)
    seen = own(customer) if colleagues is None else own(customer) | colleagues
    return Conversation.objects.filter(seen)


def readable(at: datetime) -> Q:
    """Which messages of a conversation its customers read: never a note, never what was forwarded to somebody else, and
    nothing that an agent may still take back before it leaves.
    """
    kept_back = Q(
        kind=Message.Kind.OUTBOUND,
        delivery=Message.Delivery.PENDING,
        attempts=0,
        at__gt=at - timedelta(seconds=settings.UNDO_SEND_SECONDS),
    )
    return Q(kind__in=(Message.Kind.INBOUND, Message.Kind.OUTBOUND)) & ~Q(via=FORWARD) & ~kept_back


def readable_messages(customer: Customer, *, at: datetime) -> QuerySet[Message]:
    """Those of all conversations that the customer may see."""
    return Message.objects.filter(readable(at), conversation__in=visible_to(customer))


def readable_files(customer: Customer, *, at: datetime) -> QuerySet[Attachment]:
    """The files of those messages."""
    return Attachment.objects.filter(message__in=readable_messages(customer, at=at))
