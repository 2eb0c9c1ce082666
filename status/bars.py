"""Ninety days of a component as a small drawing: one stroke a day, those with trouble each with their own words."""

from collections.abc import Sequence
from typing import Final

from django.utils import formats
from django.utils.translation import gettext, ngettext
from markupsafe import Markup

from status import uptime, wording
from status.uptime import Day

_STEP: Final = 5
HEIGHT: Final = 34


def bars(days: Sequence[Day]) -> Markup:
    """The drawing's content: a path of all days alike, and one with a title for each that was not as it should be."""
    strokes: dict[str, list[str]] = {"ok": [], "none": []}
    troubled = []
    for number, day in enumerate(days):
        stroke = f"M{number * _STEP + 2} 0v{HEIGHT}"
        if day.worst in ("operational", ""):
            strokes["ok" if day.worst else "none"].append(stroke)
        else:
            path = Markup('<path class="u-{}" d="{}"><title>{}</title></path>')
            troubled.append(path.format(wording.TONES[day.worst], stroke, _told(day)))
    plain = [
        Markup('<path class="u-{}" d="{}"/>').format(tone, "".join(found)) for tone, found in strokes.items() if found
    ]
    return Markup("").join([*plain, *troubled])


def width(count: int) -> int:
    return count * _STEP - 1


def percent(days: Sequence[Day]) -> str:
    """The share it worked, rounded down, so that only what never failed has 100 %; "" where nothing is known."""
    share = uptime.share(days)
    return "" if share is None else formats.number_format(int(share * 10_000) / 100, 2)


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
