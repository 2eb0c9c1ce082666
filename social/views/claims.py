"""The page behind the link that makes a ticket theirs: looked at after signing in, taken by a press."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from helpdesk.customers.sessions import signed_in
from social import on_behalf


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """GET says what a press does; POST takes the ticket. Who is not signed in signs in first."""
    customer = signed_in(request)
    if customer is None:
        here = reverse("social:claim", args=[token])
        return _private(redirect(f"{reverse('portal:home')}?{urlencode({'next': here})}"))
    if request.method == "POST":
        try:
            conversation = on_behalf.claim(token, customer, at=now())
        except on_behalf.CannotClaim:
            return _sorry(request)
        return redirect("portal:conversation", conversation.pk)
    if not on_behalf.can_be_claimed(token, at=now()):
        return _sorry(request)
    return _private(render(request, "social/claim.html", {"customer": customer}))


def _sorry(request: HttpRequest) -> HttpResponse:
    title = _("This link is good no more")
    words = _("It was used before, or is too old. Ask us for a new one where you wrote to us.")
    context = {"title": title, "words": words, "start": reverse("portal:home"), "to": _("To my tickets")}
    return _private(render(request, "front/sorry.html", context, status=404))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it is told to no other site."""
    response["Referrer-Policy"] = "same-origin"
    return response
