"""Calendars as arithmetic, kept in memory by version; changing one moves every open promise counted on it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db import transaction
from django.db.models import F, Max

from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.prepared import Prepared
from helpdesk.sla import holiday_sources
from helpdesk.sla.hours import NeverOpen, OpeningHours
from helpdesk.sla.models import Calendar, CalendarVersion, Goal, Holiday, HolidayFeed
from helpdesk.sla.week import InvalidHours


class UncountableGoal(InvalidHours):
    """The hours do not hold a promise's time within ten years, so that no clock could ever be due."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the days the source lists, and those the calendar is closed on now or no longer."""

    feed: HolidayFeed
    days: list[tuple[date, str]]
    added: list[date]
    removed: list[date]


_OFFICE = Prepared(
    "office_hours", f"SELECT id, version FROM {Calendar._meta.db_table} WHERE is_office ORDER BY id LIMIT 1"
)
LIBRARY = "library:"
YEARS_AHEAD = 2


@lru_cache(maxsize=256)
def hours_of(calendar_id: int, version: int) -> OpeningHours:
    """The opening hours of a calendar in one version. A version's content never changes, so it may be kept."""
    return CalendarVersion.objects.get(calendar_id=calendar_id, version=version).hours


def office_hours() -> OpeningHours | None:
    """Our own office hours; None where nobody has set any, which counts as always open."""
    office = _OFFICE.row()
    return hours_of(*office) if office else None


@transaction.atomic
def create_calendar(
    name: str, timezone: str, week: dict[str, list[list[str]]], *, at: datetime, is_office: bool = False
) -> Calendar:
    """A new calendar, without holidays yet. Raises InvalidHours."""
    OpeningHours.from_week(timezone, week, [])
    calendar = Calendar.objects.create(name=name, timezone=timezone, week=week, is_office=is_office)
    _next_version(calendar, at=at, actor=None)
    return calendar


def change_calendar(
    calendar: Calendar,
    *,
    at: datetime,
    actor: Actor,
    timezone: str | None = None,
    week: dict[str, list[list[str]]] | None = None,
    holidays: Iterable[tuple[date, str]] | None = None,
    name: str | None = None,
    is_office: bool | None = None,
) -> Calendar:
    """Change hours, zone or a calendar's own holidays. Open clocks follow; what was breached or met stays.

    There is one office: making this calendar its hours takes that from another. Raises InvalidHours, and changes
    nothing, if the result could not be counted on.
    """
    with transaction.atomic():
        calendar = Calendar.objects.select_for_update().get(pk=calendar.pk)
        if is_office:
            Calendar.objects.filter(is_office=True).exclude(pk=calendar.pk).update(is_office=False)
        calendar.name = name or calendar.name
        calendar.is_office = calendar.is_office if is_office is None else is_office
        calendar.timezone = timezone or calendar.timezone
        calendar.week = week if week is not None else calendar.week
        OpeningHours.from_week(calendar.timezone, calendar.week, [])
        calendar.save(update_fields=["name", "is_office", "timezone", "week"])
        if holidays is not None:
            calendar.holidays.filter(feed=None).delete()
            own = [Holiday(calendar=calendar, date=day, name=name) for day, name in holidays]
            Holiday.objects.bulk_create(own, ignore_conflicts=True)
        _next_version(calendar, at=at, actor=actor)
    return calendar


def import_holidays(
    calendar: Calendar, country: str, subdivision: str, years: Iterable[int], *, at: datetime
) -> HolidayFeed:
    """Copy the holidays library's days into the calendar, with the library's version. Running it again renews them."""
    days = holiday_sources.from_library(country, subdivision, years)
    source = f"{LIBRARY}{country}-{subdivision}" if subdivision else f"{LIBRARY}{country}"
    return _fill_feed(calendar, source, holiday_sources.library_version(), days, at=at)


def renew_holidays(*, at: datetime) -> int:
    """Copy the coming years into calendars that have them from the library; how many had not enough yet."""
    behind = (
        HolidayFeed.objects.filter(source__startswith=LIBRARY)
        .annotate(last=Max("holidays__date"))
        .exclude(last__year__gte=at.year + YEARS_AHEAD)
    )
    for feed in behind.select_related("calendar"):
        country, _, subdivision = feed.source.removeprefix(LIBRARY).partition("-")
        import_holidays(feed.calendar, country, subdivision, range(at.year - 1, at.year + YEARS_AHEAD + 1), at=at)
    return len(behind)


@transaction.atomic
def import_ical(
    calendar: Calendar, name: str, text: str, years: Iterable[int], *, at: datetime, actor: Actor | None = None
) -> Imported:
    """Copy the all-day events of an iCal text into the calendar; those of the same name before are replaced.

    Raises InvalidFeed, UncountableGoal.
    """
    days = holiday_sources.from_ical(text, years)
    Calendar.objects.select_for_update().get(pk=calendar.pk)
    before = set(calendar.holidays.values_list("date", flat=True))
    digest = hashlib.sha256(text.encode()).hexdigest()
    feed = _fill_feed(calendar, f"ical:{name}", digest, days, at=at, actor=actor)
    after = set(calendar.holidays.values_list("date", flat=True))
    return Imported(feed, days, sorted(after - before), sorted(before - after))


@transaction.atomic
def remove_feed(feed: HolidayFeed, *, actor: Actor, at: datetime) -> None:
    """Take out of a calendar what a source brought; its own days and other sources' stay. Open clocks follow."""
    calendar = Calendar.objects.select_for_update().get(pk=feed.calendar_id)
    feed.delete()
    _next_version(calendar, at=at, actor=actor)


@transaction.atomic
def _fill_feed(
    calendar: Calendar,
    source: str,
    version: str,
    days: Iterable[tuple[date, str]],
    *,
    at: datetime,
    actor: Actor | None = None,
) -> HolidayFeed:
    Calendar.objects.select_for_update().get(pk=calendar.pk)
    feed, _ = HolidayFeed.objects.update_or_create(
        calendar=calendar, source=source, defaults={"version": version, "imported_at": at}
    )
    feed.holidays.all().delete()
    Holiday.objects.bulk_create(
        [Holiday(calendar=calendar, date=day, name=name[:120], feed=feed) for day, name in days], ignore_conflicts=True
    )
    _next_version(calendar, at=at, actor=actor)
    return feed


def _next_version(calendar: Calendar, *, at: datetime, actor: Actor | None) -> None:
    Calendar.objects.filter(pk=calendar.pk).update(version=F("version") + 1)
    calendar.refresh_from_db()
    days = {holiday.date.isoformat(): holiday.name for holiday in calendar.holidays.all()}
    version = CalendarVersion.objects.create(
        calendar=calendar,
        version=calendar.version,
        timezone=calendar.timezone,
        week=calendar.week,
        holidays=days,
        at=at,
    )
    longest = Goal.objects.filter(policy__calendar=calendar).aggregate(seconds=Max("seconds"))["seconds"]
    check_holds(version.hours, longest or 0, at)
    fact = Fact("calendar.changed", data={"calendar": calendar.pk, "version": calendar.version})
    record(fact if actor is None else Fact(fact.kind, actor=actor, data=fact.data), at=at)


def check_holds(hours: OpeningHours, seconds: int, at: datetime) -> None:
    """Raises UncountableGoal where a goal of that many seconds would never be due, or nothing ever opens."""
    try:
        hours.add(at, max(seconds, 1))
    except NeverOpen as error:
        what = f"{seconds // 60} minutes" if seconds else "any opening"
        raise UncountableGoal(f"these hours do not hold {what} within ten years") from error
