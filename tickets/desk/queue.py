"""One keyset page of a view's rows, each with the clock it counts down to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Organization, Plan, Team, User
from helpdesk.numbers import is_number
from helpdesk.prepared import Prepared, named_rows
from helpdesk.sla.models import Clock
from tickets.desk import filters, inbox

PAGE = 50
MOST = 200
# The largest number that scripts count exactly.
NOWHERE = 2**53 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = Conversation._meta.db_table
_COLUMNS = """id, subject, preview, channel, status, priority, next_due_at, updated_at, last_message_at, customer_id,
    organization_id, assignee_id, team_id, snoozed_until"""
# The page is found first and joined afterwards, so that no planner is tempted to join a million rows.
_ROWS = f"""
SELECT c.id, c.subject, c.preview, c.channel, c.status, c.priority, c.next_due_at, c.updated_at, c.last_message_at,
    c.customer_id, coalesce(nullif(customer.name, ''), customer.email) AS who, customer.email,
    organization.name AS organization, plan.name AS plan, c.assignee_id, assignee.name AS assignee, team.name AS team,
    clock.target, clock.due_at, clock.warn_at, c.snoozed_until
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
) AS clock ON c.status IN ('new', 'open', 'pending', 'on_hold')
ORDER BY {{order}} LIMIT %(limit)s
"""
_THESE = Prepared(
    "these_rows",
    _ROWS.format(page=f"SELECT {_COLUMNS} FROM {_TABLE} WHERE id = ANY(%(ids)s::bigint[])", order="c.id"),
)


class BadCursor(ValueError):
    """A link that no page of ours made."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One page: rows as dictionaries, the cursor of the next page or "" at the end."""

    rows: list[dict[str, Any]]
    after: str


# By order: the column, which way, and how the page compares with its cursor.
_ORDERS = {
    inbox.DUE: ("next_due_at", "ASC NULLS LAST", "id", ">"),
    inbox.NEWEST: ("updated_at", "DESC", "id DESC", "<"),
    inbox.WAKING: ("snoozed_until", "ASC", "id", ">"),
}


def read(view: inbox.View, user: User, *, after: str = "", limit: int = PAGE) -> Rows:
    """The rows of a view after a cursor, with the open clock that is due first. One statement. Raises BadCursor."""
    limit = min(max(limit, PAGE), MOST)
    cursor = _parse(after)
    if cursor is None and limit == PAGE and view.is_standard:
        return _paged(
            _beginning(view.key, User.Role.ADMIN if user.is_admin else User.Role.AGENT).mappings({"user": user.pk}),
            view,
            PAGE,
        )
    condition, given = filters.condition(view.filters, user)
    if cursor is not None:
        if cursor[0] is None and view.order != inbox.DUE:
            raise BadCursor("only deadlines may be missing")
        given |= {"at": cursor[0], "last": cursor[1]}
    given["limit"] = limit + 1
    return _paged(_fetch(_sorted(view, condition, cursor), given), view, limit)


@cache
def _beginning(key: str, role: str) -> Prepared:
    """The first page of a view that everybody has: planning it takes longer than finding it."""
    view = inbox.standard()[key]
    condition, _given = filters.condition(view.filters, User(role=role))
    # The number as it is: the planner takes an index in the right order only where it knows how few rows are asked for.
    return Prepared(
        f"beginning_of_{key}_for_{role}", _sorted(view, condition, None).replace("%(limit)s", str(PAGE + 1))
    )


def _sorted(view: inbox.View, condition: str, cursor: tuple[datetime | None, int] | None) -> str:
    key, direction, second, _compares = _ORDERS[view.order]
    return _ROWS.format(page=_page(view, condition, cursor), order=f"c.{key} {direction}, c.{second}")


def _paged(rows: list[dict[str, Any]], view: inbox.View, limit: int) -> Rows:
    more, rows = len(rows) > limit, rows[:limit]
    for row in rows:
        row["place"] = place(row, view.order)
    return Rows(rows, _cursor(rows[-1][_ORDERS[view.order][0]], rows[-1]["id"]) if more else "")


def place(row: Mapping[str, Any], order: str) -> int:
    """Where a row stands in a list of this order: a list is sorted by this number, and by ids in its direction among
    equals. Microseconds; negative where what is newest comes first; NOWHERE for what has no time to stand by.
    """
    at: datetime | None = row[_ORDERS[order][0]]
    if at is None:
        return NOWHERE
    moment = (at - _EPOCH) // timedelta(microseconds=1)
    return -moment if order == inbox.NEWEST else moment


def these(ids: Collection[int]) -> list[dict[str, Any]]:
    """These conversations as rows, whoever may see them, in no view and no order. One statement, by primary keys."""
    return _THESE.mappings({"ids": list(ids), "limit": len(ids)})


def _page(view: inbox.View, condition: str, cursor: tuple[datetime | None, int] | None) -> str:
    """A row comparison, so that the index is entered at the cursor."""
    key, direction, second, compares = _ORDERS[view.order]
    order = f"ORDER BY {key} {direction}, {second} LIMIT %(limit)s"
    after = f"({key}, id) {compares} (%(at)s, %(last)s)"
    if view.order == inbox.NEWEST:
        return _newest(view, condition, after if cursor else "true", order)
    start = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE {condition}"
    if cursor is None:
        return f"{start} {order}"
    if cursor[0] is None:
        return f"{start} AND {key} IS NULL AND id > %(last)s {order}"
    if view.order != inbox.DUE:
        return f"{start} AND {after} {order}"
    return f"({start} AND {after} {order}) UNION ALL ({start} AND {key} IS NULL {order})"


def _newest(view: inbox.View, condition: str, after: str, order: str) -> str:
    """Each status is read from its own stretch of the index, and the stretches are merged."""
    start = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE {condition} AND {after}"
    statuses = view.filters.get("status", ())
    if len(statuses) < 2:
        return f"{start} {order}"
    return " UNION ALL ".join(f"({start} AND status = '{status}' {order})" for status in statuses)


def _fetch(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return named_rows(cursor)


def _cursor(at: datetime | None, last_id: int) -> str:
    return f"{at.isoformat() if at else ''}~{last_id}"


def _parse(after: str) -> tuple[datetime | None, int] | None:
    if not after:
        return None
    text, _tilde, number = after.partition("~")
    if not is_number(number):
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
