"""One worker as a loop: sweep, drain, escalate, deliver, again and again until SIGTERM: `python -m bench.worker`."""

import signal
import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402 - settings must be ready first

from helpdesk.events import outbox  # noqa: E402
from helpdesk.oncall import deliveries, paging  # noqa: E402
from helpdesk.sla import sweep  # noqa: E402

IDLE_SECONDS = 0.02
STEPS = (sweep.sweep, outbox.drain, paging.escalate, deliveries.deliver)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        if not sum(step(timezone.now()) for step in STEPS):
            time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    main()
