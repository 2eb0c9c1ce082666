"""The status page of a customer whom we know: what affects them first. Made for each request, kept nowhere."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from helpdesk.customers.models import Customer
from status import answers, customers_own, sections, serving, snapshot
from status.rendering import Place, render
from status.snapshot import Part, Snapshot

HERE = Place("../", "../", "../")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """Asks who one is, and takes the mailed link. POST `email` sends that link, POST `forget` forgets who one was."""
    if request.method == "POST":
        return _forget() if "forget" in request.POST else _send_link(request)
    if "key" not in request.GET:
        return _form(request)
    customer = customers_own.of_link(request.GET["key"])
    if customer is None:
        return _form(request, trouble="link", status=403)
    response = redirect("status:page")
    response.set_cookie(
        customers_own.COOKIE,
        customers_own.cookie_of(customer),
        max_age=customers_own.COOKIE_SECONDS,
        path="/status/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def front_page(request: HttpRequest, customer: Customer, language: str) -> HttpResponse:
    """The front page with the customer's own affairs above everything, private components among them."""
    own = customers_own.components_of(customer)
    shown = snapshot.take(now(), Part.FRONT, seen=own.seen)
    touching = [one for one in shown.recent if one.is_open and own.public_ids & one.states.keys()]
    top = "./" if request.path == reverse("status:page") else "../"
    context = {
        **answers.front(shown),
        "customer": customer,
        "own_blocks": sections.blocks(shown, own.public_ids),
        "own_incidents": touching,
        "csrf_token": get_token(request),
    }
    return _page("own.jinja", shown, Place("./", top, top), language, **context)


def _form(request: HttpRequest, trouble: str = "", *, sent: bool = False, status: int = 200) -> HttpResponse:
    shown = snapshot.take(now(), Part.COMPONENTS)
    context = {"trouble": trouble, "sent": sent, "csrf_token": get_token(request)}
    language = serving.language_of(request.headers.get("Accept-Language", ""), shown.language)
    response = _page("mine.jinja", shown, HERE, language, **context)
    response.status_code = status
    return response


def _page(name: str, shown: Snapshot, place: Place, language: str, **context: object) -> HttpResponse:
    response = HttpResponse(render(name, place, language, shown, path="", **context))
    response["Content-Language"] = language
    response["Cache-Control"] = "private, no-store"
    return response


def _send_link(request: HttpRequest) -> HttpResponse:
    address = request.POST.get("email", "").strip()
    try:
        validate_email(address)
    except ValidationError:
        return _form(request, trouble="address", status=422)
    language = serving.language_of(request.headers.get("Accept-Language", ""), "en")
    try:
        customers_own.ask_for_link(address, language, remote=request.META.get("REMOTE_ADDR", ""), at=now())
    except customers_own.TooMany:
        return _form(request, trouble="many", status=429)
    return _form(request, sent=True)


def _forget() -> HttpResponse:
    response = redirect("status:page")
    response.delete_cookie(customers_own.COOKIE, path="/status/")
    return response
