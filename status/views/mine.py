"""The status pages of a customer who is signed in, with what is private to their company, what affects them first. Made
for each request, kept nowhere.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from helpdesk.customers.models import Customer
from helpdesk.customers.sessions import signed_in
from status import answers, customers_own, sections, snapshot
from status.answers import Asked
from status.customers_own import Own
from status.rendering import render
from status.snapshot import Snapshot


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """To what affects one; who is not signed in does that first, at the portal."""
    page = reverse("status:page")
    if signed_in(request) is not None:
        return redirect(page)
    return redirect(f"{reverse('portal:home')}?{urlencode({'next': page})}")


def own_page(request: HttpRequest, customer: Customer, asked: Asked, language: str) -> HttpResponse:
    """A page with what is private to the customer's company; the front page has their own affairs above everything."""
    own = customers_own.components_of(customer)
    shown = snapshot.take(now(), answers.part_of(asked), seen=own.seen)
    if asked.kind == "page":
        return _front_page(request, customer, asked, language, shown, own)
    made = answers.make(asked, language, shown)
    return unknown(request, asked, language, shown) if made is None else _own(made.body, language)


def unknown(request: HttpRequest, asked: Asked, language: str, shown: Snapshot) -> HttpResponse:
    """For an incident or month that is not there. Somebody's own incident is not there either for who is not signed
    in: they are shown the way, whatever they ask for.
    """
    sign_in_url = "" if signed_in(request) else f"{reverse('portal:home')}?{urlencode({'next': request.path})}"
    roots = answers.roots_of(asked)
    return _own(render("unknown.jinja", roots, language, shown, path="", sign_in_url=sign_in_url), language, status=404)


def _front_page(
    request: HttpRequest, customer: Customer, asked: Asked, language: str, shown: Snapshot, own: Own
) -> HttpResponse:
    touching = [one for one in shown.recent if one.is_open and own.public_ids & one.states.keys()]
    context = {
        **answers.front(shown),
        "customer": customer,
        "own_blocks": sections.blocks(shown, own.public_ids),
        # What is wrong now stands above what is planned.
        "own_incidents": sorted(touching, key=lambda one: one.status == "scheduled"),
        "csrf_token": get_token(request),
    }
    return _own(render("own.jinja", answers.roots_of(asked), language, shown, path="", **context), language)


def _own(body: str | bytes, language: str, *, status: int = 200) -> HttpResponse:
    response = HttpResponse(body, status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "private, no-store"
    return response
