"""Workers that send replies and die over it: `python -m tests.social.reply_worker POINT:MESSAGE …`, one for each.

At "answered" the network has taken the reply and nothing is written down; at "asked" it has not been called yet.
"""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from django.utils.timezone import now  # noqa: E402 - settings must be ready first

from helpdesk.conversations import answers  # noqa: E402
from social import channel  # noqa: E402


def _die(*given: Any, **named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(wanted: list[str]) -> None:
    for one in wanted:
        point, _, message = one.partition(":")
        child = os.fork()
        if child == 0:
            if point == "answered":
                channel.keep = _die
            else:
                channel.OnItsWay.send = _die  # type: ignore[assignment, method-assign]
            answers.deliver(int(message), at=now())
            os._exit(1)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            sys.exit(f"{one} was not killed")


if __name__ == "__main__":
    main(sys.argv[1:])
