"""The desk's side of incidents and the conversations that they cause: linking one or many, and who was told how."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import is_number, whole_number
from status import linking
from status.models import Incident, IncidentConversation

MOST: Final = 500
PAGE: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def link(request: AgentRequest) -> HttpResponse:
    """GET asks which incident the conversations `c` belong to; POST with `incident` links them, and tells their
    customers how things stand if `tells`.
    """
    given = request.POST if request.method == "POST" else request.GET
    numbers = [int(one) for one in given.getlist("c")[:MOST] if is_number(one)]
    chosen = list(visible_conversations(request.user).filter(pk__in=numbers).order_by("pk"))
    incident = Incident.objects.filter(public_id=given.get("incident", "")[:12]).first()
    if request.method != "POST" or incident is None or not chosen:
        return page(
            request,
            "incident_link.jinja",
            status=422 if request.method == "POST" else 200,
            chosen=chosen,
            incidents=linking.choices(),
            wanted=incident,
            linked=_linked_already(chosen),
        )
    how = IncidentConversation.How.BY_HAND
    tells = given.get("tells") == "1"
    done = linking.link(incident, [one.pk for one in chosen], how=how, user=request.user, at=now(), tells=tells)
    told = ngettext("%(count)d is linked to “%(name)s”.", "%(count)d are linked to “%(name)s”.", len(done))
    messages.success(request, told % {"count": len(done), "name": incident.name})
    if len(chosen) == 1:
        return redirect("tickets:conversation", chosen[0].pk)
    return redirect("status:conversations", incident.public_id)


def _linked_already(chosen: list[Conversation]) -> dict[int, str]:
    links = IncidentConversation.objects.filter(conversation__in=chosen).select_related("incident")
    return {one.conversation_id: one.incident.name for one in links}


@require_POST
@agent_view
def unlink(request: AgentRequest, pk: int) -> HttpResponse:
    """It is about something else: it is told nothing more of the incident."""
    get_object_or_404(visible_conversations(request.user), pk=pk)
    if linking.unlink(pk, request.user, at=now()):
        messages.success(request, _("It is linked to no incident any more."))
    return redirect("tickets:conversation", pk)


@require_safe
@agent_view
def conversations(request: AgentRequest, public_id: str) -> HttpResponse:
    """Whom an incident has made write to us, what became of each, and who says that it is broken still (`still`)."""
    incident = get_object_or_404(Incident, public_id=public_id)
    after = request.GET.get("after", "")
    beyond = whole_number(after)
    is_narrow = "still" in request.GET
    found = linking.linked(incident, request.user, after=beyond, limit=PAGE + 1, only_still_broken=is_narrow)
    return page(
        request,
        "incident_conversations.jinja",
        incident=incident,
        totals=linking.counts(incident),
        found=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else 0,
        is_narrow=is_narrow,
    )
