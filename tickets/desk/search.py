"""Search: words in subjects, messages, notes and names of files, people's names with typos forgiven, and field filters.

The newest matches of each kind are found by their indexes and capped; only those are ranked, by how well they match and
how recent they are. A word that is everywhere so costs no more than a rare one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.dateparse import parse_date

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer, Organization, Service, Team, User
from tickets.desk import filters

MAX_QUERY = 200
# So many of the newest matches of each kind are ranked.
RANKED = 300
PEOPLE = 20
PAGE = 50
PATIENCE_MS = 3000
SIMILAR = 0.4
_TERM = re.compile(r'([a-z]{2,12}):("[^"]{1,80}"|[^\s"]{1,80})')
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_PATIENCE = f"SET LOCAL statement_timeout = {PATIENCE_MS}; SET LOCAL pg_trgm.similarity_threshold = {SIMILAR}"
# Words that are in at most so many messages, or that part of all, are fetched by their index and then sorted; those in
# more are met soon enough going backwards from the newest. The planner, asked for the newest 300 in one breath, goes
# backwards for words that are nowhere, too, and reads everything. `OFFSET 0` keeps it from that.
RARE_ROWS, RARE_PART = 50_000, 0.01
_EXPECTED = "EXPLAIN (FORMAT JSON) SELECT FROM {table} WHERE search @@ websearch_to_tsquery('simple', %(words)s)"
_CONVERSATION, _MESSAGE = Conversation._meta.db_table, Message._meta.db_table
_OURS = f"EXISTS (SELECT FROM {_CONVERSATION} AS c WHERE c.id = {{of}} AND {{condition}})"
_HITS = f"""
WITH asked AS (SELECT websearch_to_tsquery('simple', %(words)s) AS query),
said AS (
    SELECT m.conversation_id, m.id AS message_id, ts_rank(m.search, asked.query, 1) AS rank
    FROM (SELECT id, conversation_id, search FROM {_MESSAGE} AS m
        WHERE m.search @@ websearch_to_tsquery('simple', %(words)s) {{said}} {{fence}}) AS m, asked
    ORDER BY m.id DESC LIMIT {RANKED}
), titled AS (
    SELECT c.id AS conversation_id, NULL::bigint AS message_id, 2 * ts_rank(c.search, asked.query, 1) AS rank
    FROM {_CONVERSATION} AS c, asked
    WHERE c.search @@ websearch_to_tsquery('simple', %(words)s) {{titled}} ORDER BY c.id DESC LIMIT {RANKED}
), filed AS (
    SELECT m.conversation_id, m.id AS message_id, 0.3::real AS rank
    FROM {Attachment._meta.db_table} AS file JOIN {_MESSAGE} AS m ON m.id = file.message_id
    WHERE file.name ILIKE %(like)s {{said}} ORDER BY file.id DESC LIMIT {RANKED}
), people AS (
    SELECT id, similarity(name, %(words)s) AS likeness FROM {Customer._meta.db_table}
    WHERE name %% %(words)s OR email LIKE %(prefix)s ORDER BY likeness DESC LIMIT {PEOPLE}
), theirs AS (
    SELECT c.id AS conversation_id, NULL::bigint AS message_id, (0.2 + likeness / 2)::real AS rank
    FROM people CROSS JOIN LATERAL (
        SELECT id FROM {_CONVERSATION} AS c WHERE customer_id = people.id {{titled}} ORDER BY updated_at DESC LIMIT 20
    ) AS c
), hits AS (
    SELECT * FROM said UNION ALL SELECT * FROM titled UNION ALL SELECT * FROM filed UNION ALL SELECT * FROM theirs
), ranked AS (
    SELECT conversation_id, max(message_id) AS message_id, sum(rank) AS rank FROM hits GROUP BY conversation_id
)
SELECT conversation_id, message_id, (SELECT count(*) FROM said) >= {RANKED} AS is_cut
FROM ranked JOIN {_CONVERSATION} AS c ON c.id = conversation_id
ORDER BY {{order}} LIMIT {PAGE + 1} OFFSET %(offset)s
"""
_FILTERED = f"""
SELECT c.id, NULL::bigint, false FROM {_CONVERSATION} AS c WHERE {{condition}}
ORDER BY c.updated_at DESC, c.id DESC LIMIT {PAGE + 1} OFFSET %(offset)s
"""
# Younger ones first among equals: half the weight after about a month.
_RELEVANT = "rank / (1 + extract(epoch FROM now() - c.updated_at) / 2592000) DESC, c.id DESC"
_RECENT = "c.updated_at DESC, c.id DESC"
_SHOWN = f"""
SELECT c.id, c.status, c.priority,
    ts_headline('simple', c.subject, websearch_to_tsquery('simple', %(words)s),
        'StartSel=\x02,StopSel=\x03,HighlightAll=true') AS subject,
    c.channel, c.customer_id, c.updated_at AS last_message_at,
    coalesce(nullif(customer.name, ''), customer.email) AS who, customer.email, organization.name AS organization,
    assignee.name AS assignee, c.assignee_id, m.kind,
    ts_headline('simple', left(coalesce(m.text, c.preview), 20000), websearch_to_tsquery('simple', %(words)s),
        'StartSel=\x02,StopSel=\x03,MaxFragments=2,MaxWords=24,MinWords=10,FragmentDelimiter=" … "') AS excerpt
FROM unnest(%(ids)s::bigint[], %(messages)s::bigint[]) WITH ORDINALITY AS hit(id, message_id, place)
JOIN {_CONVERSATION} AS c ON c.id = hit.id
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
LEFT JOIN {User._meta.db_table} AS assignee ON assignee.id = c.assignee_id
LEFT JOIN {_MESSAGE} AS m ON m.id = hit.message_id
ORDER BY hit.place
"""


class TooCommon(RuntimeError):
    """The database would look longer than anybody waits."""


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

    words = " ".join(_TERM.sub(taken, typed[:MAX_QUERY].replace("\x00", " ")).split())
    try:
        cleaned = filters.cleaned(stated)
    except filters.BadFilter:
        cleaned = {}
        unknown += [f"{key}:" for key in stated]
    return Query(words, cleaned, times.get("after"), times.get("before"), notes_only, tuple(unknown))


def find(query: Query, user: User, *, newest_first: bool = False, offset: int = 0) -> Found:
    """One page of what this agent may see. Four statements, two of them about statistics. Raises TooCommon."""
    condition, given = _condition(query, user)
    if query.words:
        said = [_OURS.format(of="m.conversation_id", condition=condition)] if condition != "true" else []
        if query.notes_only:
            said.append("m.kind = 'note'")
        titled = [condition] if condition != "true" else []
        if query.notes_only:
            titled.append("false")
        statement = _HITS.format(
            said="".join(f" AND {part}" for part in said),
            titled="".join(f" AND {part}" for part in titled),
            fence="OFFSET 0" if _is_rare(query.words) else "",
            order=_RECENT if newest_first else _RELEVANT,
        )
        like = query.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        given |= {"words": query.words, "like": f"%{like}%", "prefix": f"{like.lower()}%"}
    elif condition != "true":
        statement = _FILTERED.format(condition=condition)
    else:
        return Found()
    hits = _run(statement, given | {"offset": offset})
    number = _NUMBER.fullmatch(query.words)
    if number is not None and not offset:
        meant = int(number[1])
        exact = _FILTERED.format(condition=f"({condition}) AND c.id = %(number)s")
        hits = _run(exact, given | {"number": meant, "offset": 0}) + [hit for hit in hits if hit[0] != meant]
    more, hits = len(hits) > PAGE, hits[:PAGE]
    shown = {"words": query.words, "ids": [hit[0] for hit in hits], "messages": [hit[1] for hit in hits]}
    return Found(_rows(shown) if hits else [], any(hit[2] for hit in hits), offset + PAGE if more else 0)


def _is_rare(words: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EXPECTED.format(table=_MESSAGE), {"words": words})
        expected = cursor.fetchone()[0][0]["Plan"]["Plan Rows"]
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [_MESSAGE])
        messages = cursor.fetchone()[0]
    return bool(expected <= max(RARE_ROWS, RARE_PART * messages))


def _condition(query: Query, user: User) -> tuple[str, dict[str, Any]]:
    """SQL over `c`. Spam is found only where it is asked for; what sleeps is found."""
    condition, given = filters.condition(query.filters, user, "c.", is_search=True)
    parts = [condition] if condition else []
    for on, operator, name in ((query.since, ">=", "since"), (query.until, "<", "until")):
        if on is not None:
            parts.append(f"c.updated_at {operator} %({name})s")
            given[name] = datetime.combine(on, time(), UTC)
    return " AND ".join(parts) or "true", given


@transaction.atomic
def _run(statement: str, given: dict[str, Any]) -> list[tuple[int, int | None, bool]]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PATIENCE)
            cursor.execute(statement, given)
            rows: list[tuple[int, int | None, bool]] = cursor.fetchall()
    except OperationalError as error:
        if "statement timeout" in str(error):
            raise TooCommon from error
        raise
    return rows


def _rows(shown: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, shown)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
