"""A chat that waits is offered to one agent at a time: whose turn it is, who has room, the team and the skills.

An offer lasts half a minute, then the next is asked. Where all are busy the visitor is told their place; where all have
declined or are away it stays open to everybody, and rings.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q

from chat import agents, dues, queueing
from chat.models import Chat, ChatAgent, ChatDue
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared

LASTS: Final = timedelta(seconds=30)
# While all are busy, or nobody is there, it is looked again this often; an agent who comes or is free is found at once.
LOOKS_AGAIN: Final = timedelta(seconds=15)
_MEMBERS = User.teams.through._meta.db_table
_OF_TEAM = f"""
    agent.is_active AND agent.role <> 'viewer' AND (%(team)s::bigint IS NULL OR EXISTS (
        SELECT FROM {_MEMBERS} AS member WHERE member.team_id = %(team)s::bigint AND member.user_id = agent.id))
"""
# Skills that nobody has said they have are no skills: a tag is a tag.
_NEXT = Prepared(
    "next_chat_agent",
    f"""
WITH wanted AS (
    SELECT array(SELECT DISTINCT lower(skill)
                 FROM {ChatAgent._meta.db_table} AS any_agent, unnest(any_agent.skills) AS skill
                 WHERE lower(skill) = ANY(%(skills)s::text[])) AS skills
)
SELECT there.user_id, busy.chats < there.capacity
FROM {ChatAgent._meta.db_table} AS there
JOIN {User._meta.db_table} AS agent ON agent.id = there.user_id
CROSS JOIN wanted
CROSS JOIN LATERAL (
    SELECT count(*) AS chats FROM {Chat._meta.db_table} AS chat
    JOIN {Conversation._meta.db_table} AS held ON held.id = chat.conversation_id
    WHERE chat.state = 'active' AND held.assignee_id = there.user_id
) AS busy
CROSS JOIN LATERAL (
    SELECT count(*) AS chats FROM {Chat._meta.db_table} AS asked
    WHERE asked.state = 'waiting' AND asked.offered_to_id = there.user_id
) AS offered
WHERE there.state = 'available' AND NOT there.user_id = ANY(%(declined)s::bigint[]) AND offered.chats = 0 AND {_OF_TEAM}
ORDER BY busy.chats < there.capacity DESC, there.user_id IS NOT DISTINCT FROM %(known)s::bigint DESC,
    array(SELECT lower(skill) FROM unnest(there.skills) AS skill) @> wanted.skills DESC,
    there.offered_at NULLS FIRST, there.user_id
LIMIT 1
""",
)
_TEAM = Prepared("chat_team", f"SELECT agent.id FROM {User._meta.db_table} AS agent WHERE {_OF_TEAM} ORDER BY agent.id")
_OPEN, _BUSY = "open", "busy"
# This room's number among advisory locks.
_LOCK: Final = 0xC4A7


def look(chat: Chat, at: datetime) -> datetime | None:
    """What CHAT_DUES calls: offer it to the next agent, or look again later. The caller holds the lock."""
    if chat.mode != Chat.Mode.CHAT or chat.state != Chat.State.WAITING:
        return None
    if chat.offered_to_id is not None and chat.offered_until is not None:
        if chat.offered_until > at and _is_there(chat.offered_to_id):
            return chat.offered_until
        chat.declined_by = [*chat.declined_by, chat.offered_to_id]
    return _offer(chat, at)


def _is_there(user_id: int) -> bool:
    return ChatAgent.objects.filter(pk=user_id, state=ChatAgent.State.AVAILABLE, user__is_active=True).exists()


def _offer(chat: Chat, at: datetime) -> datetime:
    had = chat.offered_to_id
    # One at a time, so that no two chats are offered to the same agent.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    about = chat.conversation
    # Who had it before a pause comes first.
    asked = {"team": about.team_id, "known": about.assignee_id, "skills": _skills(chat), "declined": chat.declined_by}
    found = _NEXT.row(asked)
    if found is not None and found[1]:
        _keep(chat, found[0], at + LASTS)
        ChatAgent.objects.filter(pk=found[0]).update(offered_at=at)
        _record(chat, {"agent": found[0], "agents": [found[0]], "until": at + LASTS}, at)
        return at + LASTS
    _keep(chat, None, None)
    why = _BUSY if found is not None or _somebody_is_asked(chat) else _OPEN
    # Said once, not every time nobody is found again.
    if why != _last_said(chat) or had is not None:
        _record(chat, {"agent": None, "agents": team_of(chat) if why == _OPEN else [], "why": why}, at)
    return at + LOOKS_AGAIN


def _keep(chat: Chat, user_id: int | None, until: datetime | None) -> None:
    chat.offered_to_id, chat.offered_until = user_id, until
    chat.save(update_fields=["offered_to", "offered_until", "declined_by"])


def _somebody_is_asked(chat: Chat) -> bool:
    """Whether an agent of the team who could take it is being asked about another chat just now."""
    asked = Q(state=Chat.State.WAITING, offered_to__isnull=False) & ~Q(pk=chat.pk)
    if chat.conversation.team_id is not None:
        asked &= Q(offered_to__teams=chat.conversation.team_id)
    return Chat.objects.filter(asked).exclude(offered_to__in=chat.declined_by).exists()


def _last_said(chat: Chat) -> str:
    last = (
        Event.objects.filter(conversation=chat.pk, kind="chat.offered").order_by("-seq").values_list("data", flat=True)
    )
    said: dict[str, Any] = last.first() or {}
    return str(said.get("why", ""))


def team_of(chat: Chat) -> list[int]:
    """Everybody who may take it: the team's members, without a team all agents."""
    return [row[0] for row in _TEAM.rows({"team": chat.conversation.team_id})]


def _skills(chat: Chat) -> Sequence[str]:
    """What the chat is about, and the language it is held in."""
    tags: Collection[str] = chat.conversation.tags.values_list("name", flat=True)
    spoken = (chat.visit.language if chat.visit else "").split("-")[0]
    return [*(tag.lower() for tag in tags), *([spoken.lower()] if spoken else [])]


def _record(chat: Chat, data: dict[str, Any], at: datetime) -> None:
    record(Fact("chat.offered", chat.pk, SYSTEM, data=data), at=at)
    transaction.on_commit(queueing.tell, robust=True)


@transaction.atomic
def decline(conversation_id: int, user: User, *, at: datetime) -> bool:
    """Not this agent, not now: the next one is asked at once. False where it was not offered to them."""
    conversation = lock(conversation_id)
    chat = Chat.objects.select_related("visit").filter(pk=conversation_id, offered_to=user).first()
    if chat is None or chat.state != Chat.State.WAITING:
        return False
    chat.conversation = conversation
    chat.declined_by = [*chat.declined_by, user.pk]
    record(Fact("chat.declined", conversation_id, Actor.agent(user), data={"agent": user.pk}), at=at)
    # What is due is locked before agents, here as in the sweep.
    dues.plan(conversation_id, ChatDue.Kind.OFFER, at + LASTS)
    dues.plan(conversation_id, ChatDue.Kind.OFFER, _offer(chat, at))
    return True


def begin_again(chat: Chat, at: datetime) -> None:
    """Ask everybody once more, also those who declined."""
    Chat.objects.filter(pk=chat.pk, state=Chat.State.WAITING).update(declined_by=[])
    if chat.offered_to_id is None:
        dues.plan(chat.pk, ChatDue.Kind.OFFER, at)


def room_again(event: Event, at: datetime) -> None:
    """An event's handler: a chat was taken or is over, so places move, and an agent may have room for the next one."""
    agents.look_at_waiting(at)
    gone = [event.conversation_id] if event.conversation_id else []
    transaction.on_commit(lambda: queueing.tell(gone), robust=True)
