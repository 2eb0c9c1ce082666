"""Who is told of what, and how: on the page, by sound, by Web Push, by mail; each agent chooses, and has quiet hours.

What a page shows is decided when the event is read (`live`, over the socket). Pushes and mails are promises: planned by
a handler of the outbox, sent by others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.conversations import continuing, visibility
from helpdesk.conversations.models import DONE, Conversation, Message, Priority
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.handlers import together
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared
from tickets.desk.models import Mention, NotificationChoice, PushSubscription
from tickets.zones import known_zone

OPENED, MESSAGE, MENTION, ASSIGNMENT, RISK = "opened", "message", "mention", "assignment", "risk"
# Something that may be an incident: of no conversation (tickets.desk.proposed).
PROPOSAL: Final = "proposal"
# A live chat that is offered to one, or waits for one.
CHAT: Final = "chat"
KINDS: Final = (CHAT, OPENED, MESSAGE, MENTION, ASSIGNMENT, RISK, PROPOSAL)
BADGE, TOAST, SOUND, PUSH, MAIL = "badge", "toast", "sound", "push", "mail"
WAYS: Final = (BADGE, TOAST, SOUND, PUSH, MAIL)
# An agent who has never chosen has these, however long they have been here.
DEFAULTS: Final[Mapping[str, frozenset[str]]] = {
    CHAT: frozenset({BADGE, TOAST, SOUND, PUSH}),
    OPENED: frozenset({BADGE, SOUND}),
    MESSAGE: frozenset({BADGE, TOAST, SOUND, MAIL}),
    MENTION: frozenset({BADGE, TOAST, SOUND, PUSH, MAIL}),
    ASSIGNMENT: frozenset({BADGE, TOAST, PUSH, MAIL}),
    RISK: frozenset({BADGE, TOAST, PUSH}),
    PROPOSAL: frozenset({BADGE, TOAST, SOUND, PUSH}),
}
# Mail for these does not exist: they come in floods.
NO_MAIL: Final = (CHAT, OPENED, RISK, PROPOSAL)
# What rings on until somebody takes it, where an agent wants that.
LIVE_CHANNELS: Final = frozenset({"chat"})
VOLUME: Final = 60
SOUNDS: Final = {
    CHAT: "chat",
    OPENED: "new",
    MESSAGE: "message",
    MENTION: "message",
    ASSIGNMENT: "message",
    RISK: "alert",
    PROPOSAL: "alert",
}
# What happened long ago (an import, workers that were down) rings nowhere.
TOLD_WITHIN: Final = timedelta(minutes=30)
# Asked for every note that open pages are told of, and most mention nobody.
_MENTIONED: Final = Prepared(
    "mentioned", f"SELECT message_id, user_id FROM {Mention._meta.db_table} WHERE message_id = ANY(%s::bigint[])"
)

_KIND_OF: Final = {
    "conversation.opened": OPENED,
    "message.received": MESSAGE,
    "note.written": MENTION,
    "conversation.assigned": ASSIGNMENT,
    "clock.warned": RISK,
    "chat.offered": CHAT,
    "chat.nudged": CHAT,
    "quote.accepted": MESSAGE,
    "quote.declined": MESSAGE,
    "quote.upgrade_chosen": MESSAGE,
}


@dataclass(frozen=True, slots=True)
class Told:
    """One agent who is told of one event."""

    user_id: int
    kind: str
    event_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class Choice:
    """How one agent wants to be told."""

    ways: Mapping[str, frozenset[str]] = field(default_factory=lambda: DEFAULTS)
    quiet_from: time | None = None
    quiet_until: time | None = None
    hides_text: bool = False
    volume: int = VOLUME
    rings_for_chats: bool = True
    rings_for_urgent: bool = False
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def ways_for(self, kind: str, at: datetime) -> frozenset[str]:
        """Ways for this kind at `at`: in quiet hours only what makes no noise and leaves the house by no wire."""
        ways = self.ways.get(kind, frozenset())
        return ways & {BADGE} if self.is_quiet(at) else ways

    def rings(self, channel: str | None, priority: str | None, at: datetime) -> bool:
        """Whether a new conversation rings until somebody takes it."""
        is_wanted = (self.rings_for_chats and channel in LIVE_CHANNELS) or (
            self.rings_for_urgent and priority == Priority.URGENT
        )
        return is_wanted and not self.is_quiet(at)

    def is_quiet(self, at: datetime) -> bool:
        if self.quiet_from is None or self.quiet_until is None:
            return False
        clock = at.astimezone(self.zone).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until


def choices_of(user_ids: Collection[int]) -> dict[int, Choice]:
    """How each active one of these agents wants to be told; two statements."""
    kept = NotificationChoice.objects.in_bulk(list(user_ids), field_name="user_id")
    users = User.objects.filter(pk__in=user_ids, is_active=True)
    return {user.pk: choice(user, kept.get(user.pk)) for user in users}


def choice(user: User, kept: NotificationChoice | None) -> Choice:
    given: Mapping[str, Sequence[str]] = kept.ways if kept else {}
    ways = {kind: frozenset(given[kind]) if kind in given else DEFAULTS[kind] for kind in KINDS}
    if not user.notify_by_email:
        ways = {kind: chosen - {MAIL} for kind, chosen in ways.items()}
    if kept is None:
        return Choice(ways, zone=known_zone(user.timezone))
    return Choice(
        ways,
        kept.quiet_from,
        kept.quiet_until,
        kept.hides_text,
        kept.volume,
        kept.rings_for_chats,
        kept.rings_for_urgent,
        known_zone(user.timezone),
    )


class HalfQuiet(ValueError):
    """Quiet hours with a beginning and no end, or the other way round."""


@transaction.atomic
def keep_choice(
    user: User,
    ways: Mapping[str, Sequence[str]],
    quiet_from: time | None,
    quiet_until: time | None,
    hides_text: bool,
    volume: int = VOLUME,
    rings_for_chats: bool = True,
    rings_for_urgent: bool = False,
) -> None:
    """Tell the agent so from now on; `volume` is a percentage. Raises HalfQuiet."""
    if (quiet_from is None) != (quiet_until is None):
        raise HalfQuiet(_("Quiet hours have a beginning and an end; leave both empty for none."))
    kept = {
        "ways": ways,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "hides_text": hides_text,
        "volume": volume,
        "rings_for_chats": rings_for_chats,
        "rings_for_urgent": rings_for_urgent,
    }
    NotificationChoice.objects.update_or_create(user=user, defaults=kept)
    # The older switch for all mails (API) goes along: who wants one here wants mails.
    by_mail = any(MAIL in chosen for chosen in ways.values())
    User.objects.filter(pk=user.pk).update(notify_by_email=by_mail)


def told(events: Iterable[Any], among: Collection[int] | None = None) -> list[Told]:
    """Who is told of these events; of `among` alone, where that is given. Nobody is told of what they did themselves,
    nor of what they may not see. `events` are rows of the log or of Event.
    """
    ringing = [event for event in events if event.kind in _KIND_OF and event.conversation_id]
    ringing = [event for event in ringing if not event.data.get("automatic")]
    if not ringing:
        return []
    mentioned = _mentioned([event.data["message"] for event in ringing if event.kind == "note.written"])
    ringing = [one for one in ringing if one.kind != "note.written" or one.data["message"] in mentioned]
    if not ringing:
        return []
    rows = Conversation.objects.filter(pk__in={event.conversation_id for event in ringing}, is_spam=False)
    conversations = {row[0]: row for row in rows.values_list("pk", "team_id", "assignee_id", "status", "channel")}
    members = _members({row[1] for row in conversations.values() if row[1]})
    found: list[Told] = []
    for event in ringing:
        row = conversations.get(event.conversation_id)
        if row is None or (row[3] in DONE and event.kind != "note.written"):
            continue
        if event.kind == "conversation.opened" and row[4] in LIVE_CHANNELS and _is_live(row[0], event.at):
            continue  # a chat says itself whom it is offered to
        for user_id in sorted(_addressees(event, row[1], row[2], members, mentioned) - {event.actor_id}):
            if among is None or user_id in among:
                found.append(Told(user_id, _KIND_OF[event.kind], event.id, event.conversation_id))
    allowed = visibility.watchers({one.conversation_id for one in found}, {one.user_id for one in found})
    return [one for one in found if (one.conversation_id, one.user_id) in allowed]


def _is_live(conversation_id: int, at: datetime) -> bool:
    conversation = Conversation.objects.select_related("customer").get(pk=conversation_id)
    return continuing.particulars(conversation, at=at).is_live


def _addressees(
    event: Any,
    team: int | None,
    assignee: int | None,
    members: Mapping[int, set[int]],
    mentioned: Mapping[int, set[int]],
) -> set[int]:
    # The chats themselves say whose turn it is.
    if _KIND_OF[event.kind] == CHAT:
        return set(event.data.get("agents", ()))
    if event.kind == "note.written":
        return mentioned.get(event.data["message"], set())
    if assignee is not None and event.kind != "conversation.opened":
        return {assignee}
    if event.kind in ("conversation.opened", "clock.warned") and team is not None:
        return members.get(team, set())
    return set()


def _members(teams: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    if teams:
        for team, user in User.teams.through.objects.filter(team_id__in=teams).values_list("team_id", "user_id"):
            found.setdefault(team, set()).add(user)
    return found


def _mentioned(messages: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    if messages:
        for message, user in _MENTIONED.rows([list(messages)]):
            found.setdefault(message, set()).add(user)
    return found


def live(events: Sequence[Any], users: Collection[int]) -> list[tuple[int, int, dict[str, Any]]]:
    """What the open pages of these agents are told of these events: agent, conversation, and the fields of the frame.
    For `LIVE_DESK`.
    """
    at = timezone.now()
    found = told([event for event in events if at - event.at <= TOLD_WITHIN], users)
    if not found:
        return []
    by_id = {event.id: event for event in events}
    choices = choices_of({one.user_id for one in found})
    frames = []
    for one in found:
        choice = choices[one.user_id]
        ways, event = choice.ways_for(one.kind, at), by_id[one.event_id]
        rings = _begins_to_ring(event) and not event.assignee_id and choice.rings(event.channel, event.priority, at)
        if rings or ways & {BADGE, TOAST, SOUND}:
            fields = {
                "id": one.event_id,
                "conv": one.conversation_id,
                "kind": one.kind,
                "title": event.customer or "",
                "text": event.subject or event.preview or "",
                "badge": BADGE in ways,
                "toast": TOAST in ways,
                "sound": SOUNDS[one.kind] if SOUND in ways else "",
                "volume": choice.volume,
                "rings": rings,
            }
            frames.append((one.user_id, one.conversation_id, fields))
    return frames


def _begins_to_ring(event: Any) -> bool:
    """Live chats ring where they are offered, everything else for the whole team."""
    if event.kind == "chat.nudged":
        return event.data.get("nudge") in ("half", "most", "late")
    return event.kind == "chat.offered" or (event.kind == "conversation.opened" and event.channel not in LIVE_CHANNELS)


def wakeable(user_ids: Collection[int]) -> set[int]:
    """Those of these agents who have a browser that a push message reaches. For `LIVE_DESK`."""
    return set(PushSubscription.objects.filter(user__in=user_ids).values_list("user_id", flat=True))


@together
def plan(events: Sequence[Event], at: datetime) -> None:
    """Record `notice.planned` for each push and mail that shall leave; each is sent by handlers of its own."""
    fresh = [event for event in events if at - event.at <= TOLD_WITHIN]
    found = told(fresh)
    choices = choices_of({one.user_id for one in found}) if found else {}
    facts = []
    for one in found:
        ways = choices[one.user_id].ways_for(one.kind, at) & {PUSH, MAIL}
        # The assignee's mail holds the whole message and a way back; it has a handler of its own.
        if one.kind != MENTION:
            ways -= {MAIL}
        if ways:
            data = {"user": one.user_id, "kind": one.kind, "of": one.event_id, "conversation": one.conversation_id}
            facts.append(Fact("notice.planned", data=data | {"ways": sorted(ways)}))
    record_all(facts, at=at)


def wants_mail(user: User, kind: str, at: datetime) -> bool:
    kept = NotificationChoice.objects.filter(user=user).first()
    return MAIL in choice(user, kept).ways_for(kind, at)


def message_of(event: Event) -> Message | None:
    """The message that an event is about."""
    number = event.data.get("message")
    return Message.objects.filter(pk=number).first() if number is not None else None
