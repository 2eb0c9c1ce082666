"""Charts as SVG that the server draws: no script, readable on any width, with words for who cannot see them.

Widths are percentages and heights pixels, so that bars follow the page and words keep their size. Colours are classes
of reports.css. What is shown exactly is in the table beside each chart.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from markupsafe import Markup

PLOT: Final = 168
_TOP, _BELOW = 12, 26
_ROW = 44
_CELL = 24
_LEVELS = 9
_STEPS_OF_TIME = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 4, 8, 12)),
    *(86_400 * days for days in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
Value = float | int | None


@dataclass(frozen=True, slots=True)
class Series:
    """`shape` is bar or line, `tone` a class of reports.css; None among the values is a gap."""

    name: str
    values: Sequence[Value]
    tone: str
    shape: str = "line"


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar: `share` of its track, 0 to 1, with words beside it."""

    name: str
    share: float
    words: str


def over_time(
    key: str,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    says: Callable[[float], str],
    marks: Callable[[float], str],
    is_time: bool = False,
) -> Markup:
    """Bars and lines over the same points. `says` writes a value, `marks` one of the axis in few letters; axes of times
    have steps people count in.
    """
    highest = max((value for one in series for value in one.values if value is not None), default=0)
    if not highest:
        return Markup('<p class="nothing">{}</p>').format(_("Nothing in this period."))
    step, count = (_time_step if is_time else _step)(highest)
    top = step * count
    body = _axis(step, count, marks) + _bars([one for one in series if one.shape == "bar"], top)
    for one in series:
        if one.shape == "line":
            body += _line(one, top)
    body += _x_labels(labels) + _hover(labels, series, says)
    described = _("%(points)s points; the highest value is %(most)s.") % {"points": len(labels), "most": says(highest)}
    return _svg(key, title, described, body, _TOP + PLOT + _BELOW, "chart")


def bars(key: str, title: str, rows: Sequence[Bar]) -> Markup:
    body = Markup("")
    for number, row in enumerate(rows):
        y = number * _ROW
        body += Markup(
            '<g><title>{name}: {words}</title><text class="name" x="0" y="{text}">{name}</text>'
            '<text class="value" x="100%" y="{text}" text-anchor="end">{words}</text>'
            '<rect class="track" x="0" y="{bar}" width="100%" height="10" rx="5"/>'
            '<rect class="c1" x="0" y="{bar}" width="{width}%" height="10" rx="5"/></g>'
        ).format(name=row.name, words=row.words, text=y + 15, bar=y + 23, width=_n(100 * min(max(row.share, 0), 1)))
    described = "; ".join(f"{row.name}: {row.words}" for row in rows)
    return _svg(key, title, described, body, max(len(rows) * _ROW - 8, 1), "bars")


def promises(key: str, title: str, rows: Sequence[tuple[Bar, bool]]) -> Markup:
    """Shares kept; what is missing of the track was broken. False where nothing ended yet: then the track is empty."""
    body = Markup("")
    for number, (row, ended) in enumerate(rows):
        y = number * _ROW
        body += Markup(
            '<g><title>{name}: {words}</title><text class="name" x="0" y="{text}">{name}</text>'
            '<text class="value" x="100%" y="{text}" text-anchor="end">{words}</text>'
            '<rect class="{track}" x="0" y="{bar}" width="100%" height="10" rx="5"/>'
        ).format(name=row.name, words=row.words, text=y + 15, bar=y + 23, track="broken" if ended else "track")
        if ended and row.share > 0:
            body += Markup('<rect class="kept" x="0" y="{}" width="{}%" height="10" rx="5"/>').format(
                y + 23, _n(100 * row.share)
            )
        body += Markup("</g>")
    described = "; ".join(f"{row.name}: {row.words}" for row, _ended in rows)
    return _svg(key, title, described, body, len(rows) * _ROW - 8, "bars")


def heat_map(key: str, title: str, days: Sequence[str], week: Sequence[Sequence[int]]) -> Markup:
    """A week as seven rows of 24 hours, darker where more came in."""
    most = max((count for day in week for count in day), default=0)
    body = Markup("")
    for row, (name, hours) in enumerate(zip(days, week, strict=True)):
        y = row * _CELL
        body += Markup('<text class="axis" x="-8" y="{}" text-anchor="end">{}</text>').format(y + 16, name)
        for hour, count in enumerate(hours):
            body += Markup(
                '<rect class="cell l{}" x="{}%" y="{}" width="{}%" height="{}"><title>{}</title></rect>'
            ).format(
                _level(count, most),
                _n(hour * 100 / 24),
                y,
                _n(100 / 24),
                _CELL,
                f"{name} {hour:02}–{hour + 1:02}: {count}",
            )
    for hour in range(0, 24, 3):
        body += Markup('<text class="axis{}" x="{}%" y="{}">{:02}</text>').format(
            " few" if hour % 6 else "", _n(hour * 100 / 24), 7 * _CELL + 17, hour
        )
    if most:
        day, hour = max(((d, h) for d in range(7) for h in range(24)), key=lambda place: week[place[0]][place[1]])
        described = _("Most came in on %(day)s between %(from)s and %(to)s: %(count)s.") % {
            "day": days[day], "from": f"{hour:02}:00", "to": f"{hour + 1:02}:00", "count": most,
        }  # fmt: skip
    else:
        described = _("Nothing came in.")
    return _svg(key, title, described, body, 7 * _CELL + 24, "heat")


def spark(values: Sequence[Value]) -> Markup:
    """How a number went, without an axis: an ornament, hidden from who is read to; the chart below says it all."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    top = max(known) or 1
    points = [(100 * n / (len(values) - 1), 28 - 24 * v / top) for n, v in enumerate(values) if v is not None]
    line = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    area = f"{_n(points[0][0])},30 {line} {_n(points[-1][0])},30"
    return Markup(
        '<svg class="spark" aria-hidden="true" viewBox="0 0 100 30" preserveAspectRatio="none"><polygon points="{}"/>'
        '<polyline points="{}" vector-effect="non-scaling-stroke"/></svg>'
    ).format(area, line)


def _svg(key: str, title: str, described: str, body: Markup, height: float, name: str) -> Markup:
    return Markup(
        '<svg class="{name}" role="img" aria-labelledby="{key}-title {key}-words" height="{height}">'
        '<title id="{key}-title">{title}</title><desc id="{key}-words">{words}</desc>{body}</svg>'
    ).format(name=name, key=key, height=_n(height), title=title, words=described[:2000], body=body)


def _axis(step: float, count: int, marks: Callable[[float], str]) -> Markup:
    body = Markup("")
    for number in range(count + 1):
        y = _n(_TOP + PLOT - PLOT * number / count)
        body += Markup('<line class="grid{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(
            "" if number else " base", y, y
        )
        body += Markup('<text class="axis" x="-8" y="{}" text-anchor="end">{}</text>').format(
            _n(_TOP + PLOT - PLOT * number / count + 4), marks(step * number)
        )
    return body


def _bars(series: Sequence[Series], top: float) -> Markup:
    body = Markup("")
    for place, one in enumerate(series):
        band = 100 / max(len(one.values), 1)
        width = band * 0.72 / len(series)
        for number, value in enumerate(one.values):
            if not value:
                continue
            height = PLOT * value / top
            body += Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="1.5"/>').format(
                one.tone, _n(number * band + band * 0.14 + place * width), _n(_TOP + PLOT - height), _n(width * 0.94),
                _n(height),
            )  # fmt: skip
    return body


def _line(one: Series, top: float) -> Markup:
    """A gap in the values is a gap in the line; a point between two gaps is a dot."""
    band = 1000 / max(len(one.values), 1)
    body = Markup("")
    strokes: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(one.values):
        if value is None:
            strokes.append([])
        else:
            strokes[-1].append((number * band + band / 2, PLOT - PLOT * value / top))
    for stroke in strokes:
        if len(stroke) == 1 or len(one.values) <= 31:
            for x, y in stroke:
                body += Markup('<circle class="{}" cx="{}%" cy="{}" r="2.5"/>').format(
                    one.tone, _n(x / 10), _n(_TOP + y)
                )
        if len(stroke) > 1:
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in stroke)
            body += Markup(
                '<svg y="{}" width="100%" height="{}" viewBox="0 0 1000 {}" preserveAspectRatio="none">'
                '<polyline class="{}" points="{}" vector-effect="non-scaling-stroke"/></svg>'
            ).format(_TOP, PLOT, PLOT, one.tone, points)
    return body


def _x_labels(labels: Sequence[str]) -> Markup:
    """As many as there is room for: about twelve on a wide page, half of them on a narrow one."""
    body, band = Markup(""), 100 / max(len(labels), 1)
    every = max(math.ceil(len(labels) / 12), 1)
    for shown, number in enumerate(range(0, len(labels), every)):
        few = " few" if len(labels) > 6 and shown % 2 else ""
        body += Markup('<text class="axis{}" x="{}%" y="{}" text-anchor="middle">{}</text>').format(
            few, _n(number * band + band / 2), _TOP + PLOT + 18, labels[number]
        )
    return body


def _hover(labels: Sequence[str], series: Sequence[Series], says: Callable[[float], str]) -> Markup:
    """What a point says under the mouse."""
    body, band = Markup(""), 100 / max(len(labels), 1)
    for number, label in enumerate(labels):
        values = [(one.name, one.values[number]) for one in series]
        words = ", ".join(f"{name} {says(value)}" for name, value in values if value is not None)
        body += Markup('<rect class="over" x="{}%" y="{}" width="{}%" height="{}"><title>{}: {}</title></rect>').format(
            _n(number * band), _TOP, _n(band), PLOT, label, words or "–"
        )
    return body


def _step(highest: float) -> tuple[float, int]:
    """The step between grid lines, 1, 2 or 5 times a power of ten, and how many there are: at most five."""
    if highest <= 4:
        return 1, max(math.ceil(highest), 1)
    rough = highest / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return step, max(math.ceil(highest / step), 1)


def _time_step(highest: float) -> tuple[float, int]:
    step = next((step for step in _STEPS_OF_TIME if step >= highest / 4), 86_400 * 1000)
    return step, max(math.ceil(highest / step), 1)


def _level(count: int, most: int) -> int:
    """0 for nothing, then 1 to 9."""
    return math.ceil(count / most * _LEVELS) if most else 0


def _n(number: float) -> str:
    """A number for an attribute, as short as it can be."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
