"""Tables of the reports, which any room may have: what REPORTS names is a module with KEYS and
`tables(selection, user)`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings


class Selection(Protocol):
    """A period of the office's days, both within, and whose conversations; None for all, team 0 for those of none."""

    @property
    def start(self) -> date: ...
    @property
    def end(self) -> date: ...
    @property
    def team(self) -> int | None: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def priority(self) -> str | None: ...
    @property
    def plan(self) -> int | None: ...
    @property
    def organization(self) -> int | None: ...
    @property
    def agent(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` says how a value is written: text, number, seconds, share (0 to 1), day, minutes. `about` explains it."""

    key: str
    title: str
    kind: str = "number"
    about: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows have a value for each column; None where there is none, as for the median of nothing."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: list[list[Any]]

    def dicts(self) -> Iterator[dict[str, Any]]:
        names = [column.key for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def column(self, key: str) -> list[Any]:
        place = [column.key for column in self.columns].index(key)
        return [row[place] for row in self.rows]


def instants(selection: Selection) -> tuple[datetime, datetime]:
    """When the period begins, and when it has ended."""
    zone = ZoneInfo(settings.OFFICE_TIME_ZONE)
    start = datetime.combine(selection.start, time(), zone)
    return start.astimezone(UTC), datetime.combine(selection.end + timedelta(days=1), time(), zone).astimezone(UTC)


def narrowed(selection: Selection, columns: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    """SQL of the selection's filters on these columns, by the filter's name, with its parameters and the period's
    (`from`, `until`).
    """
    start, until = instants(selection)
    found: list[str] = []
    given: dict[str, Any] = {"from": start, "until": until}
    for name, column in columns.items():
        value = getattr(selection, name)
        if name == "team" and value == 0:
            found.append(f"{column} IS NULL")
        elif value is not None:
            found.append(f"{column} = %({name})s")
            given[name] = value
    return found, given
