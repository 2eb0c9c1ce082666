"""What the palette shows for what was typed, as a fragment."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from helpdesk.desk import offered
from helpdesk.numbers import whole_number
from tickets.desk import inbox, palette, palette_pages
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view
from tickets.views.settings import menu


@require_GET
@agent_view
def palette_found(request: AgentRequest) -> HttpResponse:
    """`q` is what was typed, `here` the number of the conversation that is open, where one is."""
    typed, user = request.GET.get("q", "").replace("\x00", "")[: palette.MAX_QUERY], request.user
    here = request.GET.get("here", "")
    known = [*inbox.standard().values(), *inbox.saved(user)]
    views = [view for view in known if palette_pages.matches(typed, view.title)]
    settings = [
        (entry.address, entry.icon, entry.title, entry.about)
        for group in menu.shown_to(user)
        for entry in group.entries
    ]
    return page(
        request,
        "_palette.jinja",
        typed=typed,
        found=palette.find(typed, user),
        found_views=views[: palette.EACH],
        found_pages=palette_pages.pages(typed, settings),
        found_canned=palette_pages.canned_replies(typed, user),
        found_macros=palette_pages.macros(typed, user) if here else [],
        found_elsewhere=offered.places(typed, user, whole_number(here) or 0),
        open_conversation=whole_number(here),
    )
