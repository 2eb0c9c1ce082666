"""One round of telling subscribers: notices are made, mailed, posted, and what everybody knows of is closed.

A round is short, and asks for the next where something is left: the workers do other things in between.
"""

from datetime import datetime
from typing import Final

from helpdesk.events.nudge import nudge
from status import distributing, notice_calls, notice_mails, notices

SECONDS: Final = 4.0


def send(at: datetime, seconds: float = SECONDS) -> int:
    """Tell whom it is due to tell at `at`, for about so many seconds; how many were tried. Any number of these may run
    side by side.
    """
    if not distributing.is_going_on():
        return 0
    distributing.plan(at, seconds)
    tried = notice_calls.call_due(at, seconds / 2) + notice_mails.send_due(at, seconds)
    for update_id in distributing.ending():
        notices.find_unsure(update_id, at=at)
    distributing.end(at)
    if tried and distributing.is_going_on():
        nudge(distributing.SEND)
    return tried
