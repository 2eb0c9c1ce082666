"""Search over everything an agent may see."""

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from helpdesk.conversations.search import MAX_QUERY, TooCommon
from tickets.desk import search
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view

# Whoever wants more than so many says more precisely what.
FURTHEST = 250


@require_GET
@agent_view
def search_page(request: AgentRequest) -> HttpResponse:
    """The results, or how to ask. `sort=newest` for the newest first, `from` for the next part."""
    typed, newest_first = request.GET.get("q", ""), request.GET.get("sort") == "newest"
    start = request.GET.get("from", "0")
    if not start.isascii() or not start.isdecimal() or len(start) > 4 or int(start) > FURTHEST:
        raise Http404
    query = search.parse(typed, request.user)
    found, is_too_common = search.Found(), False
    try:
        found = search.find(query, request.user, newest_first=newest_first, offset=int(start))
    except TooCommon:
        is_too_common = True
    return page(
        request,
        "search.jinja",
        typed=typed[:MAX_QUERY],
        query=query,
        found=found,
        newest_first=newest_first,
        is_too_common=is_too_common,
        start=int(start),
        furthest=FURTHEST,
        at=now(),
    )
