"""What agents may see: everything, but what belongs to private teams, which their members and admins see alone; and
what of an organization its managers see.

The one place that pages, API, search, reports and sockets ask.
"""

from django.db.models import Q, QuerySet

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


def open_to_managers(path: str = "") -> Q:
    """Which conversations of an organization its managers see: neither spam nor what lies with a private team (abuse,
    accounting), which stays its owner's. `path` as above.
    """
    is_open_to_all = Q(**{f"{path}team": None}) | Q(**{f"{path}team__is_private": False})
    return Q(**{f"{path}is_spam": False}) & is_open_to_all


def visible_teams(user: User) -> QuerySet[Team]:
    """All but other people's private ones."""
    return Team.objects.all() if user.is_admin else Team.objects.exclude(Q(is_private=True) & ~Q(members=user))
