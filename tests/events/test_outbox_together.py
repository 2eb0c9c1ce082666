"""Handlers that take many events at once: one transaction for all, and if that fails, one for each."""

import logging
from collections.abc import Sequence
from datetime import datetime

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from helpdesk.events import outbox
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.handlers import together
from helpdesk.events.models import Event, OutboxEntry
from tests.fixtures.pages import after

HERE = "tests.events.test_outbox_together"
calls: list[list[int]] = []


@together
def take(events: Sequence[Event], at: datetime) -> None:
    calls.append([event.data["number"] for event in events])
    if any(event.data["number"] == 13 for event in events):
        raise ValueError("thirteen")


def quote_hostile_input(event: Event, at: datetime) -> None:
    raise ValueError("\x00\udc80")


@pytest.fixture(autouse=True)
def told(db: None, settings: Settings) -> None:
    calls.clear()
    settings.EVENT_HANDLERS = {"number": [f"{HERE}.take"]}


def tell(numbers: Sequence[int], at: datetime) -> None:
    with transaction.atomic():
        record_all([Fact("number", data={"number": number}) for number in numbers], at=at)


def test_a_flood_is_taken_at_once(at: datetime) -> None:
    tell(range(20, 60), at)
    assert outbox.drain(at) == 40
    assert calls == [list(range(20, 60))]
    assert not OutboxEntry.objects.filter(done_at=None).exists()


def test_one_that_fails_fails_alone(at: datetime) -> None:
    tell([12, 13, 14], at)
    outbox.drain(at)
    assert calls == [[12, 13, 14], [12], [13], [14]]
    (left,) = OutboxEntry.objects.filter(done_at=None)
    assert left.error == "ValueError: thirteen"
    tell([15, 16], after(at, seconds=10))
    outbox.drain(after(at, seconds=10))
    assert calls[4:] == [[15, 16], [13]], "what failed once does not fail the others again"


def test_what_a_killed_worker_held_is_taken_together_again(at: datetime) -> None:
    tell([1, 2, 3], at)
    OutboxEntry.objects.update(attempts=1)
    outbox.drain(at)
    assert calls == [[1, 2, 3]]


def test_what_was_there_each_time_a_worker_died_goes_alone(at: datetime) -> None:
    tell([1, 2], at)
    OutboxEntry.objects.filter(event__data__number=1).update(attempts=outbox.TOGETHER_ATTEMPTS)
    outbox.drain(at)
    assert calls == [[2], [1]]


def test_a_claim_looks_at_each_lane_by_its_own_index(at: datetime) -> None:
    """Statistics are worthless in a flood: by the ids, every claim would read all that waits before each entry."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {outbox._CLAIM}", {"at": at, "lease": at, "limit": 100})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    _, _, look_ups = plan.partition("SubPlan 1\n")
    older = next(line for line in look_ups.splitlines() if line.endswith("helpdesk_outboxentry older"))
    assert "Index Only Scan using outbox_lane" in older, plan


def test_an_error_that_no_column_holds_is_written_down_all_the_same(
    at: datetime, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EVENT_HANDLERS = {"number": [f"{HERE}.quote_hostile_input"]}
    tell([1], at)
    # What several test processes hand on of a test must be text as well: this is not.
    with caplog.at_level(logging.CRITICAL, logger="helpdesk.events.outbox"):
        outbox.drain(at)
    (left,) = OutboxEntry.objects.filter(done_at=None)
    assert left.error == "ValueError: ?" and left.due_at > at


def test_what_another_worker_ended_after_our_lease_stays_as_it_is(at: datetime) -> None:
    """It took so long that somebody else did it, and then it failed for good here."""
    tell([1], at)
    (entry,) = outbox._claim(at, at, 1)
    outbox.drain(after(at, seconds=300))
    outbox._give_up(entry, after(at, seconds=301), "too late")
    outbox._retry(entry, after(at, seconds=301), "too late", None)
    (done,) = OutboxEntry.objects.all()
    assert (done.done_at, done.gave_up_at, done.error) == (after(at, seconds=300), None, "")
