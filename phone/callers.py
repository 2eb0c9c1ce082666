"""Who calls or writes: the customer known by the number, or a new one of whom the number is all we know."""

from datetime import datetime

from django.db import connection

from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers.actions import find_or_create_customer
from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer
from helpdesk.events.phone_numbers import language_of
from phone.lines import IDENTITY

WITHHELD = "Number withheld"
CALL, TEXT = "phone", "sms"
"""The channels of conversations that began with a call, and with a text message."""


def lock_person(number: str) -> None:
    """One thing at a time for one number, to the end of the transaction: calls and texts of it are in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"phone:{number}"])


def known_or_new(number: str, name: str, *, at: datetime) -> tuple[Customer, bool]:
    """The customer, and whether they were known by this number. One who withholds it is somebody new each time."""
    if not number:
        return Customer.objects.create(name=name or WITHHELD, created_at=at), False
    found = customer_of(IDENTITY, number)
    if found is not None:
        return found, True
    made = find_or_create_customer(IDENTITY, number, name or number, at=at)
    language = language_of(number)
    if language and not made.language:
        Customer.objects.filter(pk=made.pk).update(language=language)
        made.language = language
    return made, False


def open_conversation(customer: Customer, channels: tuple[str, ...]) -> Conversation | None:
    """What goes on with this customer on these channels: the newest that is neither done nor merged away."""
    mine = Conversation.objects.filter(customer=customer, channel__in=channels, merged_into=None)
    return mine.exclude(status__in=DONE).select_related("team").order_by("-pk").first()


def newest_conversation(customer: Customer, channels: tuple[str, ...]) -> Conversation | None:
    """The newest one, done or not: an answer to it opens it again, if it is not too long ago."""
    mine = Conversation.objects.filter(customer=customer, channel__in=channels, merged_into=None)
    return mine.order_by("-pk").first()


def current(conversation_id: int) -> Conversation:
    """The conversation, or what it was merged into; locked."""
    found = lock(conversation_id)
    while found.merged_into_id is not None:
        found = lock(found.merged_into_id)
    return found


def thread_of(number: str, sid: str) -> str:
    """What a conversation keeps of where it came from; each call and first text begins a thread of its own."""
    return f"{number}/{sid}"


def number_of(conversation: Conversation) -> str:
    """Where to call or write back, "" where the number is withheld. A conversation that began elsewhere, but whose
    customer has a number, is answered there.
    """
    number = conversation.thread.partition("/")[0] if conversation.channel in (CALL, TEXT) else ""
    if number or not conversation.customer_id:
        return number
    own = conversation.customer.identities.filter(channel=IDENTITY).order_by("pk")
    return own.values_list("handle", flat=True).first() or ""
