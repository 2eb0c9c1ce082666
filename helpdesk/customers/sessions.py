"""Customers who are signed in: a cookie that only their browser has, one row each. Every room asks here who it is.

How they sign in (mailed link, code, password, single sign-on, the word of a dashboard) is the portal's.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from helpdesk.customers.models import Customer, CustomerSession

COOKIE: Final = "customer"
LASTS: Final = timedelta(days=90)
# Being seen is written at most this often: a page view must not cost a write.
_SEEN_EVERY: Final = timedelta(minutes=30)
_MEMO: Final = "_signed_in_customer"


def signed_in(request: HttpRequest) -> Customer | None:
    """The customer whose browser this is, with organization and plan; None for anybody else. Asked once a request."""
    if not hasattr(request, _MEMO):
        setattr(request, _MEMO, of_token(request.COOKIES.get(COOKIE, ""), at=timezone.now()))
    customer: Customer | None = getattr(request, _MEMO)
    return customer


def of_token(token: str, *, at: datetime) -> Customer | None:
    """Whose session the cookie is; None for a forged or ended one, and for who is blocked."""
    session = session_of(token, at=at)
    if session is None:
        return None
    if session.seen_at < at - _SEEN_EVERY:
        CustomerSession.objects.filter(pk=session.pk).update(seen_at=at)
    return session.customer


def session_of(token: str, *, at: datetime) -> CustomerSession | None:
    """The session that the cookie stands for, while it lasts and its customer is not blocked."""
    if not 20 <= len(token) <= 100:
        return None
    held = CustomerSession.objects.select_related("customer__organization__plan")
    return held.filter(digest=_digest(token), ends_at__gt=at, customer__blocked_at=None).first()


def begin(customer: Customer, how: CustomerSession.How, request: HttpRequest, *, at: datetime) -> str:
    """Sign the customer in on this browser; the token for `keep`. An older session of the browser ends."""
    end(request)
    token = secrets.token_urlsafe(32)
    CustomerSession.objects.create(
        customer=customer,
        digest=_digest(token),
        how=how,
        remote=request.META.get("REMOTE_ADDR", "")[:45],
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:300],
        began_at=at,
        seen_at=at,
        ends_at=at + LASTS,
    )
    setattr(request, _MEMO, customer)
    return token


def keep(response: HttpResponse, token: str) -> None:
    """Leave the cookie in the browser; other sites' pages cannot post with it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def end(request: HttpRequest) -> None:
    """Sign out on this browser. Nothing happens where nobody is signed in."""
    token = request.COOKIES.get(COOKIE, "")
    if token:
        CustomerSession.objects.filter(digest=_digest(token)).delete()
    setattr(request, _MEMO, None)


def end_all(customer: Customer) -> int:
    """Sign the customer out everywhere; how many sessions there were."""
    return CustomerSession.objects.filter(customer=customer).delete()[0]


def forget_ended(*, at: datetime) -> int:
    """Remove the rows of sessions that are over."""
    return CustomerSession.objects.filter(ends_at__lte=at).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
