"""Which conversations an agent may see: the one place that pages, API, search and sockets ask.

Everybody's, but those of private teams, which their members and admins see alone.
"""

from django.db.models import Q, QuerySet

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User

_HIDDEN = f"""
SELECT team.id FROM {Team._meta.db_table} AS team WHERE team.is_private AND NOT EXISTS (
    SELECT 1 FROM {User.teams.through._meta.db_table} AS member
    WHERE member.team_id = team.id AND member.user_id = %(user)s)
"""


def condition(user: User, column: str = "team_id") -> str:
    """SQL that holds where the agent may see what is of the team in `column`; it asks for `%(user)s`."""
    if user.is_admin:
        return "true"
    # Private teams are few: the database looks once which ones are closed to this agent.
    return f"({column} IS NULL OR {column} NOT IN ({_HIDDEN}))"


def visible_to(user: User, path: str = "") -> Q:
    """The same for the ORM, on Conversation or on what reaches it by `path`, such as "conversation__"."""
    if user.is_admin:
        return Q()
    hidden = Team.objects.filter(is_private=True).exclude(members=user)
    return Q(**{f"{path}team": None}) | ~Q(**{f"{path}team__in": hidden})


def visible_conversations(user: User) -> QuerySet[Conversation]:
    return Conversation.objects.filter(visible_to(user))


def may_see(user: User, conversation_id: int) -> bool:
    return visible_conversations(user).filter(pk=conversation_id).exists()
