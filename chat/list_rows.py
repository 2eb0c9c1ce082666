"""What open lists are told of: rows drawn anew where they stand, and which come, go or move. One look for all readers.

What a list shows is the desk's affair (`LIVE_DESK`); who may see a conversation is asked here for every batch.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from chat import frames
from helpdesk.conversations import visibility

# Places in a list are whole numbers that scripts count exactly.
FURTHEST: Final = 2**53 - 1
MOST_KEPT: Final = 1000

# A row as it is drawn: the conversation, its reader, their language and time zone, and the order of their list.
Drawn = tuple[int, int, str, str, str]


class OpenList(Hashable, Protocol):
    """What somebody's list is of, as the desk knows it."""

    @property
    def order(self) -> str:
        """What it is sorted by."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One reader's list: its rows, how they are read, what it is of where that is known, and the place up to which all
    that belongs to it is shown.
    """

    user_id: int
    language: str
    zone: str
    rows: frozenset[int] = frozenset()
    open_list: OpenList | None = None
    upto: int = FURTHEST

    def with_more(self, numbers: Collection[int]) -> "Shown":
        """What came to it is shown from then on, also before the page says so; one that never does is left behind."""
        rows = self.rows.union(numbers)
        return replace(self, rows=rows) if len(rows) <= MOST_KEPT else self


@dataclass(frozen=True, slots=True)
class Rows:
    """What the reader of a list is told: the numbers of the rows drawn anew, and the frame that says it."""

    drawn: Collection[int]
    frame: str


def opened(user_id: int, query: str) -> OpenList | None:
    """The list behind an address's query; None where there is none for this agent."""
    found: OpenList | None = import_string(settings.LIVE_DESK["list"])(user_id, query)
    return found


def news(lists: Collection[Shown], stale: Collection[int]) -> Mapping[Shown, Rows]:
    """For each list that these conversations concern, what its reader is told of them."""
    belonging: Mapping[OpenList, Mapping[int, int]] = import_string(settings.LIVE_DESK["belonging"])(
        {one.open_list for one in lists if one.open_list}, stale
    )
    watchers = visibility.watchers(stale, {one.user_id for one in lists})
    inside = {one: {n for n in _inside(one, belonging) if (n, one.user_id) in watchers} for one in lists}
    wanted = {
        one: {n: _drawn(one, n) for n in inside[one] | one.rows.intersection(stale) if (n, one.user_id) in watchers}
        for one in lists
    }
    every = {row for rows in wanted.values() for row in rows.values()}
    drawn: Mapping[Drawn, str] = import_string(settings.LIVE_DESK["rows"])(every)
    told = {}
    # Readers who are told alike are sent the same text.
    frames_made: dict[tuple[tuple[tuple[int, str], ...], tuple[int, ...] | None], Rows] = {}
    for one, rows in wanted.items():
        found = tuple((number, drawn[row]) for number, row in sorted(rows.items()) if row in drawn)
        left = tuple(sorted(one.rows.intersection(stale) - inside[one])) if one.open_list else None
        if not found and not left:
            continue
        if (found, left) not in frames_made:
            frames_made[found, left] = Rows([number for number, _html in found], _frame(found, left))
        told[one] = frames_made[found, left]
    return told


def _frame(found: Sequence[tuple[int, str]], left: Sequence[int] | None) -> str:
    """Without `left` where nobody knows what belongs to the list."""
    fields: dict[str, Any] = {"v": {str(number): html for number, html in found}}
    return frames.frame("rows", **fields, **({} if left is None else {"left": left}))


def _inside(one: Shown, belonging: Mapping[OpenList, Mapping[int, int]]) -> set[int]:
    """What belongs to the part of the list that is shown; what moved past its end has left it."""
    if one.open_list is None:
        return set()
    return {number for number, place in belonging[one.open_list].items() if place <= one.upto}


def _drawn(one: Shown, number: int) -> Drawn:
    return number, one.user_id, one.language, one.zone, one.open_list.order if one.open_list else ""
