"""Rotas as plain values: turns, restrictions, overrides, and days on which the clocks are changed."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from helpdesk.oncall.rota import (
    Handoff,
    LayerPlan,
    OverridePlan,
    Restriction,
    Rotation,
    ShiftPlan,
    Slot,
    final_schedule,
    gaps,
    handoffs,
    plan_shifts,
    whole_slots,
)
from helpdesk.oncall.wall_clock import END_OF_DAY, zone

ANNA, BEN, CARA = 1, 2, 3
BERLIN = "Europe/Berlin"
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def layer(
    rotation: Rotation = "daily",
    turn: int = 1,
    starts_on: date = date(2026, 1, 5),
    handoff: time = time(9),
    members: tuple[int, ...] = (ANNA, BEN, CARA),
    restrictions: tuple[Restriction, ...] = (),
    number: int = 1,
    position: int = 0,
) -> LayerPlan:
    return LayerPlan(number, position, rotation, turn, starts_on, handoff, members, restrictions)


def brief(shifts: list[ShiftPlan]) -> list[tuple[datetime, datetime, int]]:
    return [(shift.start, shift.end, shift.user) for shift in shifts]


# Turns


def test_a_weekly_layer_hands_off_on_its_weekday_at_local_time() -> None:
    shifts = plan_shifts(layer("weekly"), BERLIN, at(2026, 1, 5, 9), at(2026, 1, 27))
    assert brief(shifts) == [
        (at(2026, 1, 5, 8), at(2026, 1, 12, 8), ANNA),
        (at(2026, 1, 12, 8), at(2026, 1, 19, 8), BEN),
        (at(2026, 1, 19, 8), at(2026, 1, 26, 8), CARA),
        (at(2026, 1, 26, 8), at(2026, 2, 2, 8), ANNA),
    ]


def test_a_turn_may_last_several_days() -> None:
    shifts = plan_shifts(layer(turn=3, members=(ANNA, BEN)), "UTC", at(2026, 1, 5), at(2026, 1, 12))
    assert brief(shifts) == [
        (at(2026, 1, 5, 9), at(2026, 1, 8, 9), ANNA),
        (at(2026, 1, 8, 9), at(2026, 1, 11, 9), BEN),
        (at(2026, 1, 11, 9), at(2026, 1, 14, 9), ANNA),
    ]


def test_nobody_is_on_call_before_the_layer_starts() -> None:
    shifts = plan_shifts(layer(), BERLIN, at(2025, 12, 1), at(2026, 1, 5, 12))
    assert brief(shifts) == [(at(2026, 1, 5, 8), at(2026, 1, 6, 8), ANNA)]
    assert plan_shifts(layer(), BERLIN, at(2025, 12, 1), at(2026, 1, 5, 8)) == []


def test_a_layer_without_members_has_no_shifts() -> None:
    assert plan_shifts(layer(members=()), BERLIN, at(2026, 1, 5), at(2026, 2, 5)) == []


def test_an_instant_between_turns_belongs_to_the_one_that_begins() -> None:
    shifts = plan_shifts(layer(), "UTC", at(2026, 1, 6, 9), at(2026, 1, 6, 10))
    assert brief(shifts) == [(at(2026, 1, 6, 9), at(2026, 1, 7, 9), BEN)]


# Days on which the clocks are changed


@pytest.mark.parametrize(
    ("where", "starts_on", "handoff", "boundaries"),
    [
        # Chicago springs forward at 02:00 CST on 2026-03-08: 02:30 does not exist, so it happens at 03:00 CDT.
        ("America/Chicago", date(2026, 3, 7), time(2, 30), [(2026, 3, 7, 8, 30), (2026, 3, 8, 8), (2026, 3, 9, 7, 30)]),
        # Chicago falls back at 02:00 CDT on 2026-11-01: the first 01:30 counts.
        (
            "America/Chicago",
            date(2026, 10, 31),
            time(1, 30),
            [(2026, 10, 31, 6, 30), (2026, 11, 1, 6, 30), (2026, 11, 2, 7, 30)],
        ),
        # Lord Howe moves by half an hour, from 02:00 +10:30 to 02:30 +11 on 2026-10-04.
        (
            "Australia/Lord_Howe",
            date(2026, 10, 3),
            time(2, 15),
            [(2026, 10, 2, 15, 45), (2026, 10, 3, 15, 30), (2026, 10, 4, 15, 15)],
        ),
        # And back, from 02:00 +11 to 01:30 +10:30 on 2026-04-05: the first 01:45 counts.
        (
            "Australia/Lord_Howe",
            date(2026, 4, 4),
            time(1, 45),
            [(2026, 4, 3, 14, 45), (2026, 4, 4, 14, 45), (2026, 4, 5, 15, 15)],
        ),
        # Apia had no 2011-12-30: that day's hand-off happens when the 31st begins.
        (
            "Pacific/Apia",
            date(2011, 12, 29),
            time(9),
            [(2011, 12, 29, 19), (2011, 12, 30, 10), (2011, 12, 30, 19), (2011, 12, 31, 19)],
        ),
        # Berlin keeps its local hour through both changes.
        (BERLIN, date(2026, 3, 28), time(9), [(2026, 3, 28, 8), (2026, 3, 29, 7), (2026, 3, 30, 7)]),
        (BERLIN, date(2026, 10, 24), time(9), [(2026, 10, 24, 7), (2026, 10, 25, 8), (2026, 10, 26, 8)]),
    ],
)
def test_turns_meet_where_the_clocks_are_changed(
    where: str, starts_on: date, handoff: time, boundaries: list[tuple[int, ...]]
) -> None:
    moments = [at(*parts) for parts in boundaries]
    shifts = plan_shifts(layer(starts_on=starts_on, handoff=handoff), where, moments[0], moments[-1])
    assert brief(shifts) == [
        (moments[0], moments[1], ANNA),
        (moments[1], moments[2], BEN),
        *([(moments[2], moments[3], CARA)] if len(moments) > 3 else []),
    ]


def test_a_turn_on_a_day_that_never_was_is_lost() -> None:
    plan = layer(starts_on=date(2011, 12, 29), handoff=time(0))
    assert brief(plan_shifts(plan, "Pacific/Apia", at(2011, 12, 29, 12), at(2011, 12, 31, 5))) == [
        (at(2011, 12, 29, 10), at(2011, 12, 30, 10), ANNA),
        (at(2011, 12, 30, 10), at(2011, 12, 31, 10), CARA),
    ]


def test_a_layer_begun_in_summer_is_on_call_until_the_hand_off_of_a_winter_day() -> None:
    """By elapsed days the next turn would have begun an hour ago."""
    plan = layer(starts_on=date(2026, 7, 1), members=(ANNA, BEN))
    assert brief(plan_shifts(plan, BERLIN, at(2026, 12, 1, 7, 30), at(2026, 12, 1, 7, 40))) == [
        (at(2026, 11, 30, 8), at(2026, 12, 1, 8), ANNA)
    ]


def test_a_rotation_by_hours_counts_elapsed_hours() -> None:
    plan = layer("hours", 12, date(2026, 3, 28), time(20), (ANNA, BEN))
    shifts = plan_shifts(plan, BERLIN, at(2026, 3, 28, 19), at(2026, 3, 29, 19))
    assert brief(shifts) == [
        (at(2026, 3, 28, 19), at(2026, 3, 29, 7), ANNA),
        (at(2026, 3, 29, 7), at(2026, 3, 29, 19), BEN),
    ]
    assert shifts[1].start.astimezone(ZoneInfo(BERLIN)).time() == time(9)


# Restrictions


def test_a_restriction_cuts_a_turn_into_shifts() -> None:
    plan = layer("weekly", handoff=time(0), restrictions=(Restriction(WEEKDAYS, time(8), time(20)),))
    shifts = plan_shifts(plan, BERLIN, at(2026, 1, 5), at(2026, 1, 13))
    assert brief(shifts) == [
        *((at(2026, 1, day, 7), at(2026, 1, day, 19), ANNA) for day in range(5, 10)),
        (at(2026, 1, 12, 7), at(2026, 1, 12, 19), BEN),
    ]


def test_an_overnight_restriction_belongs_to_the_day_it_begins() -> None:
    friday_night = Restriction(frozenset({4}), time(22), time(6))
    shifts = plan_shifts(layer("weekly", restrictions=(friday_night,)), "UTC", at(2026, 1, 5), at(2026, 1, 12))
    assert brief(shifts) == [(at(2026, 1, 9, 22), at(2026, 1, 10, 6), ANNA)]


def test_a_hand_off_divides_an_overnight_restriction() -> None:
    nights = Restriction(EVERY_DAY, time(20), time(8))
    shifts = plan_shifts(layer(handoff=time(0), restrictions=(nights,)), "UTC", at(2026, 1, 6), at(2026, 1, 7))
    assert brief(shifts) == [(at(2026, 1, 6), at(2026, 1, 6, 8), BEN), (at(2026, 1, 6, 20), at(2026, 1, 7), BEN)]


def test_restrictions_that_meet_at_midnight_make_one_shift() -> None:
    evening = Restriction(frozenset({0}), time(18), END_OF_DAY)
    night = Restriction(frozenset({1}), time(0), time(6))
    shifts = plan_shifts(layer("weekly", restrictions=(night, evening)), "UTC", at(2026, 1, 5), at(2026, 1, 12))
    assert brief(shifts) == [(at(2026, 1, 5, 18), at(2026, 1, 6, 6), ANNA)]


def test_equal_times_last_a_day() -> None:
    plan = layer("weekly", restrictions=(Restriction(frozenset({2}), time(10), time(10)),))
    shifts = plan_shifts(plan, "UTC", at(2026, 1, 5), at(2026, 1, 12))
    assert brief(shifts) == [(at(2026, 1, 7, 10), at(2026, 1, 8, 10), ANNA)]


def test_a_restriction_inside_the_skipped_hour_is_empty_that_day() -> None:
    skipped = Restriction(EVERY_DAY, time(2, 15), time(2, 45))
    plan = layer("weekly", starts_on=date(2026, 3, 23), handoff=time(0), restrictions=(skipped,))
    shifts = plan_shifts(plan, BERLIN, at(2026, 3, 28), at(2026, 3, 30, 6))
    assert brief(shifts) == [
        (at(2026, 3, 28, 1, 15), at(2026, 3, 28, 1, 45), ANNA),
        (at(2026, 3, 30, 0, 15), at(2026, 3, 30, 0, 45), BEN),
    ]


def test_a_restriction_spans_the_repeated_hour_from_its_first_to_its_last_occurrence() -> None:
    plan = layer("weekly", starts_on=date(2026, 10, 19), restrictions=(Restriction(EVERY_DAY, time(2), time(3)),))
    shifts = plan_shifts(plan, BERLIN, at(2026, 10, 25), at(2026, 10, 25, 12))
    assert brief(shifts) == [(at(2026, 10, 25, 0), at(2026, 10, 25, 2), ANNA)]
    early = layer("weekly", starts_on=date(2026, 10, 19), restrictions=(Restriction(EVERY_DAY, time(1), time(2, 30)),))
    shifts = plan_shifts(early, BERLIN, at(2026, 10, 24, 12), at(2026, 10, 25, 12))
    assert brief(shifts) == [(at(2026, 10, 24, 23), at(2026, 10, 25, 1, 30), ANNA)]


# Who is on, and the merged timeline


def test_overrides_beat_layers_and_the_higher_position_beats_the_lower() -> None:
    monday_to_thursday = Restriction(frozenset(range(4)), time(0), END_OF_DAY)
    tuesday_and_wednesday = Restriction(frozenset({1, 2}), time(0), END_OF_DAY)
    plans = [
        LayerPlan(1, 0, "weekly", 1, date(2026, 1, 5), time(0), (ANNA,), (monday_to_thursday,)),
        LayerPlan(2, 1, "weekly", 1, date(2026, 1, 5), time(0), (BEN,), (tuesday_and_wednesday,)),
    ]
    override = OverridePlan(at(2026, 1, 7), at(2026, 1, 10), CARA, 1)
    window = (at(2026, 1, 4), at(2026, 1, 11))
    assert [(slot.start.day, slot.user) for slot in final_schedule(plans, [override], "UTC", *window)] == [
        *((4, None), (5, ANNA), (6, BEN), (7, CARA), (10, None)),
    ]
    without = final_schedule(plans, [], "UTC", at(2026, 1, 5), window[1])
    assert [(slot.start.day, slot.user) for slot in without] == [(5, ANNA), (6, BEN), (8, ANNA), (9, None)]


def test_of_overlapping_overrides_the_later_in_order_wins() -> None:
    overrides = [
        OverridePlan(at(2026, 1, 5), at(2026, 1, 7), ANNA, 1),
        OverridePlan(at(2026, 1, 6), at(2026, 1, 8), BEN, 2),
    ]
    assert final_schedule([], overrides, "UTC", at(2026, 1, 5), at(2026, 1, 8)) == [
        Slot(at(2026, 1, 5), at(2026, 1, 6), ANNA, "override:1"),
        Slot(at(2026, 1, 6), at(2026, 1, 8), BEN, "override:2"),
    ]


def test_the_final_schedule_merges_layers_overrides_and_gaps() -> None:
    days = layer(
        "weekly", handoff=time(0), members=(ANNA,), restrictions=(Restriction(WEEKDAYS, time(8), time(20)),), position=1
    )
    stand_in = OverridePlan(at(2026, 1, 6, 12), at(2026, 1, 6, 14), CARA, 7)
    slots = final_schedule([days], [stand_in], "UTC", at(2026, 1, 6, 10), at(2026, 1, 7, 9))
    assert slots == [
        Slot(at(2026, 1, 6, 10), at(2026, 1, 6, 12), ANNA, "layer:1"),
        Slot(at(2026, 1, 6, 12), at(2026, 1, 6, 14), CARA, "override:7"),
        Slot(at(2026, 1, 6, 14), at(2026, 1, 6, 20), ANNA, "layer:1"),
        Slot(at(2026, 1, 6, 20), at(2026, 1, 7, 8), None, "gap"),
        Slot(at(2026, 1, 7, 8), at(2026, 1, 7, 9), ANNA, "layer:1"),
    ]
    assert gaps(slots) == [slots[3]]
    assert handoffs(slots) == [
        Handoff(at(2026, 1, 6, 12), ANNA, CARA),
        Handoff(at(2026, 1, 6, 14), CARA, ANNA),
        Handoff(at(2026, 1, 6, 20), ANNA, None),
        Handoff(at(2026, 1, 7, 8), None, ANNA),
    ]


def test_day_and_night_restrictions_leave_no_gap_when_the_clocks_are_changed() -> None:
    days = layer("weekly", members=(ANNA,), restrictions=(Restriction(EVERY_DAY, time(2, 30), time(14)),), number=1)
    nights = layer(
        "weekly", members=(BEN,), restrictions=(Restriction(EVERY_DAY, time(14), time(2, 30)),), number=2, position=1
    )
    slots = final_schedule([days, nights], [], BERLIN, at(2026, 1, 20), at(2026, 12, 20))
    assert gaps(slots) == []


def test_the_same_person_in_two_turns_is_no_handoff() -> None:
    slots = final_schedule([layer(members=(ANNA,))], [], "UTC", at(2026, 1, 6), at(2026, 1, 9))
    assert len(slots) == 4
    assert handoffs(slots) == []


def test_nobody_at_all_is_one_gap() -> None:
    assert final_schedule([], [], "UTC", at(2026, 1, 6), at(2026, 1, 9)) == [
        Slot(at(2026, 1, 6), at(2026, 1, 9), None, "gap")
    ]
    assert final_schedule([], [], "UTC", at(2026, 1, 6), at(2026, 1, 6)) == []


def test_whole_slots_keep_their_start_while_the_window_moves() -> None:
    stand_in = OverridePlan(at(2026, 1, 7), at(2026, 1, 8), CARA, 7)
    plan = layer("weekly", members=(ANNA, BEN))
    slots = [whole_slots([plan], [stand_in], "UTC", at(2026, 1, day), at(2026, 1, 12)) for day in (9, 10, 11)]
    assert slots == [[Slot(at(2026, 1, 8), at(2026, 1, 12, 9), ANNA, "layer:1")]] * 3


def test_an_override_for_ever_and_one_that_ends_first() -> None:
    endless = OverridePlan(at(1, 1, 1), datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), CARA, 1)
    void = OverridePlan(at(2026, 1, 9), at(2026, 1, 6), BEN, 2)
    assert final_schedule([layer()], [endless, void], BERLIN, at(2026, 1, 6), at(2026, 1, 9)) == [
        Slot(at(2026, 1, 6), at(2026, 1, 9), CARA, "override:1")
    ]
    assert [slot.user for slot in whole_slots([layer()], [endless, void], BERLIN, at(2026, 1, 6), at(2026, 1, 9))] == [
        CARA
    ]


# What is refused


@pytest.mark.parametrize(
    "name",
    [
        "CET",
        "EST",
        "EST5EDT",
        "MST",
        "Japan",
        "",
        "europe",
        "Europe/",
        "Europe/Nowhere",
        "../etc/passwd",
        "/",
        "A/" * 9999,
    ],
)
def test_only_zones_with_their_own_rules_are_taken(name: str) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        plan_shifts(layer(), name, at(2026, 1, 5), at(2026, 1, 6))


def test_every_area_of_the_iana_database_is_taken() -> None:
    assert str(zone("America/Argentina/Buenos_Aires")) == "America/Argentina/Buenos_Aires"
    assert str(zone("UTC")) == "UTC"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 1, 5), at(2026, 1, 6)),
        (at(2026, 1, 6), at(2026, 1, 5)),
        (at(2026, 1, 6), at(2029, 1, 5)),
        (at(9999, 12, 31), at(9999, 12, 31)),
        (at(1, 1, 1), at(1, 1, 1)),
    ],
)
def test_a_window_is_aware_ordered_and_bounded(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match=r"zone|window|year"):
        final_schedule([layer()], [], BERLIN, start, end)


def test_a_plan_is_checked() -> None:
    with pytest.raises(ValueError, match="turn"):
        layer(turn=0)
    with pytest.raises(ValueError, match="turn"):
        layer("weekly", turn=53)
    with pytest.raises(ValueError, match="starts"):
        layer(starts_on=date(9999, 12, 31))
    with pytest.raises(ValueError, match="rotation"):
        layer("monthly")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="days"):
        Restriction(frozenset(), time(8), time(20))
    with pytest.raises(ValueError, match="days"):
        Restriction(frozenset({7}), time(8), time(20))
    with pytest.raises(ValueError, match="restrictions"):
        layer(restrictions=(Restriction(WEEKDAYS, time(8), time(20)),) * 51)
