"""What agents do with a conversation: assign, move, resolve, snooze, tag. All but `change` take it locked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.conversations import custom_fields, promises
from helpdesk.conversations.incoming import add_tags, lock
from helpdesk.conversations.models import DONE, Conversation, CustomField, Status
from helpdesk.customers.models import Service, Team, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor


class Unset:
    """Says "leave it as it is" where None means "nobody"."""


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of a conversation; what is left UNSET stays."""

    status: str | Unset = UNSET
    priority: str | Unset = UNSET
    team: Team | Unset | None = UNSET
    assignee: User | Unset | None = UNSET
    subject: str | Unset = UNSET
    tags: Iterable[str] | Unset = UNSET
    services: Iterable[Service] | Unset = UNSET
    custom: dict[str, Any] | Unset = UNSET
    snoozed_until: datetime | Unset | None = UNSET
    is_spam: bool | Unset = UNSET


@transaction.atomic
def change(
    conversation_id: int, changes: Changes, *, actor: Actor, at: datetime, may_lack_fields: bool = False
) -> Conversation:
    """Make several changes in one commit, each with its event; what is the same already changes nothing.

    Raises CannotSleep, and NotFilledIn unless it `may_lack_fields`.
    """
    conversation = lock(conversation_id)
    if not isinstance(changes.subject, Unset):
        rename(conversation, changes.subject, actor=actor, at=at)
    if not isinstance(changes.team, Unset):
        move(conversation, changes.team, actor=actor, at=at)
    if not isinstance(changes.priority, Unset):
        prioritize(conversation, changes.priority, actor=actor, at=at)
    if not isinstance(changes.assignee, Unset):
        assign(conversation, changes.assignee, actor=actor, at=at)
    if not isinstance(changes.tags, Unset):
        tag(conversation, changes.tags, actor=actor, at=at)
    if not isinstance(changes.services, Unset):
        name_services(conversation, changes.services, actor=actor, at=at)
    if not isinstance(changes.custom, Unset):
        fill_in(conversation, changes.custom, actor=actor, at=at)
    if not isinstance(changes.status, Unset):
        change_status(conversation, changes.status, actor=actor, at=at, may_lack_fields=may_lack_fields)
    if not isinstance(changes.snoozed_until, Unset):
        snooze(conversation, changes.snoozed_until, actor=actor, at=at)
    if not isinstance(changes.is_spam, Unset):
        mark_spam(conversation, changes.is_spam, actor=actor, at=at)
    return conversation


def assign(conversation: Conversation, user: User | None, *, actor: Actor, at: datetime) -> None:
    """Give it to a person: that dispatches it. To nobody: the hour to dispatch it begins again."""
    if conversation.assignee_id == (user.pk if user else None):
        return
    before, was_status = conversation.assignee_id, conversation.status
    conversation.assignee = user
    if user is None:
        _save(conversation, at, "assignee")
        if conversation.status not in DONE:
            promises.released(conversation, at=at)
        _record("conversation.released", conversation, actor, at, was=before)
        return
    if conversation.status == Status.NEW:
        conversation.status = Status.OPEN
    conversation.dispatched_at = conversation.dispatched_at or at
    _save(conversation, at, "assignee", "status", "dispatched_at")
    promises.dispatched(conversation, at=at)
    _record("conversation.assigned", conversation, actor, at, was=before, was_status=was_status, assignee=user.pk)


def move(conversation: Conversation, team: Team | None, *, actor: Actor, at: datetime) -> None:
    """Hand it to a team. That dispatches nothing: a team is not a person."""
    if conversation.team_id == (team.pk if team else None):
        return
    before, conversation.team = conversation.team_id, team
    _save(conversation, at, "team")
    _record("conversation.moved", conversation, actor, at, was=before, team=conversation.team_id)


def prioritize(conversation: Conversation, priority: str, *, actor: Actor, at: datetime) -> None:
    if conversation.priority == priority:
        return
    before, conversation.priority = conversation.priority, priority
    _save(conversation, at, "priority")
    promises.reprioritized(conversation, at=at)
    _record("conversation.prioritized", conversation, actor, at, was=before, priority=priority)


class NotFilledIn(ValueError):
    """Required fields are empty: it cannot be done with. `fields` are those."""

    def __init__(self, fields: list[CustomField]) -> None:
        names = ", ".join(field.name for field in fields)
        super().__init__(_("Fill in before it is resolved: %(fields)s.") % {"fields": names})
        self.fields = fields


def change_status(
    conversation: Conversation, status: str, *, actor: Actor, at: datetime, may_lack_fields: bool = False
) -> None:
    """Move to another status; clocks pause while we wait and end when it is done.

    An assigned conversation cannot be new again: that word means nobody has seen it. Whoever resolves or closes one
    fills in the required fields first; it `may_lack_fields` where nobody is there to fill them in (a silence, the
    all-clear of a monitoring), where there is no need to (spam, a merge), and where it is only put back as it was.
    Raises NotFilledIn.
    """
    if status == Status.NEW and conversation.assignee_id is not None:
        status = Status.OPEN
    if conversation.status == status:
        return
    was_done, is_done = conversation.status in DONE, status in DONE
    if is_done and not was_done and not may_lack_fields:
        empty = custom_fields.missing(conversation.custom)
        if empty:
            raise NotFilledIn(empty)
    before, conversation.status = conversation.status, status
    conversation.resolved_at = (conversation.resolved_at or at) if is_done else None
    if is_done:
        conversation.snoozed_until = None
    else:
        conversation.is_spam = False
    _save(conversation, at, "status", "resolved_at", "snoozed_until", "is_spam")
    if is_done and not was_done:
        promises.resolved(conversation, at=at)
    elif was_done and not is_done:
        promises.start_answering(conversation, at=at)
    if not is_done and status in promises.WAITING:
        promises.pause(conversation, at=at)
    elif not is_done and before in promises.WAITING:
        promises.resume(conversation, at=at)
        if conversation.assignee_id is None:
            promises.released(conversation, at=at)
    kind = "conversation.resolved" if is_done and not was_done else "conversation.status_changed"
    _record(kind, conversation, actor, at, public=True, was=before, status=status)


class CannotSleep(ValueError):
    """What is done, or until a time that has passed, cannot be put off."""


def snooze(conversation: Conversation, until: datetime | None, *, actor: Actor, at: datetime) -> None:
    """Put it out of sight until a time, or back with None. Its clocks go on: a promise does not sleep.

    Raises CannotSleep.
    """
    if conversation.snoozed_until == until:
        return
    if until is not None and (conversation.status in DONE or until <= at):
        raise CannotSleep(until)
    before = conversation.snoozed_until.isoformat() if conversation.snoozed_until else None
    conversation.snoozed_until = until
    _save(conversation, at, "snoozed_until")
    if until is None:
        _record("conversation.woken", conversation, actor, at, was=before)
    else:
        _record("conversation.snoozed", conversation, actor, at, was=before, until=until.isoformat())


def mark_spam(conversation: Conversation, is_spam: bool, *, actor: Actor, at: datetime) -> None:
    """Close it as spam, or open it again as none."""
    if conversation.is_spam == is_spam:
        return
    status = Status.CLOSED if is_spam else Status.OPEN
    change_status(conversation, status, actor=actor, at=at, may_lack_fields=True)
    conversation.is_spam = is_spam
    _save(conversation, at, "is_spam")
    _record("conversation.marked_as_spam" if is_spam else "conversation.cleared_of_spam", conversation, actor, at)


def fill_in(conversation: Conversation, values: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Set these custom fields and leave the others; None empties one."""
    before = conversation.custom
    changed = {key: value for key, value in values.items() if before.get(key) != value}
    if not changed:
        return
    conversation.custom = {key: value for key, value in (before | changed).items() if value is not None}
    _save(conversation, at, "custom")
    was = {key: before.get(key) for key in changed}
    _record("conversation.filled_in", conversation, actor, at, was=was, now=changed)


def wake_due(at: datetime, limit: int = 100) -> int:
    """Bring back what was put off until now. Two at once bring back different ones."""
    due = Conversation.objects.filter(snoozed_until__lte=at).order_by("snoozed_until", "pk")
    with transaction.atomic():
        found = list(due.select_for_update(skip_locked=True, no_key=True)[:limit])
        for conversation in found:
            snooze(conversation, None, actor=SYSTEM, at=at)
    return len(found)


def rename(conversation: Conversation, subject: str, *, actor: Actor, at: datetime) -> None:
    if conversation.subject == subject:
        return
    before, conversation.subject = conversation.subject, subject[:500]
    _save(conversation, at, "subject")
    _record("conversation.renamed", conversation, actor, at, was=before, subject=subject)


def tag(conversation: Conversation, names: Iterable[str], *, actor: Actor, at: datetime) -> None:
    """Set the tags to exactly these."""
    wanted = sorted({name.strip().lower()[:80] for name in names if name.strip()})
    before = sorted(conversation.tags.values_list("name", flat=True))
    if wanted == before:
        return
    conversation.tags.through.objects.filter(conversation=conversation).exclude(tag__name__in=wanted).delete()
    add_tags(conversation, wanted)
    _save(conversation, at)
    _record("conversation.tagged", conversation, actor, at, was=before, tags=wanted)


def name_services(conversation: Conversation, services: Iterable[Service], *, actor: Actor, at: datetime) -> None:
    """Say which services it is about."""
    wanted = {service.pk for service in services}
    before = set(conversation.services.values_list("pk", flat=True))
    if wanted == before:
        return
    conversation.services.set(wanted)
    _save(conversation, at)
    _record("conversation.services_named", conversation, actor, at, was=sorted(before), services=sorted(wanted))


def _save(conversation: Conversation, at: datetime, *fields: str) -> None:
    conversation.updated_at = at
    conversation.save(update_fields=[*fields, "updated_at"])


def _record(
    kind: str, conversation: Conversation, actor: Actor, at: datetime, *, public: bool = False, **data: Any
) -> None:
    record(Fact(kind, conversation.pk, actor, public=public, data=data), at=at)
