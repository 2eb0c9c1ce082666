"""The queue: whole page, its rows alone for htmx, and the numbers beside the views."""

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from tickets.desk import queue
from tickets.desk.counts import count
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view


@require_GET
@agent_view
def inbox(request: AgentRequest) -> HttpResponse:
    place = _place(request)
    counts = count(request.user)
    title = queue.titles()[place.view]
    if place.team_id is not None:
        title = next((team.name for team in counts.teams if team.id == place.team_id), title)
    later = bool(request.GET.get("after"))
    return page(request, "queue.jinja", title=title, counts=counts, later=later, **_rows(request, place))


@require_GET
@agent_view
def rows(request: AgentRequest) -> HttpResponse:
    """The next page of rows, or the shown ones anew."""
    return page(request, "_rows.jinja", **_rows(request, _place(request)))


@require_GET
@agent_view
def navigation(request: AgentRequest) -> HttpResponse:
    """The views with their numbers, for whatever page asks."""
    place = _place(request) if request.GET.get("view") else None
    counts = count(request.user)
    return page(request, "_views.jinja", counts=counts, place=place, here=request.GET.get("here", ""))


def _place(request: AgentRequest) -> queue.Place:
    view = request.GET.get("view", "reply")
    if view not in queue.BY_DUE and view not in queue.NEWEST:
        raise Http404
    team = request.GET.get("team", "")
    if not team:
        return queue.Place(view)
    if not team.isascii() or not team.isdecimal() or len(team) > 18 or view != "dispatch":
        raise Http404
    return queue.Place(view, int(team))


def _rows(request: AgentRequest, place: queue.Place) -> dict[str, object]:
    """What `_rows.jinja` shows."""
    shown, after = request.GET.get("shown", ""), request.GET.get("after", "")
    limit = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 6 else queue.PAGE
    try:
        found = queue.read(place, request.user, after=after, limit=limit)
    except queue.BadCursor as error:
        raise Http404 from error
    query = f"view={place.view}" + (f"&team={place.team_id}" if place.team_id is not None else "")
    at = now()
    return {"place": place, "rows": found.rows, "after": found.after, "first": not after, "query": query, "at": at}
