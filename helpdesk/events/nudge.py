"""The hint to the workers that there is something to do. It may fail: beat and keep_promises look anyway."""

import logging
import time

from celery import current_app

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
_silent_until = 0.0


def nudge(task: str = "helpdesk.events.tasks.drain_outbox") -> None:
    """Ask a worker to look now. With the broker down this costs one short timeout every ten seconds, no more."""
    global _silent_until  # noqa: PLW0603 - one breaker a process is the point
    now = time.monotonic()
    if now < _silent_until:
        return
    try:
        current_app.send_task(task, retry=False, expires=30)
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the change is committed already
        _silent_until = now + PATIENCE_SECONDS
        logger.warning("the broker does not answer (%s); workers will look by themselves", error.__class__.__name__)
