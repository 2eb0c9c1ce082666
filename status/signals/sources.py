"""Who may send signals: each source has a secret address, of which only the SHA-256 is kept."""

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from status.models import SignalSource

LONGEST_TOKEN = 100


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def create(name: str, kind: str, *, mode: str, holds_seconds: int, at: datetime) -> tuple[SignalSource, str]:
    """A new source and its token, which nobody can read again."""
    token = secrets.token_urlsafe(32)
    source = SignalSource.objects.create(
        name=name, kind=kind, mode=mode, holds_seconds=holds_seconds, digest=digest(token), created_at=at
    )
    return source, token


def renew_token(source: SignalSource) -> str:
    """Another token; what was sent with the old one is refused from now on."""
    token = secrets.token_urlsafe(32)
    SignalSource.objects.filter(pk=source.pk).update(digest=digest(token))
    return token


def address(token: str) -> str:
    """Where a monitoring system sends its calls."""
    return f"{settings.PUBLIC_URL}{reverse('status:signal_hook', args=[token])}"


def of_token(token: str) -> SignalSource | None:
    """The active source of a token, None for any other."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    return SignalSource.objects.filter(digest=digest(token), is_active=True).first()
