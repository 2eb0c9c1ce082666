"""Agents as chat partners: whether they take chats now, which they say themselves or their silence does."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from chat import dues, whispers
from chat.models import Chat, ChatAgent, ChatDue
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.prepared import Prepared

# Without a key or a pointer moved for so long, or without any page open, an agent is away by themselves.
WITHOUT_INPUT: Final = timedelta(minutes=10)
WITHOUT_PAGE: Final = timedelta(minutes=2)
# What is noted of an agent is noted this exactly, so that looking does not write.
NOTED_EVERY: Final = timedelta(minutes=1)
MOST_CAPACITY: Final = 50
MOST_SKILLS: Final = 30
LONGEST_SKILL: Final = 40
# Who waits is looked at anew when an agent comes; more than that are not waiting anywhere.
MOST_WAITING: Final = 200

_AGENT = ChatAgent._meta.db_table
# A row is made with the first sign of an agent; viewers have none, they do not chat.
_NOTE = f"""
INSERT INTO {_AGENT} (user_id, state, is_auto_away, capacity, skills, is_shown, public_name, picture, enter_sends,
                      connected_at, active_at)
SELECT id, 'available', false, 3, '{{{{}}}}', true, '', '', true, %(at)s::timestamptz, %(at)s::timestamptz
FROM {User._meta.db_table} WHERE id = %(user)s::bigint AND is_active AND role <> 'viewer'
ON CONFLICT (user_id) DO UPDATE SET {{noted}}
"""
_CONNECTED = Prepared(
    "chat_agent_connected",
    _NOTE.format(
        noted=f"""connected_at = excluded.connected_at,
        active_at = coalesce({_AGENT}.active_at, excluded.active_at)
    WHERE {_AGENT}.connected_at IS NULL OR {_AGENT}.connected_at < %(before)s::timestamptz""",
    ),
)
_ACTIVE = Prepared(
    "chat_agent_active",
    _NOTE.format(
        noted=f"""connected_at = excluded.connected_at, active_at = excluded.active_at
    WHERE {_AGENT}.active_at IS NULL OR {_AGENT}.active_at < %(before)s::timestamptz""",
    ),
)


def of(user: User) -> ChatAgent:
    """The agent's row; a new one, available, where there was none."""
    return ChatAgent.objects.get_or_create(user=user)[0]


def connected(user_id: int, *, at: datetime, exactly: bool = False) -> None:
    """A page of theirs is open; noted once a minute, or `exactly` when the last one may have gone."""
    before = at if exactly else at - NOTED_EVERY
    _CONNECTED.run({"user": user_id, "at": at, "before": before})


def active(user_id: int, *, at: datetime) -> bool:
    """They did something: a key, a message, a look at a page. Who was away by itself is back: whether that was so."""
    _ACTIVE.run({"user": user_id, "at": at, "before": at - NOTED_EVERY})
    if not ChatAgent.objects.filter(user=user_id, is_auto_away=True).exists():
        return False
    return _move(Q(user=user_id, is_auto_away=True), ChatAgent.State.AVAILABLE, False, Actor("agent", user_id), at) > 0


def noted(user_id: int, *, at: datetime) -> None:
    """They took a chat or wrote in one, wherever they are: customers are shown who was active last. Noted once a
    minute; it makes nobody available.
    """
    earlier = Q(active_at=None) | Q(active_at__lt=at - NOTED_EVERY)
    ChatAgent.objects.filter(earlier, pk=user_id).update(active_at=at)


def choose(user: User, state: str, *, at: datetime) -> None:
    """The agent says so themselves. Away by their own word lasts until they take it back."""
    agent = of(user)
    ChatAgent.objects.filter(pk=agent.pk).update(active_at=at, connected_at=at)
    changed = ~Q(state=state) | Q(is_auto_away=True)
    _move(Q(pk=agent.pk) & changed, state, False, Actor.agent(user), at)


def sweep(at: datetime) -> int:
    """Away are those who have been silent for long, or whose last page closed a while ago; how many."""
    there = Q(state=ChatAgent.State.AVAILABLE)
    silent = Q(active_at__lt=at - WITHOUT_INPUT)
    gone = Q(connected_at__lt=at - WITHOUT_PAGE) | Q(connected_at=None)
    woken = wakeable(ChatAgent.objects.filter(there & gone).values_list("pk", flat=True))
    found = there & (silent | (gone & ~Q(pk__in=woken)))
    return _move(found, ChatAgent.State.AWAY, True, SYSTEM, at)


def wakeable(user_ids: Collection[int]) -> set[int]:
    """Those of these agents whom a push message reaches although no page is open."""
    if not user_ids:
        return set()
    found: set[int] = import_string(settings.LIVE_DESK["wakeable"])(list(user_ids))
    return found


@transaction.atomic
def _move(which: Q, state: str, is_auto: bool, actor: Actor, at: datetime) -> int:
    if state == ChatAgent.State.AVAILABLE and ChatAgent.objects.filter(which).exists():
        # What is due of chats is locked before agents, here as in the sweep.
        look_at_waiting(at)
    rows = list(ChatAgent.objects.select_for_update().filter(which).order_by("pk"))
    ChatAgent.objects.filter(pk__in=[row.pk for row in rows]).update(state=state, is_auto_away=is_auto)
    for row in rows:
        data = {"agent": row.pk, "state": state, "by_itself": is_auto}
        record(Fact("chat.agent_changed", None, actor, data=data), at=at)
    if rows:
        transaction.on_commit(whispers.availability_changed, robust=True)
    return len(rows)


def look_at_waiting(at: datetime) -> None:
    """Somebody is free now: those who wait and are offered to nobody are looked at again, who came first before all."""
    waiting = Chat.objects.filter(state=Chat.State.WAITING, mode=Chat.Mode.CHAT, offered_to=None)
    numbers = waiting.order_by("started_at", "pk").values_list("pk", flat=True)[:MOST_WAITING]
    for place, number in enumerate(numbers):
        dues.plan(number, ChatDue.Kind.OFFER, at + place * timedelta.resolution)


def profile(user: User) -> Mapping[str, Any] | None:
    """What an open page is told of its agent: None for viewers, who do not chat."""
    if user.role == User.Role.VIEWER:
        return None
    agent = of(user)
    return {"state": agent.state, "auto": agent.is_auto_away, "enter": agent.enter_sends}
