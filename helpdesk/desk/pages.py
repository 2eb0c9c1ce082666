"""Pages that a room has in the desk: guarded and drawn by the desk itself, which no room imports (settings.DESK)."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from helpdesk.customers.models import User

P = ParamSpec("P")


class AgentRequest(HttpRequest):
    """A request whose user is an agent; `agent_view` has made sure."""

    user: User


View = Callable[Concatenate[AgentRequest, P], HttpResponseBase]
Checked = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page, or a fragment of one, of `templates/desk/`, with what every page of the desk says."""
    drawn: HttpResponse = import_string(settings.DESK["page"])(request, name, status=status, **context)
    return drawn


def settings_page(request: HttpRequest, name: str, key: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page of the settings, with the list of areas this agent may open; `key` is its own in that list."""
    shown: HttpResponse = import_string(settings.DESK["settings_page"])(request, name, key, status=status, **context)
    return shown


def agent_view(view: View[P]) -> Checked[P]:
    """For agents alone, in their time zone; viewers read, and whatever they send is refused."""
    return cast(Checked[P], import_string(settings.DESK["agent_view"])(view))


def viewers_too(view: View[P]) -> Checked[P]:
    """The same where viewers may send as well."""
    return cast(Checked[P], import_string(settings.DESK["viewers_too"])(view))


def admin_view(view: View[P]) -> Checked[P]:
    """The same for admins alone."""
    return cast(Checked[P], import_string(settings.DESK["admin_view"])(view))
