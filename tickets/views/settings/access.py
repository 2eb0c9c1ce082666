"""Who may open settings: admins all of them; everybody on the desk what is their own."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from helpdesk.customers.permissions import may_configure
from tickets.views.access import AgentRequest, agent_view

P = ParamSpec("P")
View = Callable[Concatenate[AgentRequest, P], HttpResponseBase]


def admin_view(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """As `agent_view`, and 403 for agents who may not configure."""

    @wraps(view)
    def checked(request: AgentRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not may_configure(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return agent_view(cast(View[P], checked))
