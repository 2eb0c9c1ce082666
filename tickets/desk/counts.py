"""The numbers beside the views: none of them counts past 99, nor looks at more than a bounded stretch of an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from helpdesk.conversations import visibility
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.oncall.models import Page
from helpdesk.prepared import Prepared
from helpdesk.sla.models import Clock
from tickets.desk import filters, inbox
from tickets.models import InboundEmail, Mention

COUNTED_TO = 100
# A saved view may be as choosy as it likes: it is counted among so many of the next due.
LOOKED_AT = 500
COUNTED = ("reply", "dispatch", "mine", "snoozed")
_TABLE = Conversation._meta.db_table
_NEXT = {
    inbox.DUE: f"""SELECT * FROM {_TABLE} WHERE status IN ('new', 'open')
        ORDER BY next_due_at ASC NULLS LAST, id LIMIT {LOOKED_AT}""",
    inbox.NEWEST: f"SELECT * FROM {_TABLE} ORDER BY updated_at DESC, id DESC LIMIT {LOOKED_AT}",
}
# Of the clocks that have warned or are breached only so many are looked at; a conversation has a few of them.
_RISK = f"""
SELECT FROM {_TABLE} WHERE {{visible}} AND NOT is_spam AND id IN (
    SELECT conversation_id FROM {Clock._meta.db_table} WHERE {filters.RISKY} LIMIT {LOOKED_AT}) LIMIT {COUNTED_TO}
"""
_OTHERS = f"""
SELECT 'mentions', NULL::bigint, NULL::text, (SELECT count(*) FROM (
    SELECT FROM {Mention._meta.db_table} WHERE user_id = %(user)s AND seen_at IS NULL LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'pages', NULL, NULL, (SELECT count(*) FROM (
    SELECT FROM {Page._meta.db_table} WHERE state <> 'resolved' LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'quarantined', NULL, NULL, (SELECT count(*) FROM (
    SELECT FROM {InboundEmail._meta.db_table} WHERE state = 'quarantined' LIMIT {COUNTED_TO}) AS found)
UNION ALL (SELECT 'team', team.id, team.name, coalesce(unassigned.count, 0)
    FROM {Team._meta.db_table} AS team
    LEFT JOIN (SELECT team_id, count(*) FROM (
        SELECT team_id FROM {_TABLE} WHERE status IN ('new', 'open') AND assignee_id IS NULL
        ORDER BY next_due_at ASC NULLS LAST, id LIMIT {LOOKED_AT}) AS next GROUP BY team_id
    ) AS unassigned ON unassigned.team_id = team.id
    WHERE {{visible}}
    ORDER BY team.name)
"""


@dataclass(frozen=True, slots=True)
class TeamCount:
    id: int
    name: str
    count: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What the navigation says, as text: "" for nothing, "99+" for more than it looked at.

    A team's number is of the next 500 unassigned conversations, so that no number of them makes it slow.
    """

    views: dict[str, str]
    teams: list[TeamCount]
    saved: list[tuple[inbox.View, str]]


def count(user: User) -> Counts:
    """Two statements, the saved views there are and all numbers; one more where there are saved views."""
    saved = inbox.saved(user)
    rows = _standing(user.Role.ADMIN if user.is_admin else user.Role.AGENT).rows({"user": user.pk})
    rows += _of_saved(saved, user)
    views = {kind: _capped(found) for kind, _id, _name, found in rows if kind != "team"}
    teams = [TeamCount(pk, name, _capped(found)) for kind, pk, name, found in rows if kind == "team"]
    return Counts(views, teams, [(view, views.get(view.key, "")) for view in saved])


def for_agent(user_id: int) -> dict[str, str]:
    """The same by name, for open pages: `mine`, `team:3` and the like; without those that are nothing. Empty for an
    agent who is not active.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return {}
    counts = count(user)
    teams = {f"team:{team.id}": team.count for team in counts.teams}
    return {name: number for name, number in (counts.views | teams).items() if number}


@cache
def _standing(role: str) -> Prepared:
    """The numbers that every agent of a role is shown."""
    reader, standard = User(role=role), inbox.standard()
    parts = [_numbered(key, _within(standard[key], reader)) for key in COUNTED]
    parts += [_numbered("risk", _RISK.format(visible=visibility.condition(reader)))]
    others = _OTHERS.format(visible=visibility.condition(reader, "team.id"))
    chats = import_string(settings.LIVE_DESK["counted"])(visibility.condition(reader, "c.team_id"))
    return Prepared(f"counts_for_{role}", " UNION ALL ".join([*parts, chats, others]))


def _within(view: inbox.View, reader: User) -> str:
    return f"SELECT FROM {_TABLE} WHERE {filters.condition(view.filters, reader)[0]} LIMIT {COUNTED_TO}"


def _of_saved(saved: Sequence[inbox.View], user: User) -> list[tuple[Any, ...]]:
    if not saved:
        return []
    parts: list[str] = []
    given: dict[str, Any] = {}
    for number, view in enumerate(saved):
        condition, wanted = filters.condition(view.filters, user)
        given |= {f"{name}_{number}": value for name, value in wanted.items()}
        condition = condition % {name: f"%({name}_{number})s" for name in wanted}
        within = f"SELECT FROM ({_NEXT[view.order]}) AS next WHERE {condition} LIMIT {COUNTED_TO}"
        parts.append(_numbered(view.key, within))
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _numbered(name: str, within: str) -> str:
    return f"SELECT '{name}', NULL::bigint, NULL::text, (SELECT count(*) FROM ({within}) AS found)"


def _capped(count: int) -> str:
    if not count:
        return ""
    return str(count) if count < COUNTED_TO else f"{COUNTED_TO - 1}+"
