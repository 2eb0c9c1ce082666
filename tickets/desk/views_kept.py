"""Saved views: who may keep one for whom, and their order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from helpdesk.customers.models import Team, User
from helpdesk.customers.permissions import may_configure
from tickets.desk import filters, inbox
from tickets.desk.models import SavedView

# Each is counted beside its name on every page.
MOST = 50


class NotYours(PermissionError):
    """Somebody else's view, or one that is for people whom this agent does not speak for."""


class TooMany(ValueError):
    """An agent sees at most MOST saved views."""


def may_change(user: User, view: SavedView) -> bool:
    """One's own, one's teams', and everybody's for an admin."""
    if view.owner_id is not None:
        return view.owner_id == user.pk
    if view.team_id is None:
        return may_configure(user)
    return may_configure(user) or user.teams.filter(pk=view.team_id).exists()


@transaction.atomic
def keep(
    user: User, name: str, given: Mapping[str, Any], *, audience: str, newest_first: bool, at: datetime
) -> SavedView:
    """Save a view for `audience`: "me", "all" or a team's id. Raises NotYours, TooMany, BadFilter."""
    cleaned = filters.cleaned(given)
    owner, team = _audience(user, audience)
    known = inbox.saved_for(user)
    if len(known) >= MOST:
        raise TooMany(f"at most {MOST} saved views")
    last = SavedView.objects.filter(owner=owner, team=team).aggregate(last=Max("position"))["last"]
    return SavedView.objects.create(
        name=name,
        owner=owner,
        team=team,
        filters=cleaned,
        newest_first=newest_first,
        position=0 if last is None else last + 1,
        updated_at=at,
    )


def _audience(user: User, audience: str) -> tuple[User | None, Team | None]:
    if audience == "me":
        return user, None
    if audience == "all":
        if not may_configure(user):
            raise NotYours("shared views are an admin's")
        return None, None
    if not audience.isascii() or not audience.isdecimal() or len(audience) > 18:
        raise NotYours("no such team")
    team = (Team.objects if may_configure(user) else user.teams).filter(pk=int(audience)).first()
    if team is None:
        raise NotYours("no such team")
    return None, team


def find(pk: int, user: User) -> SavedView:
    """A view this agent may change. Raises UnknownView, NotYours."""
    view = next((saved for saved in inbox.saved_for(user) if saved.pk == pk), None)
    if view is None:
        raise inbox.UnknownView(str(pk))
    if not may_change(user, view):
        raise NotYours(view.name)
    return view


@transaction.atomic
def move(view: SavedView, by: int, *, at: datetime) -> None:
    """One place up (-1) or down (1) among those kept for the same people."""
    mine = SavedView.objects.select_for_update().filter(owner=view.owner_id, team=view.team_id)
    order = [row.pk for row in mine]
    here = order.index(view.pk)
    there = min(max(here + by, 0), len(order) - 1)
    order.insert(there, order.pop(here))
    for position, pk in enumerate(order):
        SavedView.objects.filter(pk=pk).update(position=position, updated_at=at)
