"""The hint to the workers that there is something to do. It may fail: beat and keep_promises look anyway."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celery import current_app

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
DRAIN_OUTBOX = "helpdesk.events.tasks.drain_outbox"
EVERY_SECONDS = 0.25
_silent_until = 0.0
_lock = threading.Lock()
_last: dict[str, float] = {}
_planned: set[str] = set()
_gathered: ContextVar[set[str] | None] = ContextVar("gathered", default=None)


def nudge(task: str = DRAIN_OUTBOX) -> None:
    """Ask a worker to look now. Nobody waits for the broker, whatever state it is in."""
    waiting = _gathered.get()
    if waiting is not None:
        waiting.add(task)
        return
    _send(task)


@contextmanager
def gathered() -> Iterator[None]:
    """Within this block the same nudge is given once, at its end: for work done in batches."""
    waiting: set[str] = set()
    mark = _gathered.set(waiting)
    try:
        yield
    finally:
        _gathered.reset(mark)
        for task in sorted(waiting):
            nudge(task)


def _send(task: str) -> None:
    """At once, and then at most every EVERY_SECONDS: a burst's last nudge follows by itself, from a thread."""
    with _lock:
        now = time.monotonic()
        if now < _last.get(task, 0.0) + EVERY_SECONDS:
            if task not in _planned:
                _planned.add(task)
                later = threading.Timer(EVERY_SECONDS, _send_planned, [task])
                later.daemon = True
                later.start()
            return
        _last[task] = now
    # On a thread of its own: a broker that is frozen rather than dead would keep a request waiting for seconds. Not a
    # daemon, so that a command's last nudge still leaves.
    threading.Thread(target=_publish, args=[task], name="nudge").start()


def _send_planned(task: str) -> None:
    with _lock:
        _planned.discard(task)
        _last[task] = time.monotonic()
    _publish(task)


def _publish(task: str) -> None:
    global _silent_until
    now = time.monotonic()
    if now < _silent_until:
        return
    try:
        current_app.send_task(task, retry=False, expires=30)
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the change is committed already
        _silent_until = now + PATIENCE_SECONDS
        logger.warning("the broker does not answer (%s); workers will look by themselves", error.__class__.__name__)
