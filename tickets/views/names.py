"""Names of things there may be thousands of, for fields that suggest them while one types."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, JsonResponse
from django.views.decorators.http import require_GET

from helpdesk.conversations.visibility import may_see, readers
from helpdesk.customers.agents import active
from helpdesk.customers.models import Organization, Service
from helpdesk.numbers import whole_number
from tickets.views.access import AgentRequest, agent_view

MOST = 8
LONGEST = 100


@require_GET
@agent_view
def services(request: AgentRequest) -> JsonResponse:
    return _named(request, Service.objects.all())


@require_GET
@agent_view
def organizations(request: AgentRequest) -> JsonResponse:
    return _named(request, Organization.objects.all())


@require_GET
@agent_view
def agents(request: AgentRequest) -> JsonResponse:
    """Who works here; with `conversation` only those who may see it. Of namesakes the addresses are the names."""
    rows = active()
    if "conversation" in request.GET:
        conversation = whole_number(request.GET["conversation"])
        if not may_see(request.user, conversation):
            raise Http404
        rows = readers(rows, conversation)
    few = found(rows, _typed(request))
    addresses = dict(rows.filter(pk__in=[pk for pk, _name in few]).values_list("pk", "email")) if few else {}
    names = [name for _pk, name in few]
    results = []
    for pk, name in few:
        shown = (name, addresses[pk]) if names.count(name) == 1 else (addresses[pk], name)
        results.append({"id": pk, "name": shown[0], "hint": shown[1]})
    return JsonResponse({"results": results})


def _typed(request: AgentRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST]


def _named(request: AgentRequest, rows: QuerySet[Any]) -> JsonResponse:
    """By the beginning of their name, then by any part of it; at most MOST."""
    few = found(rows, _typed(request))
    return JsonResponse({"results": [{"id": pk, "name": name, "hint": ""} for pk, name in few]})


def found(rows: QuerySet[Any], typed: str) -> list[tuple[int, str]]:
    """Two statements at most."""
    if not typed:
        return []
    ordered = rows.order_by("name", "pk")
    first = list(ordered.filter(name__istartswith=typed).values_list("pk", "name")[:MOST])
    if len(first) == MOST:
        return first
    more = ordered.filter(name__icontains=typed).exclude(name__istartswith=typed)
    return first + list(more.values_list("pk", "name")[: MOST - len(first)])
