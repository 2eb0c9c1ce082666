"""The hint to open pages: after commit, once for a burst, and never waited for."""

import json
from collections.abc import Iterator

import pytest
import redis
from django.db import transaction
from django.utils.timezone import now
from pytest_django import Settings
from redis.client import PubSub

from helpdesk.events import broadcast
from helpdesk.events.actions import Fact, record
from helpdesk.events.models import Event
from tests.fixtures.receiving import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hints() -> Iterator[PubSub]:
    # A test before this one may have left Redis dead, and the publisher leaves a dead one alone for a while.
    broadcast._begin_anew()
    with broadcast.client().pubsub(ignore_subscribe_messages=False) as heard:  # type: ignore[no-untyped-call]
        heard.subscribe(broadcast.CHANNEL)
        assert heard.get_message(timeout=5)
        yield heard


def _next(hints: PubSub, seconds: float = 5.0) -> dict[str, int] | None:
    message = hints.get_message(ignore_subscribe_messages=True, timeout=seconds)
    return None if message is None else json.loads(message["data"])


def test_a_committed_event_is_hinted_at_and_one_rolled_back_is_not(hints: PubSub) -> None:
    with transaction.atomic():
        record(Fact("calendar.changed"), at=now())
        transaction.set_rollback(True)
    with transaction.atomic():
        number = record(Fact("calendar.changed"), at=now())

    assert _next(hints) == {"event": number}


def test_a_burst_is_gathered(hints: PubSub) -> None:
    for number in range(1, 501):
        broadcast.event_recorded(number)
    heard: list[dict[str, int]] = []
    while not heard or heard[-1]["event"] < 500:
        hint = _next(hints)
        assert hint is not None
        heard.append(hint)
    assert len(heard) < 250


def test_a_dead_redis_keeps_nobody_waiting_and_is_told_when_it_is_back(
    hints: PubSub, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alive, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    monkeypatch.setattr(broadcast, "PATIENCE_SECONDS", 0.5)
    with transaction.atomic():
        number = record(Fact("calendar.changed"), at=now())
    wait_until(lambda: "no hints to open pages" in caplog.text)
    settings.REDIS_URL = alive

    assert _next(hints, 10) == {"event": number}
    assert Event.objects.count() == 1


def test_a_change_of_people_is_told_after_commit(hints: PubSub) -> None:
    with transaction.atomic():
        broadcast.people_changed()
        assert _next(hints, 0.1) is None
    assert _next(hints) == {"people": 1}


def test_a_client_gives_up_soon(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(redis.ConnectionError):
        broadcast.client().publish("x", "y")
