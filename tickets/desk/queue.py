"""What the queue shows: its views, and one keyset page of rows, each with the clock it counts down to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Organization, Plan, Team, User
from helpdesk.sla.models import Clock

PAGE = 50
MOST = 200
ACTIVE = "status IN ('new', 'open')"
WORKED = "status IN ('new', 'open', 'pending', 'on_hold')"
NEWEST: dict[str, tuple[str, ...]] = {
    "pending": ("pending", "on_hold"),
    "resolved": ("resolved", "closed"),
    "all": (),
}
BY_DUE = ("reply", "dispatch", "mine")
_TABLE = Conversation._meta.db_table
_COLUMNS = """id, subject, preview, channel, status, priority, next_due_at, updated_at, last_message_at, customer_id,
    organization_id, assignee_id, team_id"""
# The page is found first and joined afterwards, so that no planner is tempted to join a million rows.
_ROWS = f"""
SELECT c.id, c.subject, c.preview, c.channel, c.status, c.priority, c.next_due_at, c.updated_at, c.last_message_at,
    c.customer_id, coalesce(nullif(customer.name, ''), customer.email) AS who, customer.email,
    organization.name AS organization, plan.name AS plan, c.assignee_id, assignee.name AS assignee, team.name AS team,
    clock.target, clock.due_at, clock.warn_at
FROM ({{page}}) AS c
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} AS plan ON plan.id = organization.plan_id
LEFT JOIN {User._meta.db_table} AS assignee ON assignee.id = c.assignee_id
LEFT JOIN {Team._meta.db_table} AS team ON team.id = c.team_id
LEFT JOIN LATERAL (
    SELECT target, due_at, warn_at FROM {Clock._meta.db_table}
    WHERE conversation_id = c.id AND met_at IS NULL AND cancelled_at IS NULL
    ORDER BY due_at ASC NULLS LAST, id LIMIT 1
) AS clock ON c.{WORKED}
ORDER BY {{order}} LIMIT %(limit)s
"""


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
    """The rows of a view after a cursor, with the open clock that is due first. One statement. Raises BadCursor."""
    limit = min(max(limit, PAGE), MOST)
    cursor = _parse(after)
    if place.view in NEWEST:
        page, key = _newest(NEWEST[place.view], cursor), "updated_at"
        order = "c.updated_at DESC, c.id DESC"
    else:
        page, key = _by_due(_condition(place), cursor), "next_due_at"
        order = "c.next_due_at ASC NULLS LAST, c.id"
    given = {"user": user.pk, "team": place.team_id, "limit": limit + 1}
    if cursor:
        given |= {"at": cursor[0], "last": cursor[1]}
    rows = _fetch(_ROWS.format(page=page, order=order), given)
    more, rows = len(rows) > limit, rows[:limit]
    return Rows(rows, _cursor(rows[-1][key], rows[-1]["id"]) if more else "")


def _condition(place: Place) -> str:
    if place.view == "mine":
        return f"assignee_id = %(user)s AND {WORKED}"
    if place.view == "dispatch":
        return f"{ACTIVE} AND assignee_id IS NULL" + ("" if place.team_id is None else " AND team_id = %(team)s")
    return ACTIVE


def _by_due(condition: str, cursor: tuple[datetime | None, int] | None) -> str:
    """Earliest deadline first, those without one last; a row comparison, so that the index is entered at the cursor."""
    start = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE {condition}"
    order = "ORDER BY next_due_at ASC NULLS LAST, id LIMIT %(limit)s"
    if cursor is None:
        return f"{start} {order}"
    if cursor[0] is None:
        return f"{start} AND next_due_at IS NULL AND id > %(last)s {order}"
    due = f"{start} AND (next_due_at, id) > (%(at)s, %(last)s) {order}"
    return f"({due}) UNION ALL ({start} AND next_due_at IS NULL {order})"


def _newest(statuses: tuple[str, ...], cursor: tuple[datetime | None, int] | None) -> str:
    """Last changed first. Each status is read from its own stretch of the index, and the stretches are merged."""
    if cursor is not None and cursor[0] is None:
        raise BadCursor("every conversation was changed at some time")
    start = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE "
    before = "(updated_at, id) < (%(at)s, %(last)s)" if cursor else "true"
    order = "ORDER BY updated_at DESC, id DESC LIMIT %(limit)s"
    if not statuses:
        return f"{start}{before} {order}"
    return " UNION ALL ".join(f"({start} status = '{status}' AND {before} {order})" for status in statuses)


def _fetch(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
