"""How the values of a report are written: for people in the page, and safely for spreadsheets in CSV."""

import csv
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _

from helpdesk.days import short_date
from helpdesk.desk.tables import Column, Table
from tickets.desk import durations

NOTHING: Final = "–"
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection).
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def say(value: Any, kind: str) -> str:
    """One value of a table, as the page writes it."""
    return NOTHING if value is None else _SAYS[kind](value)


def seconds(value: float) -> str:
    """Such as `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    return _("%s s") % int(value) if value < 60 else durations.short(value) if value >= 600 else _minutes(value)


def _minutes(value: float) -> str:
    whole, rest = divmod(int(value), 60)
    return f"{whole} min {rest} s" if rest else f"{whole} min"


def short_seconds(value: float) -> str:
    """For an axis: `30 s`, `15 min`, `1.5 h`, `2 d`."""
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if value >= unit:
            return f"{value / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{value:.0f} s" if value else "0"


def number(value: float) -> str:
    """Thousands apart, and a decimal only where there is one."""
    return formats.number_format(value, 0 if value == int(value) else 1, use_l10n=True, force_grouping=True)


def short_number(value: float) -> str:
    """For an axis: `1.2k`, `3M`."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit:
            return f"{value / unit:.1f}".removesuffix(".0") + letter
    return number(value)


def share(value: float) -> str:
    """In percent; what is not all is never shown as all."""
    percent = value * 100
    shown = f"{percent:.1f}" if percent < 100 else "100"
    return f"{'99.9' if shown == '100.0' else shown.removesuffix('.0')} %"


_SAYS: Final[dict[str, Callable[[Any], str]]] = {
    "text": str,
    "number": number,
    "seconds": seconds,
    "share": share,
    "day": short_date,
    "minutes": lambda minutes: seconds(minutes * 60) if minutes else NOTHING,
}


class _Echo:
    """What the csv module writes to: each line is handed on instead of kept."""

    def write(self, line: str) -> str:
        return line


def csv_lines(table: Table) -> Iterator[str]:
    """The table line by line; seconds, shares and days as they are, so that a spreadsheet can reckon with them."""
    writer = csv.writer(_Echo())
    # Spreadsheets know by this mark that it is UTF-8.
    yield "\ufeff"
    yield writer.writerow([safe(_heading(column)) for column in table.columns])
    for row in table.rows:
        yield writer.writerow([safe(value) for value in row])


def _heading(column: Column) -> str:
    units = {"seconds": _("seconds"), "minutes": _("minutes")}
    return f"{column.title} ({units[column.kind]})" if column.kind in units else column.title


def safe(value: Any) -> str:
    """A cell no spreadsheet takes for a formula; numbers are ours and stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:.4f}" if isinstance(value, float) else str(value)
    text = str(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) or text.startswith(_FORMULAS) else text
