"""Whatever the rota, the zone and the window: no overlap, no hole, the same answer from every side."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.oncall.rota import (
    LENGTHS,
    LayerPlan,
    OverridePlan,
    Restriction,
    Rotation,
    ShiftPlan,
    Slot,
    final_schedule,
    plan_shifts,
    whole_slots,
)
from helpdesk.oncall.wall_clock import zone

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Chicago",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kolkata",
    "America/Havana",
)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def times() -> st.SearchStrategy[time]:
    return st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


def restrictions() -> st.SearchStrategy[Restriction]:
    days = st.frozensets(st.integers(0, 6), min_size=1)
    return st.builds(Restriction, days, times(), times())


@st.composite
def layers(draw: st.DrawFn, number: int = 1, most_restrictions: int = 3) -> LayerPlan:
    rotation: Rotation = draw(st.sampled_from(tuple(LENGTHS)))
    return LayerPlan(
        id=number,
        position=draw(st.integers(0, 3)),
        rotation=rotation,
        turn=draw(st.integers(1, 36 if rotation == "hours" else 3)),
        starts_on=draw(st.dates(date(2011, 12, 1), date(2012, 1, 10)) | st.dates(date(2026, 1, 1), date(2026, 12, 1))),
        handoff=draw(times()),
        members=tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))),
        restrictions=tuple(draw(st.lists(restrictions(), max_size=most_restrictions))),
    )


@st.composite
def windows(draw: st.DrawFn) -> tuple[datetime, datetime]:
    """A window of up to sixty days around one of the days on which some zone's clocks are changed."""
    change = draw(
        st.sampled_from(
            [(2011, 12, 30), (2026, 3, 8), (2026, 3, 29), (2026, 4, 5), (2026, 10, 4), (2026, 10, 25), (2026, 11, 1)]
        )
    )
    start = at(*change) - timedelta(minutes=draw(st.integers(0, 30 * 1440)))
    return start, start + timedelta(minutes=draw(st.integers(1, 60 * 1440)))


@given(layers(), st.sampled_from(ZONES), windows())
def test_shifts_never_overlap_and_touch_the_window(
    plan: LayerPlan, where: str, window: tuple[datetime, datetime]
) -> None:
    shifts = plan_shifts(plan, where, *window)
    assert all(shift.start < shift.end for shift in shifts)
    assert all(shift.start < window[1] and shift.end > window[0] for shift in shifts)
    assert all(before.end <= after.start for before, after in pairwise(shifts))


@given(layers(most_restrictions=0), st.sampled_from(ZONES), windows())
def test_without_restrictions_a_layer_covers_everything_from_its_start(
    plan: LayerPlan, where: str, window: tuple[datetime, datetime]
) -> None:
    shifts = plan_shifts(plan, where, *window)
    began = plan_shifts(plan, where, at(2011, 11, 1), at(2013, 1, 1)) or plan_shifts(
        plan, where, at(2025, 12, 1), at(2026, 12, 31)
    )
    if window[1] <= began[0].start:
        assert shifts == []
        return
    assert shifts[0].start <= max(window[0], began[0].start)
    assert shifts[-1].end >= window[1]
    assert all(before.end == after.start for before, after in pairwise(shifts))


@given(layers(), st.sampled_from(ZONES), windows(), st.floats(0, 1))
def test_every_window_shows_the_same_shifts(
    plan: LayerPlan, where: str, window: tuple[datetime, datetime], part: float
) -> None:
    start, end = window
    middle = start + (end - start) * part
    whole = plan_shifts(plan, where, start, end)
    parts = set(plan_shifts(plan, where, start, middle)) | set(plan_shifts(plan, where, middle, end))
    assert parts == set(whole)


@given(layers(most_restrictions=0), st.sampled_from(ZONES))
def test_members_take_their_turns_in_order(plan: LayerPlan, where: str) -> None:
    if plan.handoff == time(0) and where == "Pacific/Apia" and plan.starts_on.year < 2026:
        return  # The skipped day takes a turn with it; see test_a_turn_on_a_day_that_never_was_is_lost.
    start = datetime.combine(plan.starts_on, time(0), tzinfo=UTC) - timedelta(days=2)
    shifts = plan_shifts(plan, where, start, start + timedelta(days=90))
    assert [shift.user for shift in shifts] == [plan.members[n % len(plan.members)] for n in range(len(shifts))]


@given(layers(), st.sampled_from(ZONES), windows())
def test_restricted_shifts_lie_inside_their_hours(
    plan: LayerPlan, where: str, window: tuple[datetime, datetime]
) -> None:
    """Checked on the wall clock, independently of how spans are found, away from hours the clocks were changed."""
    for shift in plan_shifts(plan, where, *window):
        middle = (shift.start + (shift.end - shift.start) / 2).astimezone(zone(where))
        around = {(middle.astimezone(UTC) + timedelta(hours=h)).astimezone(zone(where)).utcoffset() for h in (-50, 50)}
        if len(around) == 1:
            assert not plan.restrictions or any(_inside(restriction, middle) for restriction in plan.restrictions)


def _inside(restriction: Restriction, local: datetime) -> bool:
    clock, today, yesterday = (local.timetz().replace(tzinfo=None), local.weekday(), (local.weekday() - 1) % 7)
    if restriction.end > restriction.start:
        return today in restriction.days and restriction.start <= clock < restriction.end
    return (today in restriction.days and clock >= restriction.start) or (
        yesterday in restriction.days and clock < restriction.end
    )


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[LayerPlan], list[OverridePlan], tuple[datetime, datetime]]:
    window = draw(windows())
    plans = [draw(layers(number=number)) for number in range(draw(st.integers(0, 3)))]
    # One position each, as the database guarantees.
    plans = [
        LayerPlan(p.id, n, p.rotation, p.turn, p.starts_on, p.handoff, p.members, p.restrictions)
        for n, p in enumerate(plans)
    ]
    minutes = st.integers(-5000, 90_000)
    overrides = [
        OverridePlan(window[0] + timedelta(minutes=a), window[0] + timedelta(minutes=b), user, number)
        for number, (a, b, user) in enumerate(
            draw(st.lists(st.tuples(minutes, minutes, st.integers(1, 5)), max_size=4))
        )
    ]
    return plans, overrides, window


@given(schedules(), st.sampled_from(ZONES), st.lists(st.floats(0, 0.999), min_size=1, max_size=5))
def test_the_final_schedule_covers_its_window_and_says_who_is_on(
    schedule: tuple[list[LayerPlan], list[OverridePlan], tuple[datetime, datetime]], where: str, parts: list[float]
) -> None:
    plans, overrides, (start, end) = schedule
    slots = final_schedule(plans, overrides, where, start, end)
    assert slots[0].start == start
    assert slots[-1].end == end
    assert all(before.end == after.start for before, after in pairwise(slots))
    shifts = {plan.position: plan_shifts(plan, where, start, end) for plan in plans}
    for moment in [start + (end - start) * part for part in parts] + [slot.start for slot in slots]:
        holder = next(slot.user for slot in slots if slot.start <= moment < slot.end)
        assert holder == who_is_on(shifts, overrides, moment)


def who_is_on(shifts: dict[int, list[ShiftPlan]], overrides: list[OverridePlan], at: datetime) -> int | None:
    """The rule, one instant at a time: the last override, else the shift of the highest position."""
    standing_in = [override.user for override in overrides if override.start <= at < override.end]
    on_shift = [s.user for position in sorted(shifts) for s in shifts[position] if s.start <= at < s.end]
    return next((found[-1] for found in (standing_in, on_shift) if found), None)


@given(schedules(), st.sampled_from(ZONES))
def test_whole_slots_are_those_of_the_final_schedule_uncut(
    schedule: tuple[list[LayerPlan], list[OverridePlan], tuple[datetime, datetime]], where: str
) -> None:
    plans, overrides, (start, end) = schedule
    whole = whole_slots(plans, overrides, where, start, end)
    cut = [Slot(max(s.start, start), min(s.end, end), s.user, s.source) for s in whole]
    assert cut == [slot for slot in final_schedule(plans, overrides, where, start, end) if slot.user is not None]
    later = start + (end - start) / 2
    assert [s for s in whole_slots(plans, overrides, where, later, end) if s not in whole] == []
