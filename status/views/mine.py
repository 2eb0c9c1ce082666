"""The status page of a customer who is signed in: what affects them first. Made for each request, kept nowhere."""

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
from status.rendering import Place, render
from status.snapshot import Part, Snapshot


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """To what affects one; who is not signed in does that first, at the portal."""
    page = reverse("status:page")
    if signed_in(request) is not None:
        return redirect(page)
    return redirect(f"{reverse('portal:home')}?{urlencode({'next': page})}")


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


def _page(name: str, shown: Snapshot, place: Place, language: str, **context: object) -> HttpResponse:
    response = HttpResponse(render(name, place, language, shown, path="", **context))
    response["Content-Language"] = language
    response["Cache-Control"] = "private, no-store"
    return response
