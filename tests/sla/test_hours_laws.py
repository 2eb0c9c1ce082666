"""Business time: laws that hold for every zone, week and instant."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.week import WEEKDAYS
from tests.sla.timetables import ALL_WEEK, TWELVE_BY_FIVE, WORKDAYS, Week, every_day, utc

ZONES = ["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/Havana"]
WEEKS: list[Week] = [
    TWELVE_BY_FIVE,
    every_day(("22:00", "06:00")),
    {"mon": [["08:00", "12:00"], ["13:00", "17:30"]], "fri": [["20:00", "04:00"]], "sun": [["01:30", "02:30"]]},
    {day: [["00:00", "24:00"]] for day in WORKDAYS},
    ALL_WEEK,
]
CLOSED = [date(2011, 12, 26), date(2026, 3, 29), date(2026, 4, 3), date(2026, 10, 26), date(2026, 11, 2)]
EVERY = [OpeningHours.from_week(zone, week, days) for zone in ZONES for week in WEEKS for days in (CLOSED, [])]

law = settings(deadline=None)  # a busy machine is no failure
timetables = st.sampled_from(EVERY)
# Around the changes of the clocks of these zones, and the day Apia lost.
anchors = st.sampled_from([utc(f"{day}T00:00") for day in ("2011-12-29", "2026-03-07", "2026-03-28", "2026-10-24")])
instants = st.builds(lambda at, seconds: at + timedelta(seconds=seconds), anchors, st.integers(-700_000, 900_000))
amounts = st.integers(0, 400_000)
pauses_lists = st.lists(st.tuples(instants, st.integers(0, 300_000)), max_size=4).map(
    lambda found: [(at, at + timedelta(seconds=length)) for at, length in found]
)


@law
@given(timetables, instants, amounts, pauses_lists)
def test_adding_and_measuring_are_inverse(
    hours: OpeningHours, start: datetime, seconds: int, pauses: list[tuple[datetime, datetime]]
) -> None:
    due = hours.add(start, seconds, pauses)
    assert hours.worked(start, due, pauses) == seconds
    assert not seconds or hours.worked(start, due - timedelta(microseconds=1), pauses) < seconds
    assert sum(span.seconds for span in hours.spans(start, due, pauses)) == seconds


@law
@given(timetables, instants, amounts, amounts, pauses_lists)
def test_adding_in_two_steps_is_adding_once(
    hours: OpeningHours, start: datetime, first: int, second: int, pauses: list[tuple[datetime, datetime]]
) -> None:
    assert hours.add(hours.add(start, first, pauses), second, pauses) == hours.add(start, first + second, pauses)


@law
@given(timetables, instants, instants, amounts)
def test_a_later_start_is_never_due_earlier(hours: OpeningHours, one: datetime, other: datetime, seconds: int) -> None:
    earlier, later = sorted((one, other))
    assert hours.add(earlier, seconds) <= hours.add(later, seconds)


@law
@given(timetables, instants, amounts, amounts)
def test_measured_time_adds_up_and_is_never_more_than_elapsed(
    hours: OpeningHours, start: datetime, first: int, second: int
) -> None:
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)
    assert hours.worked(start, end) == hours.worked(start, middle) + hours.worked(middle, end)
    assert hours.worked(start, end) <= first + second


@law
@given(st.sampled_from(ZONES), instants, amounts)
def test_round_the_clock_is_plain_addition(zone: str, start: datetime, seconds: int) -> None:
    due = start + timedelta(seconds=seconds)
    assert OpeningHours.from_week(zone, ALL_WEEK).add(start, seconds) == due
    # The same through the day-by-day walk, which a closed day outside the time asked for makes necessary.
    assert OpeningHours.from_week(zone, ALL_WEEK, [date(2001, 1, 1)]).add(start, seconds) == due


@law
@given(timetables, instants)
def test_openings_agree_with_each_other(hours: OpeningHours, at: datetime) -> None:
    opening = hours.next_opening(at)
    assert opening is not None
    assert hours.is_open(opening)
    assert (opening == at) == hours.is_open(at)
    closing = hours.closing(opening)
    if closing is not None:
        assert not hours.is_open(closing)
        assert hours.worked(opening, closing) == (closing - opening).total_seconds()


@law
@given(
    st.sampled_from(ZONES),
    st.dictionaries(st.sampled_from(WEEKDAYS), st.tuples(st.integers(4, 21), st.integers(1, 24)), max_size=7),
    instants,
)
def test_the_clock_on_the_wall_agrees(zone: str, written: dict[str, tuple[int, int]], at: datetime) -> None:
    """An instant is open when the wall clock shows an open time (spans start and end away from the changes here)."""
    ends = {day: (start, start + length) for day, (start, length) in written.items()}
    ends = {day: (start, end) for day, (start, end) in ends.items() if (end % 24 or 24) > 3}
    week = {day: [[f"{start:02}:00", f"{end % 24:02}:00"]] for day, (start, end) in ends.items()}
    wall = at.astimezone(ZoneInfo(zone))
    hour = wall.hour + wall.minute / 60 + wall.second / 3600
    today, yesterday = ends.get(WEEKDAYS[wall.weekday()]), ends.get(WEEKDAYS[wall.weekday() - 1])
    expected = (today is not None and today[0] <= hour < today[1]) or (
        yesterday is not None and hour + 24 < yesterday[1]
    )
    assert OpeningHours.from_week(zone, week).is_open(at) == expected
