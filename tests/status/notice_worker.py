"""A worker that tells subscribers and dies where it is told to: `python -m tests.status.notice_worker POINT AFTER`.

It kills itself (SIGKILL) at the POINT once it has come there AFTER times; "never" works until nothing is left.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.utils.timezone import now  # noqa: E402 - settings must be ready first

from helpdesk.events.smtp_backend import EmailBackend  # noqa: E402
from status import distributing, notices, sending  # noqa: E402

LEASE = timedelta(seconds=2)


def _dies(work: Callable[..., Any], after: int, *, first: bool) -> Callable[..., Any]:
    """`work`, but that the process dies before (or right behind) its call number `after`."""
    calls = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if first and calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = work(*given, **named)
        if not first and calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return counted


def main(point: str, after: int) -> None:
    # What was claimed by a dead worker is anybody's again soon.
    notices.LEASE = LEASE
    match point:
        case "between bites of planning":
            distributing._plan_bite = _dies(distributing._plan_bite, after, first=False)
        case "claimed":
            notices.claim = _dies(notices.claim, after, first=False)
        case "before it is written down":
            notices.hand_over = _dies(notices.hand_over, after, first=True)
        case "before the answer is read":
            # The dot has left; nobody has waited for the 250.
            EmailBackend._hand_over = _answer_unread(after)  # type: ignore[method-assign]
        case "counted":
            notices.count = _dies(notices.count, after, first=True)
    while distributing.is_going_on():
        if not sending.send(now(), seconds=1.0):
            time.sleep(0.05)


def _answer_unread(after: int) -> Callable[..., None]:
    calls, honest = 0, EmailBackend._hand_over

    def hand_over(self: EmailBackend, server: Any, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls < after:
            honest(self, server, content)
            return
        server.send(content)
        os.kill(os.getpid(), signal.SIGKILL)

    return hand_over


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
