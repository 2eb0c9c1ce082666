"""Who may open the desk: agents, in their own time zone, and nobody's browser keeps what they saw."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control

from helpdesk.customers.models import User
from helpdesk.customers.permissions import is_agent
from tickets.zones import known_zone

P = ParamSpec("P")


class AgentRequest(HttpRequest):
    """A request whose user is an agent; `agent_view` has made sure."""

    user: User


def agent_view(
    view: Callable[Concatenate[AgentRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Others are sent to the login page; a fragment for htmx gets 401, so that no login form lands in a list."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401)
            return redirect_to_login(request.get_full_path())
        if not is_agent(request.user):
            raise PermissionDenied
        with timezone.override(known_zone(request.user.timezone)):
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], checked)
