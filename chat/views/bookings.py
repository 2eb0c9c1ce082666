"""A booked chat as a page of its own, for the link in its mails: to open the chat, to move it, to cancel it.

Nothing happens by opening it: mail programs look at links before people do.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chat import booking_hours, booking_mails, bookings, slots
from chat.bookings import NotBooked, NotOffered, Taken
from chat.frames import milliseconds
from chat.models import Booking
from chat.slots import Day
from helpdesk.days import long_day
from helpdesk.events.actors import CUSTOMER

LONGEST_TOKEN: Final = 200
LONGEST_TIME: Final = 15


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def booking(request: HttpRequest, token: str) -> HttpResponse:
    """Show it; POST with `starts_at` (milliseconds since 1970) moves it, without cancels it."""
    found, at = _found(token), now()
    with translation.override(booking_mails.language_of(found)):
        if request.method == "POST":
            wrong = _change(request, found, at)
            if not wrong:
                return redirect("chat:booking", token)
            return _page(request, found, at, wrong)
        return _page(request, found, at)


def _found(token: str) -> Booking:
    try:
        public_id = UUID(str(signing.loads(token[:LONGEST_TOKEN], salt=booking_mails.SALT)))
    except (signing.BadSignature, ValueError):
        raise Http404("this is none of our links") from None
    found = Booking.objects.select_related("customer", "widget").filter(public_id=public_id).first()
    if found is None:
        raise Http404("this booking is not here any more")
    return found


def _change(request: HttpRequest, found: Booking, at: datetime) -> str:
    """What is wrong with it; nothing where it was done."""
    try:
        if "starts_at" in request.POST:
            bookings.move(found.pk, _instant(request.POST["starts_at"]), actor=CUSTOMER, at=at)
            messages.success(request, _("Your chat is moved."))
        else:
            bookings.cancel(found.pk, actor=CUSTOMER, at=at)
    except Taken:
        return _("Somebody was quicker: that time is taken. Please choose another one.")
    except NotOffered:
        return _("Please choose a time from the list.")
    except NotBooked:
        return _("Nothing can be changed any more.")
    return ""


def _instant(text: str) -> datetime:
    """Raises NotOffered for what is no time."""
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST_TIME:
        raise NotOffered
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise NotOffered from None


def _page(request: HttpRequest, found: Booking, at: datetime, wrong: str = "") -> HttpResponse:
    is_open = found.state == Booking.State.BOOKED and found.ends_at > at
    zone = booking_hours.zone_of(found.timezone, found.customer.timezone)
    days = slots.by_day(booking_hours.offered(at=at), zone) if is_open else []
    context = {
        "booking": found,
        "when": booking_mails.said(found),
        "zone": zone,
        "is_open": is_open,
        "link": booking_mails.link_of(found, at=at) if is_open else "",
        "days": [(long_day(day.on), _times(day)) for day in days],
        "wrong": wrong,
    }
    return render(request, "chat/booking.html", context, status=422 if wrong else 200)


def _times(day: Day) -> list[tuple[int, str]]:
    return [(milliseconds(slot.starts_at), says) for says, slot in day.slots]
