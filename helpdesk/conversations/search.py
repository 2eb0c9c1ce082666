"""Full-text search, the one way for pages and API: subjects, messages, notes, names of files, people's names.

The newest matches of each kind are found by their indexes and capped; only those are ranked, by how well they match and
how recent they are. A word that is everywhere so costs no more than a rare one.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction

from helpdesk.conversations import visibility
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer, User

MAX_QUERY = 200
# So many of the newest matches of each kind are ranked.
RANKED = 300
# Where words narrow a list instead of ordering it, so many of the newest matches of each kind stay in it.
LISTED = 2_000
PEOPLE = 20
PAGE = 50
PATIENCE_MS = 3000
FIRST_PATIENCE_MS = 1500
SIMILAR = 0.4
_NUMBER = re.compile(r"\[?(#?)([0-9]{1,18})\]?")
_PATIENCE = f"SET LOCAL statement_timeout = {{patience_ms}}; SET LOCAL pg_trgm.similarity_threshold = {SIMILAR}"
# Words that are in at most so many messages, or that part of all, are fetched by their index and then sorted; those in
# more are met soon enough going backwards from the newest. The planner, asked for the newest 300 in one breath, goes
# backwards for words that are nowhere, too, and reads everything. `OFFSET 0` keeps it from that.
RARE_ROWS, RARE_PART = 50_000, 0.01
_EXPECTED = "EXPLAIN (FORMAT JSON) SELECT FROM {table} WHERE search @@ websearch_to_tsquery('simple', %(words)s)"
_CONVERSATION, _MESSAGE = Conversation._meta.db_table, Message._meta.db_table
# Acknowledgements and other messages of the house say the same to everybody, so their words are customers' only where
# nobody else used them.
_SPOKEN = f"NOT (m.is_automatic AND m.kind = '{Message.Kind.OUTBOUND}')"
_OURS = f"EXISTS (SELECT FROM {_CONVERSATION} AS c WHERE c.id = m.conversation_id AND {{condition}})"
_SAID = f"""
    SELECT m.id, m.conversation_id, m.search FROM {_MESSAGE} AS m
    WHERE m.search @@ websearch_to_tsquery('simple', %(words)s) {{said}} {{fence}}"""
_TITLED = f"""
    FROM {_CONVERSATION} AS c
    WHERE c.search @@ websearch_to_tsquery('simple', %(words)s) {{titled}} ORDER BY c.id DESC"""
_RANKED = f"""
WITH asked AS (SELECT websearch_to_tsquery('simple', %(words)s) AS query),
said AS (
    SELECT m.conversation_id, m.id AS message_id, ts_rank(m.search, asked.query, 1) AS rank
    FROM ({_SAID}) AS m, asked ORDER BY m.id DESC LIMIT {RANKED}
), titled AS (
    SELECT c.id AS conversation_id, NULL::bigint AS message_id,
        2 * ts_rank(c.search, websearch_to_tsquery('simple', %(words)s), 1) AS rank {_TITLED} LIMIT {RANKED}
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
_LISTED = f"""
(SELECT m.conversation_id, NULL::bigint, false FROM ({_SAID}) AS m ORDER BY m.id DESC LIMIT {LISTED})
UNION (SELECT c.id, NULL::bigint, false {_TITLED} LIMIT {LISTED})
"""
_FILTERED = f"""
SELECT c.id, NULL::bigint, false FROM {_CONVERSATION} AS c WHERE {{condition}}
ORDER BY c.updated_at DESC, c.id DESC LIMIT {PAGE + 1} OFFSET %(offset)s
"""
# Younger ones first among equals: half the weight after about a month.
_RELEVANT = "rank / (1 + extract(epoch FROM now() - c.updated_at) / 2592000) DESC, c.id DESC"
_RECENT = "c.updated_at DESC, c.id DESC"


class TooCommon(RuntimeError):
    """The database would look longer than anybody waits."""


class Hit(NamedTuple):
    """A conversation, the message that has the words (None: something else has), and whether older ones were left."""

    conversation_id: int
    message_id: int | None
    is_cut: bool


def number_in(text: str) -> int | None:
    """The conversation meant by `123`, `#123` or `[#123]`."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[2]) if found else None


def ranked(
    words: str,
    condition: str,
    given: Mapping[str, Any],
    *,
    notes_only: bool = False,
    newest_first: bool = False,
    offset: int = 0,
) -> list[Hit]:
    """PAGE hits and one more where there are more, the best or the newest first, from `offset`. Raises TooCommon.

    `words` is what people type into search engines: quotes, or, minus (websearch_to_tsquery fails on no text).
    `condition` is SQL over a conversation `c` with the parameters `given`, "true" for all.
    """
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    order = _RECENT if newest_first else _RELEVANT
    asked = {**given, "words": words, "like": f"%{like}%", "prefix": f"{like.lower()}%", "offset": offset}
    return _run_narrowed(_RANKED, words, condition, asked, notes_only=notes_only, order=order)


def filtered(condition: str, given: Mapping[str, Any], *, offset: int = 0) -> list[Hit]:
    """PAGE conversations and one more where there are more, last changed first, without any word. Raises TooCommon."""
    return _run(_FILTERED.format(condition=condition), {**given, "offset": offset})


def numbers(typed: str, user: User) -> list[int]:
    """The ids of what this agent may see with these words in its subject or in one message, the newest LISTED of each
    kind, in no order; of `#123` that one, of `123` that one too. Raises TooCommon.
    """
    words = " ".join(typed[:MAX_QUERY].replace("\x00", " ").split())
    number = number_in(words)
    exact = [] if number is None else [number]
    if not words or (exact and "#" in words):
        return exact
    condition = visibility.condition(user, "c.team_id")
    return exact + [
        hit.conversation_id for hit in _run_narrowed(_LISTED, words, condition, {"words": words, "user": user.pk})
    ]


def _run_narrowed(
    statement: str, words: str, condition: str, given: dict[str, Any], *, notes_only: bool = False, **more: str
) -> list[Hit]:
    """What people said is looked through first; what the house says to everybody only where that finds nothing, or
    would take too long: words that stand in every acknowledgement and nowhere else are found by going through all.
    """
    is_narrow = condition != "true"
    said = [_OURS.format(condition=condition)] if is_narrow else []
    titled = [condition] if is_narrow else []
    if notes_only:
        said.append("m.kind = 'note'")
        titled.append("false")
    parts = {
        "titled": "".join(f" AND {part}" for part in titled),
        "fence": "OFFSET 0" if _is_rare(words) else "",
        **more,
    }

    def run(said: list[str], patience_ms: int) -> list[Hit]:
        narrowed = statement.format(said="".join(f" AND {part}" for part in said), **parts)
        return _run(narrowed, given, patience_ms)

    if not notes_only:
        try:
            hits = run([*said, _SPOKEN], FIRST_PATIENCE_MS)
        except TooCommon:
            hits = []
        if hits:
            return hits
    return run(said, PATIENCE_MS)


def _is_rare(words: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EXPECTED.format(table=_MESSAGE), {"words": words})
        expected = cursor.fetchone()[0][0]["Plan"]["Plan Rows"]
        if expected <= RARE_ROWS:
            return True
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [_MESSAGE])
        messages = cursor.fetchone()[0]
    return bool(expected <= RARE_PART * messages)


def _run(statement: str, given: dict[str, Any], patience_ms: int = PATIENCE_MS) -> list[Hit]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PATIENCE.format(patience_ms=patience_ms))
            cursor.execute(statement, given)
            return [Hit(*row) for row in cursor.fetchall()]
    except OperationalError as error:
        if "statement timeout" in str(error):
            raise TooCommon from error
        raise
