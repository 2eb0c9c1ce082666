"""One customer: who it is, what they bought, how they are known, and everything they ever asked."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.customers.entitlements import realtime
from helpdesk.customers.models import Customer
from helpdesk.customers.permissions import may_work
from tickets.desk import inbox, queue
from tickets.desk.customer_notes import MAX_NOTES
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view
from tickets.zones import known_zone

MOST_SERVICES = 100


class NotesForm(forms.Form):
    notes = forms.CharField(required=False, max_length=MAX_NOTES)
    was = forms.CharField(required=False, strip=False)

    def clean_notes(self) -> str:
        return str(self.cleaned_data["notes"]).replace("\r\n", "\n")

    def clean_was(self) -> str:
        return str(self.cleaned_data["was"]).replace("\r\n", "\n")


@require_GET
@agent_view
def customer(request: AgentRequest, pk: int) -> HttpResponse:
    """The page, and with `after` a later part of the conversations."""
    related = Customer.objects.select_related("organization__plan__support_hours")
    found = get_object_or_404(related, pk=pk)
    organization = found.organization
    view = inbox.View("all", _("All"), {"customer": found.pk}, inbox.NEWEST, extra={"customer": found.pk})
    try:
        read = queue.read(view, request.user, after=request.GET.get("after", ""))
    except queue.BadCursor as error:
        raise Http404 from error
    at = now()
    return page(
        request,
        "customer.jinja",
        customer=found,
        organization=organization,
        entitlement=realtime(organization.plan, organization.customer_since, localdate(at)) if organization else None,
        services=list(organization.services.order_by("name")[:MOST_SERVICES]) if organization else [],
        identities=list(found.identities.order_by("channel", "handle")[:MOST_SERVICES]),
        may_work=may_work(request.user),
        local_time=at.astimezone(known_zone(found.timezone)) if found.timezone else None,
        view=view,
        rows=read.rows,
        after=read.after,
        first=not request.GET.get("after"),
        at=at,
    )


@require_POST
@agent_view
def customer_notes(request: AgentRequest, pk: int) -> HttpResponse:
    """Replaces the notes where they still say what the page showed (`was`)."""
    get_object_or_404(Customer.objects.only("pk"), pk=pk)
    form = NotesForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("These notes are too long."))
    elif not Customer.objects.filter(pk=pk, notes=form.cleaned_data["was"]).update(notes=form.cleaned_data["notes"]):
        messages.error(request, _("Somebody has changed these notes since. Yours were not saved."))
    return redirect("tickets:customer", pk)
