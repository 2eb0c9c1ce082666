"""How a call to the outside can end badly: one family of errors for every way out.

Pagers, the mail channel, the social networks and the outgoing webhooks raise these and nothing else on purpose; the
outbox reads them and decides. Success is an ordinary return value (the provider's id).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(minutes=15)
"""The most we let a provider put us off: a wrong or hostile `Retry-After` must not silence a page for a day."""


class DeliveryError(Exception):
    """A delivery did not (surely) happen. `reason` is one line for people and the log, never with a secret in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryLater(DeliveryError):
    """Surely not delivered, worth another try: after `after`, or by the caller's own backoff when it is None."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class NeverRetry(DeliveryError):
    """The same call will fail the same way: tell the operator and take the next way out."""


class Ambiguous(DeliveryError):
    """The bytes left but the answer was lost: it may or may not have happened.

    The caller weighs: a page is sent again (twice is better than never), a reply to a customer is reconciled first.
    """


def asked_wait(headers: Mapping[str, str], default: timedelta | None = None) -> timedelta | None:
    """The wait a response asks for in `Retry-After` (RFC 9110 §10.2.3), at most LONGEST_WAIT; `default` if unreadable.

    Both forms are read: seconds, and an HTTP date, which is counted from the response's own `Date` so that neither
    clock has to be right.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    until, sent = _http_date(value), _http_date(headers.get("date", ""))
    if until is None or sent is None:
        return default
    return min(max(until - sent, timedelta(0)), LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    if not 20 <= len(value) <= 40:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
