"""The inbox: whole page, its rows alone for htmx, and the numbers beside the views."""

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from tickets.desk import inbox, queue
from tickets.desk.counts import Counts, count
from tickets.desk.filters import BadFilter
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view


@require_GET
@agent_view
def inbox_page(request: AgentRequest) -> HttpResponse:
    view = _view(request)
    counts = count(request.user)
    later = bool(request.GET.get("after"))
    title = _title(view, counts)
    return page(request, "queue.jinja", title=title, counts=counts, later=later, **_rows(request, view))


@require_GET
@agent_view
def rows(request: AgentRequest) -> HttpResponse:
    """The next page of rows, or the shown ones anew."""
    return page(request, "_rows.jinja", **_rows(request, _view(request)))


@require_GET
@agent_view
def navigation(request: AgentRequest) -> HttpResponse:
    """The views with their numbers, for whatever page asks."""
    view = _view(request) if request.GET.get("view") else None
    counts = count(request.user)
    return page(request, "_views.jinja", counts=counts, view=view, here=request.GET.get("here", ""))


def _view(request: AgentRequest) -> inbox.View:
    given: dict[str, Any] = {}
    for name, values in request.GET.lists():
        given[name] = values if name in ("tag", "status", "priority", "channel") else values[-1]
    try:
        return inbox.find(given, request.user)
    except (inbox.UnknownView, BadFilter) as error:
        raise Http404 from error


def _title(view: inbox.View, counts: Counts) -> str:
    team = view.extra.get("team")
    return next((row.name for row in counts.teams if row.id == team), view.title)


def _rows(request: AgentRequest, view: inbox.View) -> dict[str, Any]:
    """What `_rows.jinja` shows."""
    shown, after = request.GET.get("shown", ""), request.GET.get("after", "")
    limit = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 6 else queue.PAGE
    try:
        found = queue.read(view, request.user, after=after, limit=limit)
    except queue.BadCursor as error:
        raise Http404 from error
    return {"view": view, "rows": found.rows, "after": found.after, "first": not after, "at": now()}
