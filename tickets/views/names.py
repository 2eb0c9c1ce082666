"""Names of things there may be thousands of, for fields that suggest them while one types."""

from typing import Any

from django.db.models import QuerySet
from django.http import JsonResponse
from django.views.decorators.http import require_GET

from helpdesk.customers.models import Organization, Service
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


def _named(request: AgentRequest, rows: QuerySet[Any]) -> JsonResponse:
    """By the beginning of their name, then by any part of it; at most MOST."""
    typed = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST]
    return JsonResponse({"results": [{"id": pk, "name": name, "hint": ""} for pk, name in found(rows, typed)]})


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
