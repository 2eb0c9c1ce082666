"""What the palette finds while somebody types: numbers first, then subjects and people. Bounded, however many."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from helpdesk.conversations import visibility
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Organization, User
from helpdesk.numbers import is_number
from helpdesk.prepared import named_rows

MAX_QUERY = 100
EACH = 6
# Words that are everywhere are found among the newest; what is not there is rare, and the index finds it.
NEWEST = 2000
# So many rows of an index are looked at, whatever the word: PostgreSQL's own bound for GIN.
INDEX_LIMIT = 3000
_CONVERSATION, _CUSTOMER = Conversation._meta.db_table, Customer._meta.db_table
# And told that a page costs four times as much where it does not follow the one before, the planner reads everybody.
_BOUNDS = f"""
SELECT set_config('gin_fuzzy_search_limit', '{INDEX_LIMIT}', true), set_config('random_page_cost', '1.1', true)
"""
_SHOWN = f"""
SELECT c.id, c.subject, c.status, coalesce(nullif(customer.name, ''), customer.email) AS who, c.customer_id
FROM ({{found}}) AS c JOIN {_CUSTOMER} AS customer ON customer.id = c.customer_id
ORDER BY c.place, c.id DESC LIMIT {EACH}
"""
_COLUMNS = "id, subject, status, customer_id, team_id"
_NUMBERED = f"SELECT {_COLUMNS}, 0 AS place FROM {_CONVERSATION} WHERE id = %(number)s AND {{visible}}"
_RECENT = f"""
SELECT {_COLUMNS}, 1 AS place FROM (
    SELECT {_COLUMNS} FROM {_CONVERSATION} ORDER BY updated_at DESC, id DESC LIMIT {NEWEST}) AS newest
WHERE subject ILIKE %(like)s AND {{visible}} LIMIT {EACH}
"""
# Found first and ordered then: else the planner hopes to meet a match soon, and reads all numbers backwards for none.
_INDEXED = f"""
SELECT {_COLUMNS}, 1 AS place FROM (
    SELECT {_COLUMNS} FROM {_CONVERSATION} WHERE search @@ to_tsquery('simple', %(words)s) AND {{visible}} OFFSET 0
) AS hits ORDER BY id DESC LIMIT {EACH}
"""
_MINE = f"""
SELECT {_COLUMNS}, 1 AS place FROM {_CONVERSATION}
WHERE assignee_id = %(user)s AND status IN ('new', 'open', 'pending', 'on_hold') AND {{visible}}
ORDER BY next_due_at ASC NULLS LAST, id LIMIT {EACH}
"""
_NEW_ONES = f"(SELECT * FROM {_CUSTOMER} ORDER BY id DESC LIMIT {NEWEST})"
_PEOPLE = f"""
SELECT customer.id, coalesce(nullif(customer.name, ''), customer.email) AS name, customer.email,
    organization.name AS organization
FROM {{customers}} AS customer
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = customer.organization_id
WHERE {{condition}} ORDER BY {{order}} LIMIT {EACH}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """`conversations` have id, subject, status, who, customer_id; `people` id, name, email, organization."""

    conversations: list[dict[str, Any]]
    people: list[dict[str, Any]]


def find(typed: str, user: User) -> Found:
    """Conversations by number or subject, customers by name or address; without a word the agent's own next ones."""
    text = " ".join(typed[:MAX_QUERY].replace("\x00", "").split())
    if not text:
        return Found(_conversations(_MINE, user, {}), [])
    number = text.removeprefix("#")
    if is_number(number):
        by_number = _conversations(_NUMBERED, user, {"number": int(number)})
        if text.startswith("#") or by_number:
            return Found(by_number, [])
    if text.startswith("#"):
        return Found([], [])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BOUNDS)
        return Found(_by_subject(text, user), _by_name(text))


def _by_subject(text: str, user: User) -> list[dict[str, Any]]:
    recent = _conversations(_RECENT, user, {"like": f"%{_escaped(text)}%"})
    words = _words(text)
    if len(recent) >= EACH or not words:
        return recent
    known = {row["id"] for row in recent}
    older = _conversations(_INDEXED, user, {"words": " & ".join(f"{word}:*" for word in words)})
    return [*recent, *(row for row in older if row["id"] not in known)][:EACH]


def _words(text: str) -> list[str]:
    """Letters and digits only: whatever else PostgreSQL's language of queries would understand is left out."""
    cleaned = "".join(letter if letter.isalnum() else " " for letter in text)
    return [word for word in cleaned.split() if len(word) > 1][:6]


def _by_name(text: str) -> list[dict[str, Any]]:
    """By a part of the name or address; by likeness, where somebody mistyped."""
    anywhere = f"%{_escaped(text)}%" if len(text) > 2 else f"{_escaped(text)}%"
    given = {"like": anywhere, "start": f"{_escaped(text)}%", "text": text}
    condition = "customer.name ILIKE %(like)s OR customer.email ILIKE %(like)s"
    order = "(customer.name ILIKE %(start)s OR customer.email ILIKE %(start)s) DESC, customer.id DESC"
    newest = _fetch(_PEOPLE.format(customers=_NEW_ONES, condition=condition, order=order), given)
    if len(newest) >= EACH:
        return newest
    found = _fetch(_PEOPLE.format(customers=_CUSTOMER, condition=condition, order=order), given)
    if found or len(text) < 4:
        return found
    order = "word_similarity(%(text)s, customer.name) DESC, customer.id DESC"
    return _fetch(_PEOPLE.format(customers=_CUSTOMER, condition="%(text)s <%% customer.name", order=order), given)


def _conversations(statement: str, user: User, given: dict[str, Any]) -> list[dict[str, Any]]:
    found = statement.format(visible=visibility.condition(user))
    return _fetch(_SHOWN.format(found=found), {"user": user.pk, **given})


def _fetch(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return named_rows(cursor)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
