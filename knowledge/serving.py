"""What goes out with every public answer besides its bytes, whoever sends it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.translation.trans_real import parse_accept_lang_header

from knowledge.addresses import CODES
from knowledge.asked import Asked
from knowledge.pages import Made

# Somebody else's copy is asked after before it is shown again; it may be shown where we cannot be reached.
_KEPT: Final = "public, max-age=0, stale-if-error=86400"
_OWN: Final = "private, no-store"
POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


@lru_cache(2048)
def language_of(accept: str) -> str:
    """The language of ours that a browser wants most (RFC 9110 §12.5.4)."""
    for wanted, quality in parse_accept_lang_header(accept[:400].lower()):
        if quality and (code := wanted.split("-")[0]) in CODES:
            return code
    return settings.LANGUAGE_CODE


def headers(asked: Asked, made: Made, language: str, *, is_own: bool = False) -> Mapping[str, str]:
    """All headers but those of length, packing and validation. `is_own`: it was made for one reader alone."""
    found = {
        "Content-Type": made.content_type,
        "Cache-Control": _OWN if is_own else _KEPT,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        # Whoever is signed in has a cookie, and may read more.
        "Vary": "Accept-Encoding, Cookie",
    }
    if asked.is_page:
        found["Content-Security-Policy"] = POLICY
        found["Content-Language"] = language
        if not asked.language:
            found["Vary"] += ", Accept-Language"
    return found
