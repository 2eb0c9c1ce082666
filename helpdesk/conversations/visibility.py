"""Which conversations an agent may see."""

from collections.abc import Collection

from django.db.models import Exists, Q, QuerySet

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.customers.visibility import condition, visible_teams, visible_to
from helpdesk.numbers import LARGEST_ID
from helpdesk.prepared import Prepared

__all__ = [
    "condition",
    "last_event",
    "may_see",
    "readers",
    "visible_conversations",
    "visible_teams",
    "visible_to",
    "watchers",
]


def _sees(role: str) -> Prepared:
    """Asked with every request that names a conversation: the ORM would take longer to write it than all the rest."""
    return Prepared(
        f"conversation_seen_by_{role}",
        f"SELECT last_seq FROM {Conversation._meta.db_table} "
        f"WHERE id = %(conversation)s AND %(user)s::bigint IS NOT NULL AND {condition(User(role=role))}",
    )


_SEEN_BY_ADMIN, _SEEN_BY_AGENT = _sees(User.Role.ADMIN), _sees(User.Role.AGENT)
_WATCHERS = Prepared(
    "watchers",
    f"""
SELECT conversation.id, agent.id
FROM {Conversation._meta.db_table} AS conversation
LEFT JOIN {Team._meta.db_table} AS team ON team.id = conversation.team_id
CROSS JOIN {User._meta.db_table} AS agent
WHERE conversation.id = ANY(%(conversations)s::bigint[]) AND agent.id = ANY(%(agents)s::bigint[]) AND agent.is_active
  AND (agent.role = 'admin' OR team.is_private IS NOT TRUE OR EXISTS (
        SELECT FROM {User.teams.through._meta.db_table} AS member
        WHERE member.team_id = team.id AND member.user_id = agent.id))
""",
)


def visible_conversations(user: User) -> QuerySet[Conversation]:
    return Conversation.objects.filter(visible_to(user))


def may_see(user: User, conversation_id: int) -> bool:
    return last_event(user, conversation_id) is not None


def last_event(user: User, conversation_id: int) -> int | None:
    """The `last_seq` of a conversation; None where this agent sees none of this number. One statement."""
    if not 0 < conversation_id <= LARGEST_ID:
        return None
    seen = _SEEN_BY_ADMIN if user.is_admin else _SEEN_BY_AGENT
    row = seen.row({"conversation": conversation_id, "user": user.pk})
    return None if row is None else row[0]


def readers(agents: QuerySet[User], conversation_id: int) -> QuerySet[User]:
    """Those of these agents who may see it: of a private team's its members and admins."""
    private = Conversation.objects.filter(pk=conversation_id, team__is_private=True).values("team")
    return agents.filter(Q(role=User.Role.ADMIN) | Q(teams__in=private) | ~Exists(private)).distinct()


def watchers(conversation_ids: Collection[int], user_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these agents may see which of these conversations, as (conversation, agent); one statement, for what is
    told to many at once. Agents who are no longer active see nothing.
    """
    if not conversation_ids or not user_ids:
        return set()
    found = _WATCHERS.rows({"conversations": list(conversation_ids), "agents": list(user_ids)})
    return {(conversation, agent) for conversation, agent in found}
