"""Taking back what was done a moment ago: changes, as their events tell them, and a reply that has not left yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils.dateparse import parse_datetime

from helpdesk.conversations import handling
from helpdesk.conversations.answers import DELIVER
from helpdesk.conversations.handling import Changes
from helpdesk.conversations.incoming import lock, preview
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import Service, Team, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event, OutboxEntry
from helpdesk.sla import clocks

# The page offers it for ten seconds; the rest is for slow networks and slow hands.
UNDO_WITHIN = timedelta(seconds=60)
MOST_UNDONE = 50
Row = TypeVar("Row", bound=Model)


class TooLate(ValueError):
    """It was done too long ago, has left, or somebody has changed it since."""


@transaction.atomic
def undo(conversation_id: int, user: User, *, after: int, until: int, at: datetime) -> int:
    """Reverse this agent's own changes among the events numbered `after` < seq <= `until`; how many were reversed.

    What somebody has changed since stays. Each reversal is recorded like any change. Raises TooLate where nothing was.
    """
    lock(conversation_id)
    mine = Event.objects.filter(conversation=conversation_id, seq__gt=after, seq__lte=until, actor=user)
    events = mine.filter(at__gte=at - UNDO_WITHIN, kind__in=_REVERSES).order_by("-seq")
    undone = sum(_reverse(event, Actor.agent(user), at) for event in events[:MOST_UNDONE])
    if not undone:
        raise TooLate("nothing of it can be taken back any more")
    return undone


@transaction.atomic
def take_back(message_id: int, user: User, *, at: datetime) -> Message:
    """Undo the agent's own reply before it leaves, with what came of it; the message, which is gone.

    Raises TooLate, Message.DoesNotExist.
    """
    message = Message.objects.get(pk=message_id, agent=user, kind=Message.Kind.OUTBOUND)
    conversation = lock(message.conversation_id)
    written = Event.objects.filter(conversation=conversation, kind="message.written", data__message=message.pk).first()
    entry = OutboxEntry.objects.select_for_update().filter(event=written, handler=DELIVER, done_at=None).first()
    if written is None or entry is None or entry.attempts or entry.due_at <= at:
        raise TooLate("the message has left already")
    gone = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.PENDING)
    if not gone.delete()[0]:
        raise TooLate("the message has left already")
    OutboxEntry.objects.filter(pk=entry.pk).update(done_at=at)
    # What the reply itself changed was recorded in its transaction, at the same instant.
    same = Event.objects.filter(conversation=conversation, at=written.at, actor=user, kind__in=_REVERSES)
    for event in same.order_by("-seq"):
        _reverse(event, Actor.agent(user), at)
    clocks.reopen(conversation.pk, ended_at=message.at)
    _show_last(conversation.pk, at)
    data = {"message": message_id}
    record(Fact("message.taken_back", conversation.pk, Actor.agent(user), public=True, data=data), at=at)
    message.pk = message_id
    return message


def _show_last(conversation_id: int, at: datetime) -> None:
    """As if the reply had never been: notes and what the house says by itself are not shown in lists."""
    said = (
        Message.objects.filter(conversation=conversation_id)
        .exclude(kind=Message.Kind.NOTE)
        .exclude(kind=Message.Kind.OUTBOUND, is_automatic=True)
        .order_by("-pk")
        .first()
    )
    if said is not None:
        Conversation.objects.filter(pk=conversation_id).update(
            updated_at=at, last_message_at=said.at, preview=preview(said.text)
        )


def _reverse(event: Event, actor: Actor, at: datetime) -> bool:
    """Whether this change could be taken back: only what is still as it left it."""
    assert event.conversation_id is not None
    conversation = Conversation.objects.get(pk=event.conversation_id)
    changes = _REVERSES[event.kind](conversation, event.data)
    if changes is None:
        return False
    if event.kind in ("conversation.resolved", "conversation.assigned"):
        clocks.reopen(conversation.pk, ended_at=event.at)
    handling.change(conversation.pk, changes, actor=actor, at=at, may_lack_fields=True)
    # Opening it again starts clocks that nobody owes: those from before go on.
    if event.kind == "conversation.resolved":
        clocks.forget(conversation.pk, started_at=at)
    return True


def _one(model: type[Row], pk: object) -> Row | None:
    """The row that an event names, None for nobody and for what is gone."""
    return model._default_manager.filter(pk=pk).first() if isinstance(pk, int) else None


def _assigned(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    if now.assignee_id != data.get("assignee"):
        return None
    before = _one(User, data.get("was"))
    is_new_again = before is None and data.get("was_status") == Status.NEW and now.status == Status.OPEN
    return Changes(assignee=before, status=Status.NEW) if is_new_again else Changes(assignee=before)


def _released(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    before = _one(User, data.get("was"))
    return Changes(assignee=before) if now.assignee_id is None and before is not None else None


def _moved(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    before = _one(Team, data.get("was"))
    return Changes(team=before) if now.team_id == data.get("team") else None


def _prioritized(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    return Changes(priority=str(data["was"])) if now.priority == data.get("priority") else None


def _status_changed(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    return Changes(status=str(data["was"])) if now.status == data.get("status") else None


def _renamed(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    return Changes(subject=str(data["was"])) if now.subject == data.get("subject") else None


def _tagged(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    same = sorted(now.tags.values_list("name", flat=True)) == data.get("tags")
    return Changes(tags=list(data["was"])) if same else None


def _services_named(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    same = sorted(now.services.values_list("pk", flat=True)) == data.get("services")
    return Changes(services=list(Service.objects.filter(pk__in=data["was"]))) if same else None


def _slept_or_woke(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    # Instants, not texts: agents choose in their own time zones.
    same = now.snoozed_until == parse_datetime(data.get("until") or "")
    return Changes(snoozed_until=parse_datetime(data.get("was") or "")) if same else None


def _marked_as_spam(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    return Changes(is_spam=False) if now.is_spam else None


def _cleared_of_spam(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    return None if now.is_spam else Changes(is_spam=True)


def _filled_in(now: Conversation, data: Mapping[str, Any]) -> Changes | None:
    same = all(now.custom.get(key) == value for key, value in data["now"].items())
    return Changes(custom=dict(data["was"])) if same else None


_REVERSES = {
    "conversation.assigned": _assigned,
    "conversation.released": _released,
    "conversation.moved": _moved,
    "conversation.prioritized": _prioritized,
    "conversation.status_changed": _status_changed,
    "conversation.resolved": _status_changed,
    "conversation.renamed": _renamed,
    "conversation.tagged": _tagged,
    "conversation.services_named": _services_named,
    "conversation.snoozed": _slept_or_woke,
    "conversation.woken": _slept_or_woke,
    "conversation.marked_as_spam": _marked_as_spam,
    "conversation.cleared_of_spam": _cleared_of_spam,
    "conversation.filled_in": _filled_in,
}
