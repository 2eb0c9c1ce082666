"""What agents keep (canned replies, macros, views): who sees and who changes it. Pages and API ask here.

One's own; a team's, by its members; everybody's, by admins. Admins speak for every team, but not for other people: what
somebody keeps for themselves is nobody else's business.
"""

from typing import TypeVar

from django.db.models import Q, QuerySet

from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_configure, may_work
from tickets.desk.models import SavedView, Shared

S = TypeVar("S", bound=Shared)


class NotYours(PermissionError):
    """Somebody else's, or kept for people whom this agent does not speak for."""


def seen(user: User) -> Q:
    """The agent's own, their teams' and everybody's; for admins those of all teams."""
    shared = Q(owner=user) | Q(owner=None, team=None)
    teams = Q(team__isnull=False) if may_configure(user) else Q(team__in=user.teams.all())
    return shared | teams


def seen_by(user: User, model: type[S]) -> QuerySet[S]:
    """The rows of a model that are `seen` by this agent."""
    return model._default_manager.filter(seen(user))


def must_see(user: User, row: Shared) -> None:
    """Raises NotYours."""
    if not seen_by(user, type(row)).filter(pk=row.pk).exists():
        raise NotYours(row.name)


def may_keep_for(user: User, owner_id: int | None, team_id: int | None, model: type[Shared]) -> bool:
    """Whether the agent may keep, change or remove something of this owner or team; neither means everybody's.

    Viewers keep views of their own, for they read the inbox too; what they cannot use they do not keep.
    """
    if owner_id is not None:
        return owner_id == user.pk and (may_work(user) or model is SavedView)
    if team_id is not None and may_work(user):
        return may_configure(user) or user.teams.filter(pk=team_id).exists()
    return may_configure(user)


def may_change(user: User, row: Shared) -> bool:
    return may_keep_for(user, row.owner_id, row.team_id, type(row))


def must_change(user: User, row: Shared) -> None:
    """Raises NotYours."""
    if not may_change(user, row):
        raise NotYours(row.name)
