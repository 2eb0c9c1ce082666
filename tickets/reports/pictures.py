"""The charts of a report, and the numbers above them that are compared with the period before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from markupsafe import Markup

from helpdesk.desk.tables import Table
from tickets.desk import wording as names
from tickets.reports import charts, wording
from tickets.reports.charts import Bar, Series
from tickets.reports.models import Measure
from tickets.reports.reading import PROMISED, Numbers
from tickets.reports.tables import Report

MOST_BARS = 8
# A change of less is no news.
_SAME = 0.005


@dataclass(frozen=True, slots=True)
class Tile:
    """A number at the top: what it is, what it was before in words, whether that is good ("ok", "bad" or "")."""

    name: str
    value: str
    change: str
    tone: str
    arrow: str
    before: str
    spark: Markup


def tiles(report: Report) -> list[Tile]:
    now, before, volume = report.now, report.before, report.tables["volume"]
    found = [
        _count_tile(_("New"), Measure.OPENED, now, before, volume.column("new")),
        _count_tile(_("Resolved"), Measure.RESOLUTION, now, before, volume.column("resolved"), better="more"),
        _tile(
            _("Backlog"), report.backlog, report.backlog_before, "number", "fewer", volume.column("backlog"),
            _("%s before"),
        ),
    ]  # fmt: skip
    for measure, name in ((Measure.FIRST_RESPONSE, _("First response")), (Measure.RESOLUTION, _("Resolution"))):
        median = report.tables["trend"].column(f"{measure}_median")
        found.append(_tile(name, now.time(measure).median, before.time(measure).median, "seconds", "fewer", median))
    shares = [now.share(PROMISED, "unit", unit) for unit in report.selection.units]
    kept, was = now.share(PROMISED), before.share(PROMISED)
    found.append(_tile(_("Promises kept"), kept, was, "share", "more", shares))
    return found


def _count_tile(name: str, measure: str, now: Numbers, before: Numbers, way: list[Any], better: str = "") -> Tile:
    return _tile(name, now.count(measure), before.count(measure), "number", better, way)


def _tile(
    name: str,
    value: float | None,
    was: float | None,
    kind: str,
    better: str,
    way: Sequence[Any],
    before: str = "",
) -> Tile:
    change, more = _change(value, was, kind)
    good = {"": "", "more": "ok" if more > 0 else "bad", "fewer": "ok" if more < 0 else "bad"}[better]
    tone, arrow = (good, "arrow-up" if more > 0 else "arrow-down") if more else ("", "")
    told = (before or _("%s in the period before")) % wording.say(was, kind) if was is not None else ""
    return Tile(name, wording.say(value, kind), change, tone, arrow, told, charts.spark(way))


def _change(value: float | None, was: float | None, kind: str) -> tuple[str, int]:
    """In words, and its direction: 1, 0 or -1."""
    if value is None or was is None or (not was and kind != "share"):
        return "", 0
    if kind == "share":
        points = (value - was) * 100
        same = abs(points) < 0.05
        return (_("unchanged"), 0) if same else (_("%s points") % f"{points:+.1f}", 1 if points > 0 else -1)
    by = (value - was) / was
    return (_("unchanged"), 0) if abs(by) < _SAME else (f"{by * 100:+.0f} %", 1 if by > 0 else -1)


def pictures(report: Report) -> dict[str, Markup]:
    """One chart a table, by its key."""
    labels = [_unit(day, report.selection.unit) for day in report.tables["volume"].column("starts")]
    found = {
        "volume": _volume(report, labels),
        "backlog": _backlog(report, labels),
        "first_response": _time(report, labels, Measure.FIRST_RESPONSE),
        "resolution": _time(report, labels, Measure.RESOLUTION),
        "dispatch": _time(report, labels, Measure.DISPATCH),
        "promises": _promises(report.tables["promises"]),
        "teams": _shares(report.tables["teams"], _("New by team")),
        "channels": _shares(report.tables["channels"], _("New by channel")),
        "hours": charts.heat_map(
            "hours", _("Busiest hours"), [str(WEEKDAYS_ABBR[number]) for number in range(7)], report.week
        ),
        "agents": _agents(report.tables["agents"]),
    }
    return found


def _unit(day: date, unit: str) -> str:
    return formats.date_format(day, "M y" if unit == "month" else "j M")


def _volume(report: Report, labels: list[str]) -> Markup:
    table = report.tables["volume"]
    series = [
        Series(_("New"), table.column("new"), "c1", "bar"),
        Series(_("Resolved"), table.column("resolved"), "c2", "bar"),
    ]
    return charts.over_time(
        "volume", _("New and resolved"), labels, series, says=wording.number, marks=wording.short_number
    )


def _backlog(report: Report, labels: list[str]) -> Markup:
    series = [Series(_("Backlog"), report.tables["volume"].column("backlog"), "c3")]
    return charts.over_time(
        "backlog", _("Backlog over time"), labels, series, says=wording.number, marks=wording.short_number
    )


def _time(report: Report, labels: list[str], measure: str) -> Markup:
    table = report.tables["trend"]
    series = [
        Series(_("90 %"), table.column(f"{measure}_p90"), "c1 faint"),
        Series(_("median"), table.column(f"{measure}_median"), "c1"),
    ]
    title = _("%s over time") % names.target_name(measure)
    return charts.over_time(
        f"time-{measure}", title, labels, series, says=wording.seconds, marks=wording.short_seconds, is_time=True
    )


def _promises(table: Table) -> Markup:
    rows = []
    for name, kept, broken, share in table.rows:
        if share is None:
            rows.append((Bar(name, 0, _("none ended")), False))
            continue
        words = _("%(share)s, %(broken)s broken") % {
            "share": wording.share(share), "broken": wording.number(broken),
        }  # fmt: skip
        rows.append((Bar(name, kept / (kept + broken), words), True))
    return charts.promises("promises", _("Promises kept, by what was promised"), rows)


def _shares(table: Table, title: str) -> Markup:
    whole = sum(table.column("new"))
    rows = [
        Bar(row[0], row[1] / whole if whole else 0, f"{wording.number(row[1])} · {wording.share(row[1] / whole)}")
        for row in table.rows[:MOST_BARS]
        if whole
    ]
    return charts.bars(table.key, title, rows)


def _agents(table: Table) -> Markup:
    most = max(table.column("handled"), default=0)
    rows = [
        Bar(row[0], row[2] / most if most else 0, _("%(resolved)s resolved, %(open)s open")
            % {"resolved": wording.number(row[2]), "open": wording.number(row[1])})
        for row in table.rows[:MOST_BARS]
    ]  # fmt: skip
    return charts.bars("agents", _("Resolved by agent"), rows)
