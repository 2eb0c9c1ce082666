"""Notices that leave as mail: in bites, over a connection that stays open, each written down as sent at the last moment
before it leaves.

So a worker that dies repeats nothing. Where the server's answer is lost, nobody knows whether a mail was taken; that
one has failed, and says so, and is not sent again either. There is one connection a process, and no second thread:
between the writing down and the dot that sends the mail nothing may come, or a mail could be lost to a kill in there.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.sending_mail import one_connection, open_connection, send_through
from status import bounces, notice_letters, notices
from status.models import Subscriber
from status.notice_letters import Letter, Recipient
from status.notices import Due, Superseded

logger = logging.getLogger(__name__)

BITE: Final = 50
SERVER_AWAY: Final = timedelta(seconds=15)
# What a lease leaves for the last of a bite that takes long.
_HELD_SECONDS: Final = 60.0


class ServerAway(RuntimeError):
    """Nothing can be sent at all now."""


def send_due(at: datetime, seconds: float) -> int:
    """Send the mails that are due at `at`; how many were tried. Stops taking more after so many seconds."""
    began, tried = time.monotonic(), 0
    claimed = _claim(at, began)
    with one_connection(), suppress(ServerAway):
        while claimed:
            tried += _send_bite(claimed, at, began)
            claimed = _claim(at, began) if time.monotonic() - began < seconds else []
    return tried


def _claim(at: datetime, began: float) -> list[Due]:
    return notices.claim(Subscriber.Kind.EMAIL, BITE, at=at, now=_now(at, began))


def _now(at: datetime, began: float) -> datetime:
    return at + timedelta(seconds=time.monotonic() - began)


def _send_bite(claimed: Sequence[Due], at: datetime, began: float) -> int:
    """How many were tried. Raises ServerAway; what was claimed is given back."""
    started = time.monotonic()
    ended: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    told = notices.told(claimed)
    letters: dict[object, Letter] = {}
    try:
        for place, due in enumerate(claimed):
            if time.monotonic() - started > _HELD_SECONDS:
                notices.release(claimed[place:], until=at)
                notices.arrived([pk for due in claimed[:place] for pk in due.ids])
                return place
            which = (due.update_ids, due.organization_id)
            if due.status != Subscriber.Status.ACTIVE or which not in told:
                notices.drop(due)
                continue
            # Most organizations may see the same; what they read is written once.
            alike = (due.update_ids, tuple(told[which].components), due.language)
            if alike not in letters:
                letters[alike] = notice_letters.write(told[which], due.language, at=_now(at, began))
            try:
                has_left = _send(due, letters[alike], at=_now(at, began))
            except ServerAway as error:
                notices.release(claimed[place:], str(error), until=_now(at, began) + SERVER_AWAY)
                raise
            if has_left is not None:
                for update_id in due.update_ids:
                    ended[update_id][0 if has_left else 1] += 1
        notices.arrived([pk for due in claimed for pk in due.ids])
    except ServerAway:
        # It has answered for everything before.
        notices.arrived([pk for due in claimed for pk in due.ids])
        raise
    finally:
        notices.count({update_id: (sent, failed) for update_id, (sent, failed) in ended.items()})
    return len(claimed)


def _send(due: Due, letter: Letter, *, at: datetime) -> bool | None:
    """Whether it has left or failed; None where it is tried again, or is somebody else's. Raises ServerAway."""
    mail = notice_letters.fill(letter, Recipient(due.subscriber_id, due.key, due.address))
    try:
        server = open_connection()
    except DeliveryError as error:
        # Refusing us, not this reader: a hundred thousand must not fail for it.
        logger.warning("subscribers are not mailed: %s", error.reason)
        raise ServerAway(error.reason) from error
    try:
        refused = send_through(server, mail, lambda: notices.hand_over(due, at=at))
        if refused:
            raise NeverRetry("; ".join(refused.values()))
    except Superseded:
        return None
    except RetryLater as error:
        return None if notices.retry(due, error.reason, after=error.after, at=at) else False
    except Ambiguous as error:
        notices.fail(due, f"It is not known whether it arrived: {error.reason}")
        return False
    except NeverRetry as error:
        notices.fail(due, error.reason)
        bounces.refused(due.subscriber_id, error.reason, at=at)
        return False
    return True
