"""What messages hold, for the customers who may read them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from helpdesk.conversations import handing_out
from helpdesk.conversations.models import Message
from helpdesk.customers.models import Customer
from portal import permissions
from portal.access import customer_view


def _message(customer: Customer, pk: int) -> Message:
    found = permissions.readable_messages(customer, at=now()).filter(pk=min(pk, 2**63 - 1)).first()
    if found is None:
        raise Http404("there is none for this customer")
    return found


@require_safe
@xframe_options_sameorigin
@customer_view
def html(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """A message as it was formatted, in a sandbox; remote pictures stay unloaded until `?images=1`."""
    return handing_out.html(request, _message(customer, pk), with_images=request.GET.get("images") == "1")


@require_safe
@customer_view
def full_text(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """All of a message's text, quotes and signature included."""
    message = _message(customer, pk)
    return handing_out.plain(message.full_text or message.text, f"message-{pk}.txt")


@require_safe
@customer_view
def file(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """A file as a download; `?show=1` shows a picture."""
    found = permissions.readable_files(customer, at=now()).filter(pk=min(pk, 2**63 - 1)).first()
    if found is None:
        raise Http404("there is none for this customer")
    return handing_out.file(found, shown=request.GET.get("show") == "1")
