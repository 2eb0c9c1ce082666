"""What goes out with every public answer besides its bytes, whoever sends it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.translation.trans_real import parse_accept_lang_header

from status.answers import CODES, Asked, Made

# A copy that others keep is asked after before it is shown again: whoever reads an outage from a cache has been
# misled. It may be shown where we cannot be reached.
_KEPT: Final = "public, max-age=0, stale-if-error=86400"
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors {}",
    )
)


@lru_cache(2048)
def language_of(accept: str, otherwise: str) -> str:
    """The language of ours that a browser wants most (RFC 9110 §12.5.4)."""
    for wanted, quality in parse_accept_lang_header(accept[:400].lower()):
        if quality and (code := wanted.split("-")[0]) in CODES:
            return code
    return otherwise


def headers(asked: Asked, made: Made, language: str) -> Mapping[str, str]:
    """All headers but those of length, packing and validation."""
    found = {
        "Content-Type": made.content_type,
        "Cache-Control": _KEPT,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Vary": "Accept-Encoding",
    }
    if asked.is_page:
        is_embedded = asked.kind == "banner"
        found["Content-Security-Policy"] = _POLICY.format("*" if is_embedded else "'self'")
        found["Content-Language"] = language
        if asked.language is None:
            found["Vary"] += ", Accept-Language"
        if asked.is_personal:
            found["Vary"] += ", Cookie"  # whoever is signed in has one, and sees what is private to them
    else:
        # Anybody's script may read what everybody may read.
        found["Access-Control-Allow-Origin"] = "*"
        found["Cross-Origin-Resource-Policy"] = "cross-origin"
    return found
