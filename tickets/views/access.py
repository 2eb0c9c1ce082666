"""Who may open the desk: agents, in their own language and time zone, and nobody's browser keeps what they saw."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.customers.permissions import SAFE, is_agent, may_work
from helpdesk.desk.pages import AgentRequest as AgentRequest
from tickets.zones import known_zone

P = ParamSpec("P")


View = Callable[Concatenate[AgentRequest, P], HttpResponseBase]
Checked = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def agent_view(view: View[P]) -> Checked[P]:
    """A page of the desk. Viewers read it: whatever they send is refused.

    Strangers are sent to the login page; a fragment for htmx gets 401, so that no login form lands in a list.
    """
    return _checked(view, viewers_send=False)


def viewers_too(view: View[P]) -> Checked[P]:
    """The same where viewers may send as well: notes, and what is only their own."""
    return _checked(view, viewers_send=True)


def _checked(view: View[P], *, viewers_send: bool) -> Checked[P]:
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401)
            if not User.objects.exists():
                return redirect("tickets:welcome")
            return redirect_to_login(_page_to_return_to(request))
        if not is_agent(request.user):
            raise PermissionDenied
        if request.method not in SAFE and not viewers_send and not may_work(request.user):
            raise PermissionDenied
        language = request.user.language
        with timezone.override(known_zone(request.user.timezone)), translation.override(language):
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        response.headers.setdefault("Content-Language", language)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return cast(Checked[P], checked)


def _page_to_return_to(request: HttpRequest) -> str:
    """Where a stranger goes on after the login: what they asked for, or the page whose form they sent."""
    if request.method in SAFE:
        return request.get_full_path()
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # "http://[" and the like
        return reverse("tickets:queue")
    is_ours = came_from.netloc == request.get_host() and came_from.path.startswith("/desk/")
    return came_from.path if is_ours else reverse("tickets:queue")


def visible(request: AgentRequest, pk: int) -> Conversation:
    """The conversation, if this agent may see it. Raises Http404."""
    return get_object_or_404(visible_conversations(request.user), pk=pk)
