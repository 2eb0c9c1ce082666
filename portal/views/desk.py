"""For agents: what may this customer do now, and why; and on another day, with the changes of plan until then."""

from datetime import datetime, time

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from django.utils.timezone import get_current_timezone, now
from django.views.decorators.http import require_safe

from helpdesk.customers.models import Customer
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.sla import entitlement, entitlement_words


@require_safe
@agent_view
def entitlements(request: AgentRequest, pk: int) -> HttpResponse:
    """`on` is a day, noon of which is asked about; now without one."""
    customer = get_object_or_404(Customer.objects.select_related("organization__plan"), pk=pk)
    on = _day(request.GET.get("on", ""))
    at = now() if on is None else on
    found = entitlement.explain(customer, at=at)
    return page(
        request,
        "entitlements.jinja",
        customer=customer,
        found=found,
        lines=entitlement_words.lines(found, at),
        goals=entitlement_words.goals(found),
        on=request.GET.get("on", "") if on is not None else "",
    )


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text[:10])
    except ValueError:
        return None
    if day is None or not 2000 <= day.year <= 2100:
        return None
    return datetime.combine(day, time(12), get_current_timezone())
