"""What stands in the links of subscribers: signed, for one subscription and one purpose, and good for nothing else.

A subscription's own link stays good as long as the subscription (it must work in a mail of last year, RFC 8058 §3.2); a
link that confirms is good for a day, and only for what was asked last.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from status.models import Subscriber

CONFIRMS_FOR: Final = timedelta(hours=24)
LONGEST: Final = 200
_OWN: Final = signing.Signer(salt="status.subscription")
_CONFIRM: Final = signing.Signer(salt="status.confirmation")


@lru_cache(16)
def own_token(key: UUID) -> str:
    """Opens a subscription: to see, change and end it."""
    return _OWN.sign(_written(key))


def confirmation_token(subscriber: Subscriber) -> str:
    """Confirms what was asked for at `asked_at`."""
    return _CONFIRM.sign(f"{_written(subscriber.key)}.{int(subscriber.asked_at.timestamp())}")


def opened(token: str) -> Subscriber | None:
    """The subscription of its own link, None for a forged one."""
    try:
        key = _read(_OWN.unsign(token[:LONGEST]))
    except signing.BadSignature:
        return None
    return None if key is None else Subscriber.objects.filter(key=key).first()


def asked(token: str, *, at: datetime) -> Subscriber | None:
    """Whoever asked with this token; None where it is forged, a day old, or followed by another one."""
    try:
        name, _dot, seconds = _CONFIRM.unsign(token[:LONGEST]).rpartition(".")
    except signing.BadSignature:
        return None
    key = _read(name)
    found = None if key is None else Subscriber.objects.filter(key=key).first()
    if found is None or found.asked_at + CONFIRMS_FOR < at:
        return None
    return found if constant_time_compare(seconds, str(int(found.asked_at.timestamp()))) else None


def confirm_url(subscriber: Subscriber) -> str:
    return _absolute("status:confirm", confirmation_token(subscriber))


def own_url(key: UUID) -> str:
    return _absolute("status:subscription", own_token(key))


def unsubscribe_url(key: UUID) -> str:
    """Shows a button to people and ends at once what a mail program POSTs (RFC 8058 §3.1)."""
    return _absolute("status:unsubscribe", own_token(key))


def _absolute(name: str, token: str) -> str:
    # Never on the host of the exported files: they can be read, not talked to.
    return f"{settings.PUBLIC_URL}{_path(name)}{token}/"


@cache
def _path(name: str) -> str:
    """What stands before the token; looked up once, for a hundred thousand mails."""
    return reverse(name, args=["token"]).removesuffix("token/")


def _written(key: UUID) -> str:
    return urlsafe_b64encode(key.bytes).rstrip(b"=").decode()


def _read(text: str) -> UUID | None:
    try:
        return UUID(bytes=urlsafe_b64decode(f"{text}=="))
    except (binascii.Error, ValueError):
        return None
