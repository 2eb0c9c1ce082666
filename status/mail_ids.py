"""Where our mails to subscribers come back to, and what they are called: signed, so that a bounce proves what it is
about.

80 bits of HMAC-SHA256 in letters whose case does not matter, since mail servers change it.
"""

import base64
import re
from email.utils import parseaddr
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_SALT: Final = "status.mail_ids"
# 64 octets are what the part before the @ may have (RFC 5321 §4.5.3.1.1).
_SIGNED: Final = re.compile(r"s([0-9]{1,18})\.([a-z2-7]{16})", re.IGNORECASE)
_RETURN_PATH: Final = re.compile(r"bounce\+([^@\s]{18,40})@", re.IGNORECASE)
_MAIL_ID: Final = re.compile(r"<?status\.[a-z0-9]{1,40}\.(s[0-9]{1,18}\.[a-z2-7]{16})@", re.IGNORECASE)


def return_path(subscriber_id: int) -> str:
    """The envelope's sender: an address of its own for each subscriber (VERP)."""
    return f"bounce+{_signed(subscriber_id)}@{domain()}"


def mail_id(what: str, subscriber_id: int) -> str:
    """The Message-ID (RFC 5322 §3.6.4, no brackets) of the mail about `what` to a subscriber; `what` is letters and
    digits. The same however often it is rendered.
    """
    return f"status.{what}.{_signed(subscriber_id)}@{domain()}"


def subscriber_in(text: str) -> int | None:
    """The subscriber that a return path or a Message-ID of ours belongs to; None where it is not ours."""
    found = _RETURN_PATH.match(text[:400]) or _MAIL_ID.match(text[:400])
    signed = _SIGNED.fullmatch(found.group(1)) if found is not None else None
    if signed is None or not constant_time_compare(signed.group(2).lower(), _mac(int(signed.group(1)))):
        return None
    return int(signed.group(1))


def domain() -> str:
    return _domain_of(settings.DEFAULT_FROM_EMAIL)


@lru_cache(4)
def _domain_of(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _signed(subscriber_id: int) -> str:
    return f"s{subscriber_id}.{_mac(subscriber_id)}"


@lru_cache(16)
def _mac(subscriber_id: int) -> str:
    digest = salted_hmac(_SALT, str(subscriber_id), algorithm="sha256").digest()[:10]
    return base64.b32encode(digest).decode().lower()
