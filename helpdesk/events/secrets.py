"""Secrets of others that we must keep readable (mailbox passwords, provider tokens): encrypted with SECRET_KEY."""

import base64
import hashlib
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_PURPOSE: Final = b"helpdesk.secrets:"


class SecretUnreadable(ValueError):
    """The secret was encrypted with a SECRET_KEY we no longer have; it must be entered again."""


def encrypt(secret: str) -> str:
    """The secret as text that may be stored; different each time."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """What `encrypt` was given, under SECRET_KEY or one of SECRET_KEY_FALLBACKS. Raises SecretUnreadable."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise SecretUnreadable("the stored secret cannot be read with this SECRET_KEY; enter it again") from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(str(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + secret_key.encode()).digest()))
