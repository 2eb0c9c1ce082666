"""The way in: an address, then a link or a code. Nothing happens by opening a link: scanners of mails do that first."""

import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession
from helpdesk.customers.sessions import signed_in
from portal import openid, passwords, sign_in, sign_in_mails
from portal.access import safe_path
from portal.rendering import page
from portal.views import conversations

logger = logging.getLogger(__name__)
LONGEST_ADDRESS = 254


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The customer's tickets, or the way in."""
    if signed_in(request) is not None:
        return conversations.overview(request)
    return entrance(request, goes_to=safe_path(request.GET.get("next", "")))


@ensure_csrf_cookie
def entrance(
    request: HttpRequest, *, trouble: str = "", address: str = "", goes_to: str = "", status: int = 200
) -> HttpResponse:
    """The form that asks for an address; `trouble` is a word its template knows."""
    context = {"trouble": trouble, "address": address, "goes_to": goes_to, "provider": openid.name()}
    return page(request, "sign_in.jinja", status=status, **context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """POST `email`: the same answer whether we know it or not."""
    if request.method != "POST":
        return redirect("portal:home")
    address, goes_to = request.POST.get("email", "").strip(), safe_path(request.POST.get("next", ""))
    try:
        validate_email(address)
        if len(address) > LONGEST_ADDRESS:
            raise ValidationError("too long")
    except ValidationError:
        return entrance(request, trouble="address", address=address[:LONGEST_ADDRESS], goes_to=goes_to, status=422)
    asked = sign_in.Asked(address, get_language() or "en", _remote(request), goes_to)
    try:
        token = sign_in.ask(asked, at=now())
    except sign_in.TooMany:
        return entrance(request, trouble="many", address=address, goes_to=goes_to, status=429)
    return redirect("portal:code", token)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, token: str) -> HttpResponse:
    """Says that a mail is on its way, and takes the code that stands in it."""
    if request.method != "POST":
        return page(request, "code.jinja", trouble="", left=0)
    try:
        row = sign_in.use_code(token, request.POST.get("code", ""), remote=_remote(request), at=now())
    except sign_in.TooMany:
        return page(request, "code.jinja", status=429, trouble="many", left=0)
    except sign_in.WrongCode as error:
        return page(request, "code.jinja", status=422, trouble="wrong" if error.left else "spent", left=error.left)
    except sign_in.NotGood as error:
        return entrance(request, trouble=_trouble(error), status=410)
    assert row.customer is not None, "only a customer's code is right"
    return enter(request, row.customer, CustomerSession.How.CODE, row.goes_to)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button, POST signs in."""
    try:
        if request.method != "POST":
            sign_in.look_at_link(token, at=now())
            return page(request, "link.jinja")
        row = sign_in.use_link(token, at=now())
    except sign_in.NotGood as error:
        if signed_in(request) is not None:
            # Whoever clicks a used link again on the browser that it signed in is there already.
            return redirect("portal:home")
        return entrance(request, trouble=_trouble(error), status=410)
    assert row.customer is not None, "only a customer's link is good"
    return enter(request, row.customer, CustomerSession.How.LINK, row.goes_to)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """For who has set one."""
    goes_to = safe_path(request.POST.get("next", "") or request.GET.get("next", ""))
    if request.method != "POST":
        return page(request, "password.jinja", trouble="", address="", goes_to=goes_to)
    address, at = request.POST.get("email", "").replace("\x00", ""), now()
    try:
        customer = passwords.check(address, request.POST.get("password", ""), remote=_remote(request), at=at)
    except passwords.TooMany:
        return page(request, "password.jinja", status=429, trouble="many", address=address, goes_to=goes_to)
    if customer is None:
        return page(request, "password.jinja", status=422, trouble="wrong", address=address, goes_to=goes_to)
    return enter(request, customer, CustomerSession.How.PASSWORD, goes_to)


@require_POST
def provider(request: HttpRequest) -> HttpResponse:
    """To the provider of single sign-on; by a page of ours, because forms may only be sent to us (CSP)."""
    if not openid.name():
        raise Http404("there is no provider")
    try:
        leaving = openid.leave(safe_path(request.POST.get("next", "")))
    except openid.Refused as error:
        return _refused(request, error)
    response = page(request, "leaving.jinja", there=leaving.url, provider=openid.name())
    secure = bool(settings.SESSION_COOKIE_SECURE)
    path = reverse("portal:oidc_callback")
    response.set_cookie(
        openid.COOKIE, leaving.cookie, openid.COOKIE_SECONDS, path=path, secure=secure, httponly=True, samesite="Lax"
    )
    return response


@never_cache
@require_safe
def provider_answer(request: HttpRequest) -> HttpResponse:
    """Back from the provider. What was kept for this login is good once."""
    if not openid.name():
        raise Http404("there is no provider")
    given = request.GET
    try:
        kept = request.COOKIES.get(openid.COOKIE, "")
        customer, goes_to = openid.come_back(kept, given.get("state", ""), given.get("code", ""), at=now())
    except openid.Refused as error:
        response = _refused(request, error)
    else:
        response = enter(request, customer, CustomerSession.How.OIDC, goes_to)
    response.delete_cookie(openid.COOKIE, path=reverse("portal:oidc_callback"), samesite="Lax")
    return response


def _refused(request: HttpRequest, error: openid.Refused) -> HttpResponse:
    logger.warning("single sign-on of a customer refused: %s", error)
    return entrance(request, trouble="provider", status=403)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session of this browser."""
    sessions.end(request)
    response = redirect("portal:home")
    response.delete_cookie(sessions.COOKIE, samesite="Lax")
    return response


def enter(request: HttpRequest, customer: Customer, how: CustomerSession.How, goes_to: str = "") -> HttpResponse:
    """Sign the customer in on this browser, and lead them to the page they came for."""
    at = now()
    is_new = sign_in_mails.is_new(customer, request, at=at)
    token = sessions.begin(customer, how, request, at=at)
    if is_new:
        sign_in_mails.note_new(sessions.session_of(token, at=at), at=at)
    response = redirect(safe_path(goes_to) or reverse("portal:home"))
    sessions.keep(response, token)
    return response


def _trouble(error: sign_in.NotGood) -> str:
    if isinstance(error, sign_in.UsedBefore):
        return "used"
    return "expired" if isinstance(error, sign_in.Expired) else "bad"


def _remote(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
