"""Opening a conversation on a customer's behalf, or beginning one with them; once for each `client_id`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from helpdesk.conversations import promises
from helpdesk.conversations.answers import reply
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.incoming import UnknownPlan, add_tags, preview, receive_message
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.customers import actions as customers
from helpdesk.customers.models import Customer, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor

BEGUN: Final = "conversation.begun"
"""We wrote to a customer first. The message follows as `message.written`."""
_MAIL: Final = "email"


class UnknownCustomer(ValueError):
    """There is no customer with that id."""


class NoAddress(ValueError):
    """The customer has no e-mail address to write to, or is blocked."""


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


def open_conversation(
    given: Opening, user: User, *, at: datetime, files: Iterable[File] = (), remark: str = ""
) -> tuple[int, bool]:
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
                    files=tuple(files),
                    remark=remark,
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


def begin_conversation(
    given: Opening,
    user: User,
    *,
    at: datetime,
    html: str = "",
    files: Iterable[File] = (),
    not_before: datetime | None = None,
) -> tuple[int, bool]:
    """Write to a customer first, by mail: the conversation's id, and whether it was begun just now.

    It is the agent's and waits for the customer; nothing is promised before they have asked for something. Until
    `not_before` the message can be taken back. Raises UnknownCustomer, UnknownPlan, NoAddress, NothingToSay.
    """
    owner = f"agent:{user.pk}" if given.client_id else ""
    thread = str(given.client_id or "")
    try:
        with transaction.atomic():
            begun = _begun(given, user, owner, thread, at)
            reply(
                begun.pk, user, given.text, at=at, html=html, files=files, client_id=given.client_id,
                not_before=not_before,
            )  # fmt: skip
    except IntegrityError:
        known = Conversation.objects.filter(channel=_MAIL, owner=owner, thread=thread).exclude(thread="").first()
        if known is None:
            raise
        return known.pk, False
    return begun.pk, True


def _begun(given: Opening, user: User, owner: str, thread: str, at: datetime) -> Conversation:
    customer = _customer(given.customer, at)
    if not customer.email or customer.blocked_at is not None:
        raise NoAddress(f"{customer} cannot be written to")
    policy_id, _starts = promises.opening(customer.organization_id, given.priority, at=at)
    if policy_id is None:
        raise UnknownPlan("create a plan and mark it as the default one")
    conversation = Conversation.objects.create(
        channel=_MAIL,
        owner=owner,
        thread=thread,
        subject=given.subject[:500],
        priority=given.priority,
        team_id=given.team_id,
        customer=customer,
        organization_id=customer.organization_id,
        policy_id=policy_id,
        opened_at=at,
        updated_at=at,
        last_message_at=at,
        preview=preview(given.text),
    )
    conversation.services.set(given.service_ids)
    add_tags(conversation, list(given.tags))
    record(Fact(BEGUN, conversation.pk, Actor.agent(user), public=True), at=at)
    return conversation


def _customer(given: int | tuple[str, str], at: datetime) -> Customer:
    if isinstance(given, tuple):
        return customers.find_or_create_customer("email", given[0], given[1], at=at)
    customer = Customer.objects.select_related("organization__plan").filter(pk=given).first()
    if customer is None:
        raise UnknownCustomer(f"there is no customer {given}")
    return customer
