"""The hint to the workers: nobody waits for it, and a burst of it is two."""

import threading
from collections.abc import Iterator

import pytest
from celery import current_app

from helpdesk.events import nudge


@pytest.fixture
def frozen_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A broker that takes what it is sent when the event is set."""
    thaws = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: thaws.wait(30))
    monkeypatch.setattr(nudge, "_last", {})
    monkeypatch.setattr(nudge, "_silent_until", 0.0)
    yield thaws
    thaws.set()


def _running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "nudge"]


def test_nobody_waits_for_a_frozen_broker(frozen_broker: threading.Event) -> None:
    nudge.nudge("a.task")

    [waiting] = _running()
    assert waiting.is_alive() and not waiting.daemon
    frozen_broker.set()
    waiting.join(30)
    assert not waiting.is_alive()


def test_a_dead_broker_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def refuse(task: str, **options: object) -> None:
        calls.append(task)
        raise ConnectionError("refused")

    monkeypatch.setattr(current_app, "send_task", refuse)
    monkeypatch.setattr(nudge, "_last", {})
    monkeypatch.setattr(nudge, "_silent_until", 0.0)
    for task in ("a.task", "b.task"):
        nudge.nudge(task)
        for thread in _running():
            thread.join(30)

    assert calls == ["a.task"]


def test_a_burst_is_two_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = threading.Semaphore(0)
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: sent.release())
    monkeypatch.setattr(nudge, "_last", {})
    monkeypatch.setattr(nudge, "_silent_until", 0.0)
    monkeypatch.setattr(nudge, "EVERY_SECONDS", 0.3)

    for _ in range(20):
        nudge.nudge("a.task")

    assert sent.acquire(timeout=30) and sent.acquire(timeout=30)
    assert not nudge._planned and not sent.acquire(blocking=False)
