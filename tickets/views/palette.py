"""What the palette shows for what was typed, as a fragment."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from tickets.desk import inbox, palette
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view


@require_GET
@agent_view
def palette_found(request: AgentRequest) -> HttpResponse:
    typed = request.GET.get("q", "")[: palette.MAX_QUERY]
    known = [*inbox.standard().values(), *inbox.saved(request.user)]
    views = [view for view in known if _matches(typed, view.title)]
    found = palette.find(typed, request.user)
    return page(request, "_palette.jinja", typed=typed, found=found, found_views=views[: palette.EACH])


def _matches(typed: str, title: str) -> bool:
    words = typed.lower().split()
    return bool(words) and all(any(part.startswith(word) for part in title.lower().split()) for word in words)
