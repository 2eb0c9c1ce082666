"""Which conversations an agent may see."""

from collections.abc import Collection

from django.db import connection
from django.db.models import QuerySet

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.customers.visibility import condition, visible_teams, visible_to

__all__ = ["condition", "may_see", "visible_conversations", "visible_teams", "visible_to", "watchers"]

_WATCHERS = f"""
SELECT conversation.id, agent.id
FROM {Conversation._meta.db_table} AS conversation
LEFT JOIN {Team._meta.db_table} AS team ON team.id = conversation.team_id
CROSS JOIN {User._meta.db_table} AS agent
WHERE conversation.id = ANY(%(conversations)s) AND agent.id = ANY(%(agents)s) AND agent.is_active
  AND (agent.role = 'admin' OR team.is_private IS NOT TRUE OR EXISTS (
        SELECT FROM {User.teams.through._meta.db_table} AS member
        WHERE member.team_id = team.id AND member.user_id = agent.id))
"""


def visible_conversations(user: User) -> QuerySet[Conversation]:
    return Conversation.objects.filter(visible_to(user))


def may_see(user: User, conversation_id: int) -> bool:
    return visible_conversations(user).filter(pk=conversation_id).exists()


def watchers(conversation_ids: Collection[int], user_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these agents may see which of these conversations, as (conversation, agent); one statement, for what is
    told to many at once. Agents who are no longer active see nothing.
    """
    if not conversation_ids or not user_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_WATCHERS, {"conversations": list(conversation_ids), "agents": list(user_ids)})
        return set(cursor.fetchall())
