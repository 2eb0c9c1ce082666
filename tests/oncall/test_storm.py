"""Limits for one contact delay the page too many, and never the first one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.oncall.envelopes import BURST, DIGEST_ABOVE
from helpdesk.oncall.storm import QUIET_HOUR, Limit, allowed_at

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MAIL: tuple[Limit, ...] = ((DIGEST_ABOVE, BURST),)
MANY: tuple[Limit, ...] = ((120, MINUTE),)
GRADED: tuple[Limit, ...] = ((1, MINUTE), (3, 15 * MINUTE), (7, 60 * MINUTE), (15, 180 * MINUTE))
EVERY_LIMIT = (MAIL, MANY, GRADED)


def ago(*minutes: float) -> list[datetime]:
    return [NOON - timedelta(minutes=minute) for minute in minutes]


@pytest.mark.parametrize(
    ("history", "limits", "wait"),
    [
        ([], GRADED, 0),
        (ago(5), GRADED, 0),
        (ago(0.5), GRADED, 0.5),
        (ago(2, 6, 10), GRADED, 5),
        (ago(2, 6, 15), GRADED, 0),
        (ago(0.5, 0.2), MAIL, 0),
        (ago(0.5, 0.2, 0.1), MAIL, 0.5),
        (ago(16, 20, 25, 30, 40, 50, 55), GRADED, 5),
        (ago(0.5, *[0.6] * 118), MANY, 0),
        (ago(0.25, *[0.5] * 119), MANY, 0.5),
        # A promised send counts: the next one waits for it.
        (ago(-2), GRADED, 3),
    ],
)
def test_the_wait_in_minutes(history: list[datetime], limits: tuple[Limit, ...], wait: float) -> None:
    assert allowed_at(history, NOON, limits) == NOON + timedelta(minutes=wait)


def test_the_first_page_after_a_quiet_hour_is_never_delayed() -> None:
    full = [NOON - timedelta(hours=1, minutes=minute) for minute in range(0, 105, 7)]
    assert len(full) == 15
    assert allowed_at(full, NOON, GRADED) == NOON
    just_not_quiet = [moment + timedelta(seconds=1) for moment in full]
    assert allowed_at(just_not_quiet, NOON, GRADED) == min(just_not_quiet) + timedelta(hours=3)


@pytest.mark.parametrize("limit", [(0, timedelta(minutes=1)), (1, timedelta(0)), (1, timedelta(minutes=-1))])
def test_a_limit_lets_something_through(limit: Limit) -> None:
    with pytest.raises(ValueError, match="limit"):
        allowed_at([], NOON, [limit])


seconds = st.lists(st.integers(-4 * 3600, 600), max_size=60)


@given(seconds, st.sampled_from(EVERY_LIMIT))
def test_the_answer_is_the_earliest_instant_at_which_no_window_is_full(
    offsets: list[int], limits: tuple[Limit, ...]
) -> None:
    history = [NOON + timedelta(seconds=offset) for offset in offsets]
    answer = allowed_at(history, NOON, limits)
    assert answer >= NOON

    def full(moment: datetime) -> bool:
        return any(sum(sent > moment - window for sent in history) >= count for count, window in limits)

    if all(sent <= NOON - QUIET_HOUR for sent in history):
        assert answer == NOON
    else:
        assert not full(answer)
        assert answer == NOON or full(answer - timedelta(microseconds=1))


@given(st.lists(st.integers(0, 900), min_size=1, max_size=40), st.sampled_from(EVERY_LIMIT))
def test_sends_made_when_allowed_keep_every_limit_of_an_hour_or_less(
    pauses: list[int], limits: tuple[Limit, ...]
) -> None:
    history: list[datetime] = []
    asked = NOON
    for pause in pauses:
        asked += timedelta(seconds=pause)
        history.append(allowed_at(history, asked, limits))
    for count, window in limits:
        if window <= QUIET_HOUR:
            assert all(sum(sent - window < other <= sent for other in history) <= count for sent in history)
