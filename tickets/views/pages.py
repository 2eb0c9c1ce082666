"""Calls for attention: the list, acknowledging (with words for the customer), resolving."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import NothingToSay
from helpdesk.numbers import whole_number
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page
from helpdesk.oncall.visibility import visible_pages
from tickets.desk import pages
from tickets.desk.rendering import page
from tickets.forms import HandlingForm
from tickets.views.access import AgentRequest, agent_view


@require_GET
@agent_view
def page_list(request: AgentRequest) -> HttpResponse:
    before = whole_number(request.GET.get("before", ""))
    return page(request, "pages.jinja", pages=pages.read(request.user, before), at=now())


@require_POST
@agent_view
def acknowledge(request: AgentRequest, pk: int) -> HttpResponse:
    """One step: somebody is on it, and the customer knows how it will be handled."""
    called = get_object_or_404(visible_pages(request.user), pk=pk)
    form = HandlingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This text is too long."))
        return _back(called)
    handling, client_id = form.cleaned_data["handling"], form.cleaned_data["client_id"]
    try:
        conversations.acknowledge_page(pk, request.user, handling, at=now(), client_id=client_id)
    except NothingToSay:
        messages.error(request, _("Behind this page there is no customer to write to."))
        return _back(called)
    except conversations.Refused as error:
        messages.error(request, _("Acknowledged, but the customer was not told. %(why)s") % {"why": error.words})
        return _back(called)
    messages.success(
        request, _("Acknowledged; the customer has been told.") if handling.strip() else _("Acknowledged.")
    )
    return _back(called)


@require_POST
@agent_view
def resolve(request: AgentRequest, pk: int) -> HttpResponse:
    get_object_or_404(visible_pages(request.user).only("pk"), pk=pk)
    paging.resolve(pk, at=now(), user=request.user, why="desk")
    messages.success(request, _("The page is resolved."))
    return redirect("tickets:pages")


def _back(page: Page) -> HttpResponse:
    if page.conversation_id is None:
        return redirect("tickets:pages")
    return redirect("tickets:conversation", page.conversation_id)
