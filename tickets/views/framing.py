"""The ticket form within other sites' pages: framed only by the origins that a widget names, never by others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from helpdesk.customers.models import Customer

WHO = "tickets.embedded"
WHO_FOR = 24 * 3600
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Frame:
    """The page around the form: its widget's key, and the user it vouches for; `who` says so in the form itself, since
    a framed page is sent no cookie.
    """

    key: str
    customer: Customer | None
    who: str
    wrong: str = ""


@cache
def _identity() -> Any:
    return import_string(settings.EMBED_IDENTITY)


def frame_of(request: HttpRequest, *, at: datetime) -> Frame | None:
    """From the loader's address: `key`, and `user` (a JWT) or `id` with `hash`; from the form sent: `who`. None where
    there is no such widget.
    """
    given = request.POST if request.method == "POST" else request.GET
    key = given.get("key", "")[:100]
    user: object = given.get("user", "")[:_LONGEST] or None
    if user is None and given.get("id"):
        user = {"id": given.get("id", "")[:300], "hash": given.get("hash", "")[:200]}
    found = _identity()(key, None if request.method == "POST" else user, at=at)
    if found is None:
        return None
    if request.method == "POST":
        customer = _customer(given.get("who", ""), key)
        return Frame(key, customer, given.get("who", "") if customer else "")
    # Within the frame, from one topic to another, the form itself says who it was.
    customer = found.customer or _customer(given.get("who", ""), key)
    who = signing.dumps([customer.pk, key], salt=WHO) if customer is not None else ""
    return Frame(key, customer, who, found.wrong)


def _customer(who: str, key: str) -> Customer | None:
    try:
        pk, of = signing.loads(who[:500], salt=WHO, max_age=WHO_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = Customer.objects.select_related("organization__plan")
    return rows.filter(pk=pk, blocked_at=None).first() if of == key else None


def origins(key: str) -> Sequence[str]:
    """Where the form of this key may be framed; nowhere else than with us where the widget names no origin."""
    found = _identity()(key[:100], None, at=None)
    return found.origins if found is not None else ()


def allow(response: HttpResponse, allowed: Sequence[str]) -> HttpResponse:
    """Let these origins frame it, and no others."""
    ancestors = " ".join(["'self'", *allowed])
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            f"frame-ancestors {ancestors}",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )
    # The address holds who it is for.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response
