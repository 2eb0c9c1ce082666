"""Conversations that have to do with each other: related ones, and parents with their children."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, ConversationLink
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.actors import Actor

MAX_LINKS = 200
# What the other one is to this one, and what this one then is to the other.
RELATIONS = {"related": "related", "parent": "child", "child": "parent"}
_TREE_LOCK = 0x11CC

_ABOVE = f"""
WITH RECURSIVE above(id) AS (
    SELECT %s::bigint
    UNION
    SELECT link.conversation_id FROM {ConversationLink._meta.db_table} link JOIN above ON link.other_id = above.id
    WHERE link.kind = 'parent'
)
SELECT EXISTS (SELECT 1 FROM above WHERE id = %s)
"""


class CannotLink(ValueError):
    """These two cannot be linked so; the text says why."""


@dataclass(frozen=True, slots=True)
class _Link:
    """What is written for "`other` is the `relation` of `here`"."""

    kind: str
    first: int
    second: int

    def rows(self) -> Q:
        same = Q(kind=self.kind, conversation=self.first, other=self.second)
        if self.kind == ConversationLink.Kind.RELATED:
            same |= Q(kind=self.kind, conversation=self.second, other=self.first)
        return same


def _link(here: int, relation: str, other: int) -> _Link:
    if relation == "parent":
        return _Link(ConversationLink.Kind.PARENT, other, here)
    kind = ConversationLink.Kind.PARENT if relation == "child" else ConversationLink.Kind.RELATED
    return _Link(kind, here, other)


@transaction.atomic
def relate(conversation_id: int, relation: str, other_id: int, user: User, *, at: datetime) -> None:
    """Say that the other one is `related` to this one, its `parent` or its `child`; both get an event.

    Saying it again changes nothing. Raises CannotLink, Conversation.DoesNotExist.
    """
    if conversation_id == other_id:
        raise CannotLink("a conversation cannot be linked to itself")
    wanted = _link(conversation_id, relation, other_id)
    _lock_both(conversation_id, other_id)
    if ConversationLink.objects.filter(wanted.rows()).exists():
        return
    if wanted.kind == ConversationLink.Kind.PARENT:
        _check_tree(wanted)
    for one in (conversation_id, other_id):
        if ConversationLink.objects.filter(Q(conversation=one) | Q(other=one)).count() >= MAX_LINKS:
            raise CannotLink(f"#{one} has {MAX_LINKS} links already")
    ConversationLink.objects.create(kind=wanted.kind, conversation_id=wanted.first, other_id=wanted.second, at=at)
    _tell("conversation.linked", conversation_id, relation, other_id, user, at)


@transaction.atomic
def unrelate(conversation_id: int, relation: str, other_id: int, user: User, *, at: datetime) -> bool:
    """Take such a link back; False where there was none. Raises Conversation.DoesNotExist."""
    _lock_both(conversation_id, other_id)
    deleted, _ = ConversationLink.objects.filter(_link(conversation_id, relation, other_id).rows()).delete()
    if deleted:
        _tell("conversation.unlinked", conversation_id, relation, other_id, user, at)
    return bool(deleted)


def _lock_both(one: int, other: int) -> None:
    # In the order of their ids, as everywhere, so that two who link cannot wait for each other.
    for pk in sorted({one, other}):
        lock(pk)


def _check_tree(wanted: _Link) -> None:
    """One parent, and nobody above themselves. One at a time: two links at once could close a circle together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE_LOCK])
        cursor.execute(_ABOVE, [wanted.first, wanted.second])
        is_circle = cursor.fetchone()[0]
    if is_circle:
        raise CannotLink(f"#{wanted.second} is above #{wanted.first} already")
    parents = ConversationLink.objects.filter(kind=ConversationLink.Kind.PARENT, other=wanted.second)
    for parent_id in parents.values_list("conversation_id", flat=True):
        raise CannotLink(f"#{wanted.second} has a parent already: #{parent_id}")


def _tell(kind: str, here: int, relation: str, other: int, user: User, at: datetime) -> None:
    Conversation.objects.filter(pk__in=[here, other]).update(updated_at=at)
    actor = Actor.agent(user)
    sides = ((here, relation, other), (other, RELATIONS[relation], here))
    record_all([Fact(kind, one, actor, data={"relation": what, "id": pk}) for one, what, pk in sides], at=at)
