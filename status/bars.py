"""Ninety days of a component as a small drawing: one stroke a day, those with trouble each with their own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import get_language, gettext, ngettext
from markupsafe import Markup

from status import uptime, wording
from status.snapshot import UPTIME_DAYS, ShownComponent, Snapshot, Span
from status.uptime import Day

_STEP: Final = 5
HEIGHT: Final = 34
WIDTH: Final = UPTIME_DAYS * _STEP - 1


@dataclass(frozen=True, slots=True)
class Drawing:
    """`strokes` is the drawing's content; `percent` the share it worked, "" where nothing is known."""

    strokes: Markup
    percent: str


@dataclass(frozen=True, slots=True)
class _Past:
    """All days but today: the strokes of those alike, of those with trouble, and the seconds counted and lost."""

    fine: str
    unknown: str
    troubled: Markup
    known: float
    lost: float


def draw(one: ShownComponent, shown: Snapshot) -> Drawing:
    """The last ninety days up to the minute of the snapshot."""
    minute = shown.at.replace(second=0, microsecond=0)
    return _draw(get_language() or "en", one.spans, shown.zone, one.started_on, minute)


@lru_cache(1024)
def _draw(language: str, spans: tuple[Span, ...], zone: ZoneInfo, started_on: date, at: datetime) -> Drawing:
    today = at.astimezone(zone).date()
    past = _past(language, spans, zone, started_on, today)
    (last,) = uptime.days(spans, zone=zone, started_on=started_on, first=today, count=1, until=at)
    fine, unknown, troubled = _strokes([last], UPTIME_DAYS - 1)
    parts = [
        Markup('<path class="u-{}" d="{}"/>').format(tone, strokes)
        for tone, strokes in (("ok", past.fine + fine), ("none", past.unknown + unknown))
        if strokes
    ]
    known, lost = past.known + last.known, past.lost + uptime.lost([last])
    return Drawing(Markup("").join([*parts, past.troubled, troubled]), _percent(1 - lost / known) if known else "")


@lru_cache(4096)
def _past(language: str, spans: tuple[Span, ...], zone: ZoneInfo, started_on: date, today: date) -> _Past:
    """What has gone by is as it is: it is worked out once for each of its spans, day and language."""
    count = UPTIME_DAYS - 1
    first, midnight = today - timedelta(days=count), datetime.combine(today, time(), zone)
    days = uptime.days(spans, zone=zone, started_on=started_on, first=first, count=count, until=midnight)
    return _Past(*_strokes(days, 0), sum(day.known for day in days), uptime.lost(days))


def _strokes(days: Sequence[Day], before: int) -> tuple[str, str, Markup]:
    """Strokes of the days that were fine, of those nothing is known of, and those with trouble, with their titles."""
    fine, unknown, troubled = [], [], []
    for number, day in enumerate(days, before):
        stroke = f"M{number * _STEP + 2} 0v{HEIGHT}"
        worst = day.worst
        if worst == "operational":
            fine.append(stroke)
        elif not worst:
            unknown.append(stroke)
        else:
            path = Markup('<path class="u-{}" d="{}"><title>{}</title></path>')
            troubled.append(path.format(wording.TONES[worst], stroke, _told(day)))
    return "".join(fine), "".join(unknown), Markup("").join(troubled)


def _percent(share: float) -> str:
    """Rounded down, so that only what never failed has 100 %."""
    return formats.number_format(int(share * 10_000) / 100, 2)


def _told(day: Day) -> str:
    times = ", ".join(f"{wording.state(state)} {duration(seconds)}" for state, seconds in day.seconds.items())
    return gettext("%(day)s: %(times)s") % {"day": formats.date_format(day.on, "DATE_FORMAT"), "times": times}


def duration(seconds: float) -> str:
    """A length of time in hours and minutes, in the language that is active; at least a minute."""
    minutes = max(round(seconds / 60), 1)
    hours, rest = divmod(minutes, 60)
    parts = [ngettext("%(n)s h", "%(n)s h", hours) % {"n": hours}] if hours else []
    if rest or not hours:
        parts.append(ngettext("%(n)s min", "%(n)s min", rest) % {"n": rest})
    return " ".join(parts)
