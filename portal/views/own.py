"""What the customer has with us: services and how they are, the plan and what it gives, chats agreed for a time."""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from helpdesk.conversations import incidents
from helpdesk.customers.models import Customer, Service
from helpdesk.sla import entitlement, entitlement_words
from portal.access import customer_view
from portal.rendering import page

MOST_SERVICES = 200


@require_safe
@customer_view
def services(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Each service of the customer's company with what goes on there."""
    found: list[tuple[Service, Sequence[incidents.Trouble]]] = []
    if (company := customer.organization_id) is not None:
        own = Service.objects.filter(organizations=company).select_related("parent")[:MOST_SERVICES]
        found = [(service, incidents.of_service(service.pk, company)) for service in own]
    found.sort(key=lambda one: not one[1])
    return page(request, "services.jinja", section="services", found=found)


@require_safe
@customer_view
def plan(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What the plan entitles to now, and until when."""
    at = now()
    found = entitlement.explain(customer, at=at)
    lines = entitlement_words.lines(found, at)
    return page(request, "plan.jinja", section="plan", found=found, lines=lines, goals=entitlement_words.goals(found))


@require_safe
@customer_view
def chats(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Chats agreed for a time, and the way to one."""
    at = now()
    rows = import_string(settings.CHATS_AGREED)(customer, at=at)
    ahead = [row for row in rows if row.ends_at > at and row.state == "booked"][::-1]
    return page(
        request,
        "chats.jinja",
        section="chats",
        ahead=ahead,
        past=[row for row in rows if row not in ahead],
        offer=import_string(settings.CHAT_OFFER)(customer, at=at),
    )
