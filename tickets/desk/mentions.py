"""Agents called by `@name` in a note, and what they have not seen of it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.conversations.visibility import watchers
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from tickets.desk.models import Mention

MOST_MENTIONED = 20
_LONGEST_NAME = 120
_CALL = re.compile(r"(?<![\w@.])@(?=\w)")


@transaction.atomic
def write_note(conversation_id: int, user: User, text: str, *, at: datetime, **words: Any) -> Message:
    """A note, and a Mention for each agent it calls who may see it; the author calls nobody by their own name.

    The same `client_id` again mentions nobody twice. Raises NothingToSay.
    """
    message = conversations.note(conversation_id, user, text, at=at, **words)
    people = list(agents()) if _CALL.search(text) else []
    called = [agent.pk for agent in named_in(text, people) if agent.pk != user.pk]
    allowed = {agent for _, agent in watchers([conversation_id], called)}
    new = [
        Mention(conversation_id=conversation_id, message=message, user_id=pk, at=at) for pk in called if pk in allowed
    ]
    if new and not message.mentions.exists():
        Mention.objects.bulk_create(new, ignore_conflicts=True)
        data = {"message": message.pk, "agents": [mention.user_id for mention in new]}
        record(Fact("agent.mentioned", conversation_id, Actor.agent(user), data=data), at=at)
    return message


def agents() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("name", "pk")


def named_in(text: str, people: Sequence[User]) -> list[User]:
    """Those whom the text calls: `@Grace Hopper`, or `@grace` where one agent alone has that first name or that
    address before the @. Linear in the text's length.
    """
    short: dict[str, list[User]] = {}
    for person in people:
        for short_name in {person.name.split(" ")[0].lower(), person.email.partition("@")[0].lower()}:
            short.setdefault(short_name, []).append(person)
    found: dict[int, User] = {}
    for call in _CALL.finditer(text):
        rest = text[call.end() : call.end() + _LONGEST_NAME].lower()
        whole = [person for person in people if _begins(rest, person.name.lower())]
        word = re.match(r"[\w.-]*\w", rest)
        near = [] if whole or word is None else short.get(word.group(), [])
        hit = max(whole, key=lambda person: len(person.name)) if whole else near[0] if len(near) == 1 else None
        if hit is not None:
            found[hit.pk] = hit
        if len(found) == MOST_MENTIONED:
            break
    return list(found.values())


def _begins(rest: str, name: str) -> bool:
    return bool(name) and rest.startswith(name) and not rest[len(name) : len(name) + 1].isalnum()


def see(conversation_id: int, user: User, *, at: datetime) -> None:
    """The agent has opened it."""
    Mention.objects.filter(conversation=conversation_id, user=user, seen_at=None).update(seen_at=at)
