"""Who may open the portal: customers, in their own language and time zone."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme

from helpdesk.customers.models import Customer
from helpdesk.customers.sessions import signed_in
from portal.rendering import zone_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase]
Checked = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def customer_view(view: View[P]) -> Checked[P]:
    """A page of the portal: the view is given the customer. Strangers are led to sign in; a fragment for htmx gets 401,
    so that no sign-in form lands in a list.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        customer = signed_in(request)
        if customer is None:
            if request.headers.get("HX-Request") or request.headers.get("Accept") == "application/json":
                return HttpResponse(status=401)
            path = request.get_full_path() if request.method in ("GET", "HEAD") else ""
            return redirect(f"{reverse('portal:home')}?{urlencode({'next': path})}" if path else "portal:home")
        language = customer.language if customer.language in dict(settings.LANGUAGES) else translation.get_language()
        with timezone.override(zone_of(customer)), translation.override(language):
            response = view(request, customer, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return cast(Checked[P], checked)


def safe_path(path: str) -> str:
    """A path of ours to go on to; "" for everything else."""
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None) and len(path) <= 300
    return path if is_ours else ""
