"""What belongs into private becomes a ticket opened for the person: no number and no address is said in
public. It becomes theirs by a link that they get in private and open after signing in.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock, preview
from helpdesk.conversations.models import Conversation, ConversationLink
from helpdesk.customers.models import Customer, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER, Actor
from social.models import Post, Thread, TicketClaim

CHANNEL: Final = "form"
LINK_FOR: Final = timedelta(days=14)
OPENED: Final = "social.ticket_opened"
"""A ticket was opened for who wrote in public, told of both conversations: {ticket, thread}."""
CLAIMED: Final = "conversation.claimed"
"""Whom a ticket was opened for has signed in and taken it: {customer}."""
_MOST_QUOTED: Final = 20
# So many are offered to be claimed beside one private thread.
MOST_OFFERED: Final = 5


class CannotClaim(ValueError):
    """The link was used, is old, or was never ours."""


@transaction.atomic
def open_ticket(conversation_id: int, user: User, *, at: datetime) -> Conversation:
    """The ticket for what was said in this thread, with its words and links; the same one when asked again."""
    said = lock(conversation_id)
    thread = Thread.objects.select_related("person__customer", "account").get(pk=said.pk)
    known = TicketClaim.objects.filter(thread=thread).select_related("conversation").first()
    if known is not None:
        return known.conversation
    message = conversations.receive_message(
        conversations.Inbound(
            channel=CHANNEL,
            customer=thread.person.customer,
            at=at,
            text=_quoted(said),
            subject=said.subject or preview(said.preview)[:80],
            team_id=said.team_id,
            priority=said.priority,
            service_ids=tuple(said.services.values_list("pk", flat=True)),
            is_verified=False,
            remark=f"Opened by {user.name} for who wrote on {thread.account.get_network_display()}.",
        )
    )
    ticket = message.conversation
    conversations.relate(ticket.pk, ConversationLink.Kind.RELATED, said.pk, user, at=at)
    TicketClaim.objects.create(conversation=ticket, thread=thread, digest=_digest(_token()), ends_at=at + LINK_FOR)
    data = {"ticket": ticket.pk, "thread": said.pk}
    for pk in (said.pk, ticket.pk):
        record(Fact(OPENED, pk, Actor.agent(user), data=data), at=at)
    return ticket


def _quoted(said: Conversation) -> str:
    posts = Post.objects.filter(message__conversation=said, deleted_at=None).exclude(person=None).order_by("at", "pk")
    lines = [f"{post.text}\n{post.url}".strip() for post in posts[:_MOST_QUOTED]]
    return "\n\n".join(line for line in lines if line) or said.preview


@transaction.atomic
def link(ticket_id: int, *, at: datetime) -> str:
    """The address that makes the ticket theirs; for their eyes alone. An earlier link of it is good no more.
    Raises CannotClaim where it was claimed.
    """
    claim = TicketClaim.objects.select_for_update().get(pk=ticket_id)
    if claim.claimed_at is not None:
        raise CannotClaim("it was claimed already")
    token = _token()
    claim.digest, claim.ends_at = _digest(token), at + LINK_FOR
    claim.save(update_fields=["digest", "ends_at"])
    return f"{settings.PUBLIC_URL}/social/claims/{token}/"


def can_be_claimed(token: str, *, at: datetime) -> bool:
    """Whether the link is good still."""
    return TicketClaim.objects.filter(digest=_digest(token), claimed_at=None, ends_at__gt=at).exists()


@transaction.atomic
def claim(token: str, customer: Customer, *, at: datetime) -> Conversation:
    """The signed-in customer takes the ticket that was opened for them. Raises CannotClaim."""
    held = (
        TicketClaim.objects.select_for_update().filter(digest=_digest(token), claimed_at=None, ends_at__gt=at).first()
    )
    if held is None:
        raise CannotClaim("this link was used before, or is too old")
    conversation = lock(held.conversation_id)
    if conversation.merged_into_id is not None:
        raise CannotClaim("this ticket was joined with another one")  # which is somebody's already
    conversation.customer, conversation.organization_id = customer, customer.organization_id
    if customer.organization is not None:
        # What their plan promises holds from now on, counted from the beginning.
        conversation.policy_id = customer.organization.plan.policy_id
    conversation.save(update_fields=["customer", "organization_id", "policy_id"])
    promises.reprioritized(conversation, at=at)
    conversation.messages.filter(kind="inbound").update(customer=customer, is_verified=True)
    held.claimed_at, held.claimed_by = at, customer
    held.save(update_fields=["claimed_at", "claimed_by"])
    record(Fact(CLAIMED, conversation.pk, CUSTOMER, data={"customer": customer.pk}), at=at)
    return conversation


def _token() -> str:
    return secrets.token_urlsafe(32)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
