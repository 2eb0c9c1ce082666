"""What the customer has with us: services and how they are, the plan and what it gives, chats agreed for a time."""

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from helpdesk.conversations import incidents
from helpdesk.customers.models import Customer, Service
from helpdesk.sla import entitlement, entitlement_words
from portal import parts
from portal.access import customer_view
from portal.rendering import page

MOST_SERVICES = 200


@require_safe
@customer_view
def services(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Each service of the customer's company with what goes on there."""
    rows = Service.objects.filter(organizations=customer.organization_id).exclude(organizations=None)
    found = [(service, incidents.of_service(service.pk)) for service in rows.select_related("parent")[:MOST_SERVICES]]
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
    agreed, offer = parts.known("chats"), parts.known("chat_offer")
    rows = agreed(customer, at=at) if agreed else []
    ahead = [row for row in rows if row.ends_at > at and row.state == "booked"][::-1]
    return page(
        request,
        "chats.jinja",
        section="chats",
        ahead=ahead,
        past=[row for row in rows if row not in ahead],
        offer=offer(customer, at=at) if offer else None,
    )
