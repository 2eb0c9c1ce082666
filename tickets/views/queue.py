"""The inbox: whole page, its list and rows alone for htmx, and the numbers beside the views."""

from typing import Any
from uuid import uuid4

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_work
from tickets.desk import inbox, narrowing, queue
from tickets.desk.counts import Counts, count
from tickets.desk.filters import BadFilter
from tickets.desk.rendering import page
from tickets.mail.models import Mailbox
from tickets.views.access import AgentRequest, agent_view


@require_GET
@agent_view
def inbox_page(request: AgentRequest) -> HttpResponse:
    later = bool(request.GET.get("after"))
    return page(request, "queue.jinja", later=later, **_listed(request))


@require_GET
@agent_view
def list_pane(request: AgentRequest) -> HttpResponse:
    """The list beside a conversation."""
    return page(request, "_list.jinja", later=False, **_listed(request))


@require_GET
@agent_view
def rows(request: AgentRequest) -> HttpResponse:
    """The next page of rows, or the shown ones anew."""
    return page(request, "_rows.jinja", **_rows(request, asked_view(request)))


@require_GET
@agent_view
def navigation(request: AgentRequest) -> HttpResponse:
    """The views with their numbers, for whatever page asks."""
    view = asked_view(request) if request.GET.get("view") else None
    counts = count(request.user)
    return page(request, "_views.jinja", counts=counts, view=view, here=request.GET.get("here", ""))


@require_GET
@agent_view
def filter_form(request: AgentRequest) -> HttpResponse:
    """What a list can be narrowed by, and the name under which that is kept."""
    view = asked_view(request)
    return page(
        request,
        "filter.jinja",
        view=view,
        chosen=view.extra,
        choices=narrowing.choices(request.user, assignee=view.extra.get("assignee")),
        service_name=narrowing.service_name(view),
        own_teams=own_teams(request.user),
    )


def own_teams(user: User) -> list[tuple[int, str]]:
    """The teams that this agent may keep something for."""
    return list(user.teams.order_by("name").values_list("pk", "name"))


def asked_view(request: AgentRequest) -> inbox.View:
    """The view that the address asks for. Raises Http404."""
    try:
        return inbox.asked(request.GET, request.user)
    except (inbox.UnknownView, BadFilter) as error:
        raise Http404 from error


def _listed(request: AgentRequest) -> dict[str, Any]:
    """What `_list.jinja` shows."""
    view = asked_view(request)
    counts = count(request.user)
    return {
        "title": _title(view, counts),
        "counts": counts,
        "chips": narrowing.chips(view),
        "client_id": uuid4(),
        "may_work": may_work(request.user),
        **_rows(request, view),
    }


def _title(view: inbox.View, counts: Counts) -> str:
    team = view.extra.get("team") if set(view.extra) == {"team"} else None
    return next((row.name for row in counts.teams if row.id == team), view.title)


def _rows(request: AgentRequest, view: inbox.View) -> dict[str, Any]:
    """What `_rows.jinja` shows."""
    shown, after = request.GET.get("shown", ""), request.GET.get("after", "")
    limit = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 6 else queue.PAGE
    try:
        found = queue.read(view, request.user, after=after, limit=limit)
    except queue.BadCursor as error:
        raise Http404 from error
    common = {"view": view, "rows": found.rows, "after": found.after, "first": not after, "at": now()}
    is_first_sight = view.key == inbox.FIRST and not found.rows and not after
    return {**common, "beginning": _beginning()} if is_first_sight else common


def _beginning() -> str:
    """An address to write the very first request to; "" as soon as there ever was one."""
    if Conversation.objects.exists():
        return ""
    return Mailbox.objects.order_by("-is_default", "pk").values_list("address", flat=True).first() or ""
