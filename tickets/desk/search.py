"""The desk's search: what was typed taken apart into words and field filters, and what the ground finds shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from helpdesk.conversations import search
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, Organization, Service, Team, User
from helpdesk.prepared import named_rows
from tickets.desk import filters, on_networks

_TERM = re.compile(r'([a-z]{2,12}):("[^"]{1,80}"|[^\s"]{1,80})')
_SHOWN = f"""
SELECT c.id, c.status, c.priority,
    ts_headline('simple', c.subject, websearch_to_tsquery('simple', %(words)s),
        'StartSel=\x02,StopSel=\x03,HighlightAll=true') AS subject,
    c.channel, c.customer_id, c.updated_at AS last_message_at,
    coalesce(nullif(customer.name, ''), customer.email) AS who, customer.email, organization.name AS organization,
    assignee.name AS assignee, c.assignee_id, m.kind, m.id AS message_id,
    ts_headline('simple', left(coalesce(m.text, c.preview), 20000), websearch_to_tsquery('simple', %(words)s),
        'StartSel=\x02,StopSel=\x03,MaxFragments=2,MaxWords=24,MinWords=10,FragmentDelimiter=" … "') AS excerpt
FROM unnest(%(ids)s::bigint[], %(messages)s::bigint[]) WITH ORDINALITY AS hit(id, message_id, place)
JOIN {Conversation._meta.db_table} AS c ON c.id = hit.id
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
LEFT JOIN {User._meta.db_table} AS assignee ON assignee.id = c.assignee_id
LEFT JOIN {Message._meta.db_table} AS m ON m.id = hit.message_id
ORDER BY hit.place
"""


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, taken apart: words for the index, cleaned filters, and terms that mean nothing to us."""

    words: str
    filters: Mapping[str, Any]
    since: date | None = None
    until: date | None = None
    notes_only: bool = False
    not_understood: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """`rows` for the page; `is_cut` says that only the newest matches were ranked; `after` is the next offset or 0."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    is_cut: bool = False
    after: int = 0


def parse(typed: str, user: User) -> Query:
    """`invoice from:carol status:open after:2026-01-31 "exact words" -not`. Nothing typed is an error."""
    stated: dict[str, Any] = {}
    times: dict[str, date] = {}
    unknown: list[str] = []
    notes_only = False

    def taken(match: re.Match[str]) -> str:
        nonlocal notes_only
        key, value = match[1], match[2].strip('"')
        if key in ("after", "before"):
            on = _day(value)
            if on is not None:
                times[key] = on
                return " "
        elif key == "in" and value.startswith("note"):
            notes_only = True
            return " "
        elif key in _FIELDS:
            name, look = _FIELDS[key]
            meant = look(value, user)
            if meant is not None:
                stated[name] = [*stated.get(name, []), *meant] if isinstance(meant, list) else meant
                return " "
        else:
            # A word with a colon, such as a time or an address: a word.
            return match[0]
        unknown.append(match[0])
        return " "

    words = " ".join(_TERM.sub(taken, typed[: search.MAX_QUERY].replace("\x00", " ")).split())
    cleaned: dict[str, Any] = {}
    for name, meant in stated.items():
        try:
            cleaned |= filters.cleaned({name: meant})
        except filters.BadFilter:
            unknown.append(f"{name}:")
    return Query(words, cleaned, times.get("after"), times.get("before"), notes_only, tuple(unknown))


def find(query: Query, user: User, *, newest_first: bool = False, offset: int = 0) -> Found:
    """One page of what this agent may see. Four statements, two of them about statistics, and one where
    posts of networks are among them. Raises TooCommon.
    """
    condition, given = _condition(query, user)
    if query.words:
        hits = search.ranked(
            query.words, condition, given, notes_only=query.notes_only, newest_first=newest_first, offset=offset
        )
    elif condition != "true":
        hits = search.filtered(condition, given, offset=offset)
    else:
        return Found()
    number = search.number_in(query.words)
    if number is not None and not offset:
        exact = search.filtered(f"({condition}) AND c.id = %(number)s", {**given, "number": number})
        hits = exact + [hit for hit in hits if hit.conversation_id != number]
    more, hits = len(hits) > search.PAGE, hits[: search.PAGE]
    shown = {
        "words": query.words,
        "ids": [hit.conversation_id for hit in hits],
        "messages": [hit.message_id for hit in hits],
    }
    return Found(
        _sheltered(_rows(shown)) if hits else [], any(hit.is_cut for hit in hits), offset + search.PAGE if more else 0
    )


def _condition(query: Query, user: User) -> tuple[str, dict[str, Any]]:
    """SQL over `c`. Spam is found only where it is asked for; what sleeps is found."""
    condition, given = filters.condition(query.filters, user, "c.", is_search=True)
    parts = [condition] if condition else []
    for on, operator, name in ((query.since, ">=", "since"), (query.until, "<", "until")):
        if on is not None:
            parts.append(f"c.updated_at {operator} %({name})s")
            given[name] = datetime.combine(on, time(), UTC)
    return " AND ".join(parts) or "true", given


def _rows(shown: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, shown)
        return named_rows(cursor)


def _sheltered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is covered in its thread is covered here as well: nobody reads it before they ask to."""
    found = [row["message_id"] for row in rows if row["message_id"] and on_networks.is_one(row["channel"])]
    marks = on_networks.marks(found)
    for row in rows:
        if marks.get(row["message_id"], {}).get("is_abusive"):
            row["excerpt"] = _("A covered post: perhaps abusive")
    return rows


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _first(model: Any, **condition: Any) -> int | None:
    pk: int | None = model.objects.filter(**condition).order_by("pk").values_list("pk", flat=True).first()
    return pk


def _customer(value: str, user: User) -> int | None:
    return _first(Customer, email__iexact=value) or _first(Customer, name__istartswith=value)


def _status(value: str, user: User) -> list[str]:
    return ["new", "open", "pending", "on_hold"] if value == "unresolved" else [value]


def _assignee(value: str, user: User) -> str | int | None:
    if value in ("me", "none"):
        return value
    return _first(User, email__iexact=value) or _first(User, name__istartswith=value)


def _team(value: str, user: User) -> str | int | None:
    return value if value in ("mine", "none") else _first(Team, name__istartswith=value)


# What can be asked for by name: the filter it becomes, and how its value is understood.
_FIELDS: dict[str, tuple[str, Any]] = {
    "status": ("status", _status),
    "priority": ("priority", lambda value, user: [value]),
    "channel": ("channel", lambda value, user: [value]),
    "tag": ("tag", lambda value, user: [value]),
    "assignee": ("assignee", _assignee),
    "team": ("team", _team),
    "from": ("customer", _customer),
    "org": ("organization", lambda value, user: _first(Organization, name__istartswith=value)),
    "service": ("service", lambda value, user: _first(Service, name__iexact=value)),
    "is": ("spam", lambda value, user: True if value == "spam" else None),
}
