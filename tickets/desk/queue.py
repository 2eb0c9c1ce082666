"""What the queue shows: its views, one keyset page of rows, and counts that never count past 99."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation, Status
from helpdesk.customers.models import Team, User
from helpdesk.oncall.models import Page
from helpdesk.sla.clocks import OPEN
from helpdesk.sla.models import Clock
from tickets.models import InboundEmail

PAGE = 50
MOST = 200
ACTIVE = (Status.NEW, Status.OPEN)
WORKED = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
NEWEST: dict[str, tuple[str, ...]] = {
    "pending": (Status.PENDING, Status.ON_HOLD),
    "resolved": (Status.RESOLVED, Status.CLOSED),
    "all": (),
}
BY_DUE = ("reply", "dispatch", "mine")
COUNTED_TO = 100
_FIELDS = (
    "id",
    "subject",
    "preview",
    "channel",
    "status",
    "priority",
    "next_due_at",
    "updated_at",
    "last_message_at",
    "customer_id",
    "customer__name",
    "customer__email",
    "organization__name",
    "organization__plan__name",
    "assignee_id",
    "assignee__name",
    "team__name",
)
_TABLE = Conversation._meta.db_table


class BadCursor(ValueError):
    """A link that no page of ours made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A view of the queue: its key, and the team whose unassigned conversations are meant."""

    view: str
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One page: rows as dictionaries, the cursor of the next page or "" at the end."""

    rows: list[dict[str, Any]]
    after: str


def titles() -> dict[str, str]:
    return {
        "reply": _("Needs reply"),
        "dispatch": _("To dispatch"),
        "mine": _("Mine"),
        "pending": _("Pending"),
        "resolved": _("Resolved"),
        "all": _("All"),
    }


def read(place: Place, user: User, *, after: str = "", limit: int = PAGE) -> Rows:
    """The rows of a view after a cursor, with the clock each counts down to. Two statements; three at the very end.

    Raises BadCursor.
    """
    limit = min(max(limit, PAGE), MOST)
    cursor = _parse(after)
    if place.view in NEWEST:
        rows = _newest(NEWEST[place.view], cursor, limit + 1)
        key = "updated_at"
    else:
        rows = _by_due(_active(place, user), cursor, limit + 1)
        key = "next_due_at"
    more, rows = len(rows) > limit, rows[:limit]
    _add_clocks(rows)
    return Rows(rows, _cursor(rows[-1][key], rows[-1]["id"]) if more else "")


def _active(place: Place, user: User) -> QuerySet[Conversation]:
    conversations = Conversation.objects.all()
    if place.view == "mine":
        return conversations.filter(assignee=user, status__in=WORKED)
    conversations = conversations.filter(status__in=ACTIVE)
    if place.view == "dispatch":
        conversations = conversations.filter(assignee=None)
        if place.team_id is not None:
            conversations = conversations.filter(team_id=place.team_id)
    return conversations


def _by_due(
    conversations: QuerySet[Conversation], cursor: tuple[datetime | None, int] | None, limit: int
) -> list[dict[str, Any]]:
    """Earliest deadline first, those without one last; a row comparison, so that the index is entered at the cursor."""
    ordered = conversations.order_by(F("next_due_at").asc(nulls_last=True), "id").values(*_FIELDS)
    if cursor is None:
        return list(ordered[:limit])
    due_at, last_id = cursor
    rows: list[dict[str, Any]] = []
    if due_at is not None:
        rows = list(ordered.filter(_compares("next_due_at", ">", due_at, last_id))[:limit])
        last_id = 0
    if len(rows) < limit:
        rows += ordered.filter(next_due_at=None, id__gt=last_id)[: limit - len(rows)]
    return rows


def _newest(statuses: tuple[str, ...], cursor: tuple[datetime | None, int] | None, limit: int) -> list[dict[str, Any]]:
    """Last changed first. Each status is read from its own stretch of the index, and the stretches are merged."""
    ordered = Conversation.objects.order_by("-updated_at", "-id").values(*_FIELDS)
    if cursor is not None:
        if cursor[0] is None:
            raise BadCursor("every conversation was changed at some time")
        ordered = ordered.filter(_compares("updated_at", "<", cursor[0], cursor[1]))
    if not statuses:
        return list(ordered[:limit])
    first, *others = [ordered.filter(status=status)[:limit] for status in statuses]
    return list(first.union(*others, all=True).order_by("-updated_at", "-id")[:limit])


def _compares(column: str, operator: str, at: datetime, last_id: int) -> RawSQL:
    sql = f"({_TABLE}.{column}, {_TABLE}.id) {operator} (%s, %s)"
    return RawSQL(sql, (at, last_id), output_field=BooleanField())


def _add_clocks(rows: list[dict[str, Any]]) -> None:
    """Put on each row the open clock that is due first, or a paused one where none runs."""
    ids = [row["id"] for row in rows if row["status"] in WORKED]
    found: dict[int, dict[str, Any]] = {}
    clocks = Clock.objects.filter(OPEN, conversation_id__in=ids) if ids else Clock.objects.none()
    fields = ("conversation_id", "target", "due_at", "warn_at", "paused_at")
    for clock in clocks.order_by(F("due_at").asc(nulls_last=True), "id").values(*fields):
        found.setdefault(clock["conversation_id"], clock)
    for row in rows:
        row["clock"] = found.get(row["id"])


def _cursor(at: datetime | None, last_id: int) -> str:
    return f"{at.isoformat() if at else ''}~{last_id}"


def _parse(after: str) -> tuple[datetime | None, int] | None:
    if not after:
        return None
    text, _tilde, number = after.partition("~")
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise BadCursor(after[:80])
    if not text:
        return None, int(number)
    try:
        # A plus sign that came through a form unescaped is a blank.
        at = parse_datetime(text.replace(" ", "+"))
    except ValueError as error:
        raise BadCursor(after[:80]) from error
    if at is None or at.tzinfo is None:
        raise BadCursor(after[:80])
    return at, int(number)


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


def counts(user: User) -> Counts:
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
