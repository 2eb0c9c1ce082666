"""Live chat as agents see it beside a customer: whether it is included, until when, and giving a day of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chat import entitlement, grants
from chat.models import Booking
from helpdesk.customers.models import Customer
from helpdesk.customers.permissions import may_work
from helpdesk.days import short_day
from helpdesk.desk.pages import AgentRequest, agent_view, page

MOST = 5


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def live_chat(request: AgentRequest, pk: int) -> HttpResponse:
    """GET: the part of the customer's page, or a page of its own. POST: a day from now."""
    customer = get_object_or_404(Customer.objects.select_related("organization__plan"), pk=pk)
    at = now()
    if request.method == "POST":
        grant = grants.give(customer, request.user, at=at)
        ends = localtime(grant.until)
        until = f"{short_day(ends)}, {ends:%H:%M}"
        messages.success(request, _("They can chat live until %(until)s.") % {"until": until})
        return redirect("tickets:customer", customer.pk)
    is_part = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") != "main"
    return page(
        request,
        "_live_chat.jinja" if is_part else "live_chat.jinja",
        customer=customer,
        now_entitled=entitlement.of(customer, at=at),
        given=grants.of(customer.pk, MOST),
        booked=list(
            Booking.objects.filter(customer=customer, state=Booking.State.BOOKED, ends_at__gt=at).order_by("starts_at")
        ),
        may_give=may_work(request.user),
    )
