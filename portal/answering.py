"""What a customer does with a conversation from the portal: answer it, close it, open it again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.incoming import REOPENS_WITHIN, lock, said_before
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers.models import Customer
from helpdesk.events.actors import CUSTOMER
from helpdesk.limits import Limit, take

CHANNEL: Final = "portal"
ANSWERS: Final = Limit(30, 30 / 600)


class TooMany(ValueError):
    """Very many answers in a short time."""


class Overtaken(ValueError):
    """Somebody said something that the page did not show; two managers may answer at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`client_id` is the page's: the same again is filed once. `seen` is the newest message that the page showed."""

    text: str
    client_id: UUID
    seen: int | None = None
    files: tuple[File, ...] = field(default=())


@transaction.atomic
def answer(conversation: Conversation, customer: Customer, given: Answer, *, at: datetime) -> Message:
    """File what a customer writes, in their own name; a manager who answers gets the answers to it as well.

    What was done with long ago goes on as a new conversation. Raises TooMany, Overtaken.
    """
    lock(conversation.pk)
    known = said_before(conversation.pk, given.client_id)
    if known is None:
        if take(ANSWERS, f"portal answer:{customer.pk}"):
            raise TooMany
        if given.seen is not None and _is_overtaken(conversation, customer, given.seen):
            raise Overtaken
    return conversations.receive_message(
        Inbound(
            channel=CHANNEL,
            customer=customer,
            at=at,
            subject=conversation.subject,
            text=given.text,
            conversation_id=conversation.pk,
            client_id=given.client_id,
            team_id=conversation.team_id,
            followers=(customer,),
            files=given.files,
        )
    )


def _is_overtaken(conversation: Conversation, customer: Customer, seen: int) -> bool:
    said = Message.objects.filter(conversation=conversation, pk__gt=seen, is_automatic=False)
    return said.exclude(kind=Message.Kind.NOTE).exclude(via=FORWARD).exclude(customer=customer).exists()


def close(conversation: Conversation, *, at: datetime) -> None:
    """The customer needs nothing more. What is done with already stays as it is."""
    if conversation.status not in DONE:
        change = conversations.Changes(status=Status.RESOLVED)
        conversations.change(conversation.pk, change, actor=CUSTOMER, at=at, may_lack_fields=True)


def may_reopen(conversation: Conversation, at: datetime) -> bool:
    """What was done with long ago is not opened again: an answer to it begins a new one."""
    done_at = conversation.resolved_at
    return done_at is not None and at - done_at <= REOPENS_WITHIN


def reopen(conversation: Conversation, *, at: datetime) -> None:
    """It is not done after all."""
    if may_reopen(conversation, at):
        change = conversations.Changes(status=Status.OPEN)
        conversations.change(conversation.pk, change, actor=CUSTOMER, at=at)
