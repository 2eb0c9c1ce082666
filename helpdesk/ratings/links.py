"""What stands in the link of a mailed question: signed, for one conversation and one asking, good for 14 days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.urls import reverse

GOOD_FOR: Final = timedelta(days=14)
LONGEST: Final = 120
_SIGNER: Final = signing.Signer(salt="ratings.link")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link says: which conversation, and when it was asked about."""

    conversation_id: int
    at: datetime

    def is_over(self, at: datetime) -> bool:
        return self.at + GOOD_FOR < at


def token(conversation_id: int, asked_at: datetime) -> str:
    return _SIGNER.sign(f"{conversation_id}.{int(asked_at.timestamp())}")


def read(token: str) -> Asked | None:
    """What the token says, be it over or not; None for a forged one."""
    try:
        number, _dot, seconds = _SIGNER.unsign(token[:LONGEST]).partition(".")
    except signing.BadSignature:
        return None
    return Asked(int(number), datetime.fromtimestamp(int(seconds), UTC))


def url(token: str, score: int | None = None) -> str:
    """The page of the question, on which this score is chosen. Opening it records nothing."""
    chosen = "" if score is None else f"?score={score}"
    return f"{settings.PUBLIC_URL}{reverse('ratings:rate_by_link', args=[token])}{chosen}"
