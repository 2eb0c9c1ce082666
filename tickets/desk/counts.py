"""The numbers beside the views: none of them counts past 99."""

from dataclasses import dataclass

from django.db import connection

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.oncall.models import Page
from tickets.models import InboundEmail

COUNTED_TO = 100
_TABLE = Conversation._meta.db_table
_OPEN_SQL = f"SELECT team_id FROM {_TABLE} WHERE status IN ('new', 'open') AND assignee_id IS NULL"
_COUNTS = f"""
SELECT 'reply', NULL::bigint, NULL::text, (SELECT count(*) FROM (
    SELECT FROM {_TABLE} WHERE status IN ('new', 'open') LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'dispatch', NULL, NULL, (SELECT count(*) FROM ({_OPEN_SQL} LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'mine', NULL, NULL, (SELECT count(*) FROM (
    SELECT FROM {_TABLE} WHERE assignee_id = %s AND status IN ('new', 'open', 'pending', 'on_hold')
    LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'pages', NULL, NULL, (SELECT count(*) FROM (
    SELECT FROM {Page._meta.db_table} WHERE state <> 'resolved' LIMIT {COUNTED_TO}) AS found)
UNION ALL SELECT 'quarantined', NULL, NULL, (SELECT count(*) FROM (
    SELECT FROM {InboundEmail._meta.db_table} WHERE state = 'quarantined' LIMIT {COUNTED_TO}) AS found)
UNION ALL (SELECT 'team', team.id, team.name, coalesce(unassigned.count, 0)
    FROM {Team._meta.db_table} AS team
    LEFT JOIN (SELECT team_id, count(*) FROM (
        {_OPEN_SQL} ORDER BY next_due_at ASC NULLS LAST, id LIMIT {COUNTED_TO * 5}) AS next GROUP BY team_id
    ) AS unassigned ON unassigned.team_id = team.id
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


def count(user: User) -> Counts:
    """One statement."""
    views, teams = {}, []
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [user.pk])
        for kind, team_id, name, count in cursor.fetchall():
            if kind == "team":
                teams.append(TeamCount(team_id, name, _capped(count)))
            else:
                views[kind] = _capped(count)
    return Counts(views, teams)


def _capped(count: int) -> str:
    if not count:
        return ""
    return str(count) if count < COUNTED_TO else f"{COUNTED_TO - 1}+"
