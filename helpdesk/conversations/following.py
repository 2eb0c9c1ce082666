"""Who reads along: the people in copy of every reply."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from helpdesk.conversations.incoming import MAX_FOLLOWERS, lock
from helpdesk.conversations.models import Conversation
from helpdesk.customers.actions import find_or_create_customer
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor


class TooManyFollowers(ValueError):
    """More than MAX_FOLLOWERS people would read along."""


@transaction.atomic
def follow(conversation_id: int, addresses: Collection[str], *, actor: Actor, at: datetime) -> None:
    """Put these mail addresses in copy; those who are, and the customer, stay as they are. Raises TooManyFollowers."""
    conversation = lock(conversation_id)
    people = [find_or_create_customer("email", address, "", at=at) for address in addresses]
    there = set(conversation.followers.values_list("pk", flat=True))
    new = {one.pk: one for one in people if one.pk not in there and one.pk != conversation.customer_id}
    if len(there) + len(new) > MAX_FOLLOWERS:
        raise TooManyFollowers(f"at most {MAX_FOLLOWERS} people may read along")
    if new:
        conversation.followers.add(*new.values())
        _record("conversation.follower_added", conversation, list(new.values()), actor, at)


@transaction.atomic
def unfollow(conversation_id: int, customer_ids: Collection[int], *, actor: Actor, at: datetime) -> None:
    """Take these people out of copy; who is not in it stays out."""
    conversation = lock(conversation_id)
    gone = list(conversation.followers.filter(pk__in=customer_ids))
    if gone:
        conversation.followers.remove(*gone)
        _record("conversation.follower_removed", conversation, gone, actor, at)


def _record(kind: str, conversation: Conversation, people: list[Customer], actor: Actor, at: datetime) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=at)
    data = {"customers": [one.pk for one in people], "addresses": [one.email for one in people]}
    record(Fact(kind, conversation.pk, actor, data=data), at=at)
