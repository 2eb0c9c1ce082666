"""What is to be done before a conversation is done, and the time it took."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from tickets.desk.models import ChecklistItem, TimeEntry

MOST_ITEMS = 100
MOST_MINUTES = 24 * 60
# Nobody reads more entries of one conversation at once.
MOST_SHOWN = 1_000


class TooMany(ValueError):
    """The list is full, or so much time cannot have been spent at once."""


@transaction.atomic
def add_item(conversation_id: int, text: str, user: User, *, at: datetime) -> ChecklistItem:
    """Put something on the checklist, at its end. Raises TooMany."""
    conversation = lock(conversation_id)
    items = ChecklistItem.objects.filter(conversation=conversation)
    if items.count() >= MOST_ITEMS:
        raise TooMany(f"a checklist has at most {MOST_ITEMS} items")
    last = items.aggregate(last=Max("position"))["last"]
    item = ChecklistItem.objects.create(
        conversation=conversation, text=text[:300], position=0 if last is None else last + 1
    )
    _record("conversation.item_added", conversation_id, user, at, item=item.pk, text=item.text)
    return item


@transaction.atomic
def tick(conversation_id: int, item_id: int, is_done: bool, user: User, *, at: datetime) -> None:
    """Say that an item is done, or is not. Raises ChecklistItem.DoesNotExist."""
    lock(conversation_id)
    item = ChecklistItem.objects.get(pk=item_id, conversation=conversation_id)
    if (item.done_at is not None) == is_done:
        return
    item.done_at, item.done_by = (at, user) if is_done else (None, None)
    item.save(update_fields=["done_at", "done_by"])
    kind = "conversation.item_done" if is_done else "conversation.item_reopened"
    _record(kind, conversation_id, user, at, item=item.pk, text=item.text)


@transaction.atomic
def remove_item(conversation_id: int, item_id: int, user: User, *, at: datetime) -> None:
    """Take an item off the list; the event remembers its text. Raises ChecklistItem.DoesNotExist."""
    lock(conversation_id)
    item = ChecklistItem.objects.get(pk=item_id, conversation=conversation_id)
    text = item.text
    item.delete()
    _record("conversation.item_removed", conversation_id, user, at, item=item_id, text=text)


@transaction.atomic
def spend(conversation_id: int, minutes: int, note: str, user: User, *, at: datetime) -> TimeEntry:
    """Note that the agent spent so many minutes on it, 1 to MOST_MINUTES. Raises TooMany."""
    conversation = lock(conversation_id)
    if not 0 < minutes <= MOST_MINUTES:
        raise TooMany(f"between 1 and {MOST_MINUTES} minutes")
    entry = TimeEntry.objects.create(conversation=conversation, user=user, minutes=minutes, note=note[:300], at=at)
    Conversation.objects.filter(pk=conversation_id).update(minutes_spent=F("minutes_spent") + minutes)
    _record("conversation.time_spent", conversation_id, user, at, entry=entry.pk, minutes=minutes, note=entry.note)
    return entry


@transaction.atomic
def unspend(conversation_id: int, entry_id: int, user: User, *, at: datetime) -> None:
    """Take one's own entry back. Raises TimeEntry.DoesNotExist."""
    lock(conversation_id)
    entry = TimeEntry.objects.get(pk=entry_id, conversation=conversation_id, user=user)
    minutes = entry.minutes
    entry.delete()
    Conversation.objects.filter(pk=conversation_id).update(minutes_spent=F("minutes_spent") - minutes)
    _record("conversation.time_taken_back", conversation_id, user, at, entry=entry_id, minutes=minutes)


def _record(kind: str, conversation_id: int, user: User, at: datetime, **data: Any) -> None:
    Conversation.objects.filter(pk=conversation_id).update(updated_at=at)
    record(Fact(kind, conversation_id, Actor.agent(user), data=data), at=at)
