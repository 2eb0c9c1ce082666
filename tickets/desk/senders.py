"""Blocking whoever wrote a conversation, or all of their domain, from beside it; told in its thread."""

from datetime import datetime

from django.db import transaction

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from tickets.desk import blocking
from tickets.desk.models import BlockedSender


@transaction.atomic
def block(conversation: Conversation, user: User, *, whole_domain: bool, at: datetime) -> None:
    """Take nothing more from the conversation's customer, or from anybody of their domain. Raises CannotBlock."""
    email = conversation.customer.email.strip().lower()
    row = blocking.block(_domain(email) if whole_domain else email, user, f"#{conversation.pk}", at=at)
    _tell("sender.blocked", conversation, row.handle, user, at)


@transaction.atomic
def unblock(conversation: Conversation, user: User, *, at: datetime) -> None:
    """Listen again to the conversation's customer and to their domain."""
    email = conversation.customer.email.strip().lower()
    for row in BlockedSender.objects.filter(handle__in=[email, _domain(email)]):
        blocking.unblock(row, user, at=at)
        _tell("sender.unblocked", conversation, row.handle, user, at)


def _domain(email: str) -> str:
    return f"@{email.rpartition('@')[2]}"


def _tell(kind: str, conversation: Conversation, handle: str, user: User, at: datetime) -> None:
    record(Fact(kind, conversation.pk, Actor.agent(user), data={"handle": handle}), at=at)
