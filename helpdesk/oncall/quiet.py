"""Quiet hours: when a page of low urgency waits. Pure: no Django, no clock. They defer a page, they never drop one."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from helpdesk.oncall.wall_clock import span, utc, zone


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from `start` to `end`, local time in the IANA zone `timezone`.

    An `end` before `start` is on the next day, 00:00 is midnight. When the clocks are changed, a time that is skipped
    moves to the first instant after the gap; of a repeated hour the first occurrence starts the quiet, the last ends
    it.
    Raises ValueError for an unknown zone, or for equal times: a page would then wait for ever.
    """

    timezone: str
    start: time
    end: time

    def __post_init__(self) -> None:
        zone(self.timezone)
        if self.start == self.end:
            raise ValueError("quiet hours cannot last the whole day")

    def until(self, at: datetime) -> datetime | None:
        """The end, in UTC, of the quiet span around `at`, where it is not quiet any more; None if `at` is not quiet.

        Raises ValueError if `at` has no zone.
        """
        at, where = utc(at), zone(self.timezone)
        today = at.astimezone(where).date()
        quiet_until: datetime | None = None
        # A skipped or repeated hour can make the spans of two days touch: follow them until it is really over.
        for offset in range(-2, 4):
            begins, ends = span(where, today + timedelta(days=offset), self.start, self.end)
            if begins <= (quiet_until or at) < ends:
                quiet_until = ends
        return quiet_until
