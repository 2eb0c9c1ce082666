"""Lists that agents have open: what has changed comes to them, leaves them or moves at once. For `LIVE_DESK`."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection
from django.http import QueryDict

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.prepared import named_rows
from tickets.desk import filters, inbox, queue

LONGEST = 2000
# So many filters are asked about in one statement.
AT_ONCE = 50
# Whether these hold depends on who asks; for all others a conversation belongs to everybody's list or to nobody's.
_PERSONAL = {"mentioned": True, "team": "mine"}


@dataclass(frozen=True, slots=True)
class OpenList:
    """One agent's list: cleaned filters as JSON, and an order."""

    agent: int
    filters: str
    order: str


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked once for all lists to which the answer is the same; `agent` is 0 where any agent is answered so."""

    agent: int
    filters: str


def opened(agent: int, query: str) -> OpenList | None:
    """The list that an address's query shows to this agent, None where there is none. At most one statement."""
    if len(query) > LONGEST or not query.isascii():
        return None
    given = QueryDict(query)
    # What no database takes, no list is narrowed by.
    if any("\x00" in value for _name, values in given.lists() for value in values):
        return None
    try:
        view = inbox.asked(given, User(pk=agent))
    except (inbox.UnknownView, filters.BadFilter):
        return None
    return OpenList(agent, json.dumps(view.filters, sort_keys=True), view.order)


def belonging(lists: Collection[OpenList], ids: Collection[int]) -> Mapping[OpenList, Mapping[int, int]]:
    """Which of these conversations belong to each list, with their places (`queue.place`). One statement for AT_ONCE
    different filters.

    It is the caller who knows that an agent may see what they are told of: team and role are not looked at here.
    """
    askers: dict[_Question, list[OpenList]] = defaultdict(list)
    for one in lists:
        askers[_question(one)].append(one)
    found: dict[OpenList, dict[int, int]] = {one: {} for one in lists}
    every = list(askers) if ids else []
    for start in range(0, len(every), AT_ONCE):
        questions = every[start : start + AT_ONCE]
        for row in _answers(questions, ids):
            for one in askers[questions[row["question"]]]:
                if not _is_mine(one) or row["assignee_id"] == one.agent:
                    found[one][row["id"]] = queue.place(row, one.order)
    return found


@lru_cache(1000)
def _is_mine(one: OpenList) -> bool:
    wanted: dict[str, Any] = json.loads(one.filters)
    return wanted.get("assignee") == "me"


@lru_cache(1000)
def _question(one: OpenList) -> _Question:
    """What is mine is told by the row: a hundred agents who look at what is theirs ask one question."""
    wanted: dict[str, Any] = json.loads(one.filters)
    if wanted.get("assignee") == "me":
        del wanted["assignee"]
    is_personal = any(wanted.get(key) == value for key, value in _PERSONAL.items())
    return _Question(one.agent if is_personal else 0, json.dumps(wanted, sort_keys=True))


def _answers(questions: Sequence[_Question], ids: Collection[int]) -> list[dict[str, Any]]:
    """Each found row, with the number of its `question`."""
    parts: list[str] = []
    given: dict[str, Any] = {"ids": list(ids)}
    for number, question in enumerate(questions):
        asker = User(pk=question.agent, role=User.Role.ADMIN)
        condition, wanted = filters.condition(json.loads(question.filters), asker)
        given |= {f"{name}_{number}": value for name, value in wanted.items()}
        condition = condition % {name: f"%({name}_{number})s" for name in wanted}
        parts.append(
            f"SELECT {number} AS question, id, assignee_id, next_due_at, updated_at, snoozed_until "
            f"FROM {Conversation._meta.db_table} WHERE id = ANY(%(ids)s) AND {condition or 'true'}"
        )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), given)
        return named_rows(cursor)
