"""Spans of time in as few words as an agent needs. `static/js/ticker.js` says the same in the browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86_400


def short(seconds: float) -> str:
    """Such as `9:41` (below ten minutes), `41 min`, `3 h 20 min`, `2 d 4 h`."""
    total = max(int(seconds), 0)
    if total < 10 * MINUTE:
        return f"{total // MINUTE}:{total % MINUTE:02}"
    if total < HOUR:
        return f"{total // MINUTE} min"
    if total < DAY:
        hours, minutes = total // HOUR, total % HOUR // MINUTE
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    days, hours = total // DAY, total % DAY // HOUR
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"


def ago(then: datetime, at: datetime) -> str:
    """How long ago, in the largest unit: `now`, `5 min`, `3 h`, `12 d`."""
    seconds = (at - then).total_seconds()
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return _("now")


def words() -> dict[str, str]:
    """What a countdown says, for the script that paints it: `%s` stands for the time."""
    return {"left": _("%s left"), "over": _("%s over")}


def goal(seconds: int) -> str:
    """A goal as it was agreed: `30 min`, `4 h`, `12 h`."""
    hours, minutes = divmod(timedelta(seconds=seconds) // timedelta(minutes=1), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


@dataclass(frozen=True, slots=True)
class Countdown:
    """What a clock's pill shows at one instant: `tone` is "", "warn" or "bad"."""

    tone: str
    text: str


def countdown(due_at: datetime, warn_at: datetime | None, at: datetime) -> Countdown:
    left = (due_at - at).total_seconds()
    if left <= 0:
        return Countdown("bad", _("%s over") % short(-left))
    warned = warn_at is not None and at >= warn_at
    return Countdown("warn" if warned else "", _("%s left") % short(left))
