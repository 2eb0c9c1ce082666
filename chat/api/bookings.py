"""`/chat/api/slots` and `/chat/api/bookings`: what can be booked, and what a session has booked. Times are milliseconds
since 1970, as on the socket.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from chat import booking_hours, bookings, limits, slots, widgets
from chat.api.access import (
    Refused,
    VisitorRequest,
    address_of,
    body_of,
    email_in,
    text_of,
    uuid_of,
    visitor_view,
    within,
)
from chat.bookings import NotBooked, NotOffered, Taken, TooMany, Wish
from chat.chats import NeedsAddress, SignFirst
from chat.frames import milliseconds
from chat.models import Booking
from helpdesk.days import long_day
from helpdesk.events.actors import CUSTOMER

T = TypeVar("T")
MOST_LISTED: Final = 30
# 9999-12-31, the last day there is.
LATEST: Final = 253_402_214_400_000


@visitor_view("GET")
def offered(request: VisitorRequest) -> HttpResponse:
    """What can be booked, by the days of `?tz=`, the visitor's zone; `lang` names the language of the days."""
    within(limits.SLOTS_OF_VISIT, str(request.visit.pk))
    return JsonResponse(_offered(request, now()))


@visitor_view("GET", "POST")
def own(request: VisitorRequest) -> HttpResponse:
    """GET: the session's bookings, latest first. POST `{cid, starts_at, topic, email, name, tz}`: book."""
    if request.method == "GET":
        found = bookings.of_visit(request.visit, MOST_LISTED)
        return JsonResponse({"bookings": [shown(booking) for booking in found]})
    given, at = body_of(request), now()
    within(limits.BOOKINGS_OF_VISIT, str(request.visit.pk))
    within(limits.BOOKINGS_OF_ADDRESS, address_of(request))
    wish = Wish(
        client_id=uuid_of(given, "cid"),
        starts_at=_instant(given, "starts_at"),
        topic=text_of(given, "topic", bookings.LONGEST_TOPIC),
        email=_address(text_of(given, "email", 320)),
        name=text_of(given, "name", 200).strip(),
        language=text_of(given, "lang", 10) or request.visit.language,
        timezone=text_of(given, "tz", 60),
    )
    booking, is_new = _tried(request, at, lambda: bookings.book(request.visit, wish, at=at))
    return JsonResponse(shown(booking), status=201 if is_new else 200)


@visitor_view("POST")
def move(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """`{starts_at}`: another time."""
    booking, at = _of(request, public_id), now()
    within(limits.BOOKINGS_OF_VISIT, str(request.visit.pk))
    starts_at = _instant(body_of(request), "starts_at")
    return JsonResponse(shown(_tried(request, at, lambda: bookings.move(booking.pk, starts_at, actor=CUSTOMER, at=at))))


@visitor_view("POST")
def cancellation(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """Call it off."""
    booking, at = _of(request, public_id), now()
    return JsonResponse(shown(_tried(request, at, lambda: bookings.cancel(booking.pk, actor=CUSTOMER, at=at))))


def shown(booking: Booking) -> dict[str, Any]:
    """A booking as its visitor sees it; `state` is booked, cancelled, held or missed."""
    return {
        "id": str(booking.public_id),
        "starts_at": milliseconds(booking.starts_at),
        "ends_at": milliseconds(booking.ends_at),
        "topic": booking.topic,
        "email": booking.email,
        "state": booking.state,
    }


def _of(request: VisitorRequest, public_id: UUID) -> Booking:
    found = [one for one in bookings.of_visit(request.visit, MOST_LISTED) if one.public_id == public_id]
    if not found:
        raise Refused(404, "booking", "There is no such booking.")
    return found[0]


def _tried(request: VisitorRequest, at: datetime, act: Callable[[], T]) -> T:
    """Do it. Raises Refused; where the time is gone, with those that are left."""
    try:
        return act()
    except Taken:
        detail = gettext_lazy("Somebody was quicker: that time is taken. Please choose another one.")
        raise Refused(409, "taken", detail, **_offered(request, at)) from None
    except NotOffered:
        detail = gettext_lazy("Chats cannot be booked for that time.")
        raise Refused(422, "slot", detail, **_offered(request, at)) from None
    except TooMany:
        words = gettext_lazy("There are {most} booked chats already; please cancel one first.")
        detail = format_lazy(words, most=bookings.MOST_AHEAD)
        raise Refused(409, "many", detail) from None
    except NotBooked:
        raise Refused(409, "over", gettext_lazy("This booking is cancelled or over.")) from None
    except NeedsAddress:
        detail = gettext_lazy("Where may we send the confirmation?")
        raise Refused(422, "email", detail, field="email") from None
    except SignFirst:
        raise Refused(403, "sign", gettext_lazy("Please log in on this page first.")) from None


def _offered(request: VisitorRequest, at: datetime) -> dict[str, Any]:
    zone = booking_hours.zone_of(request.GET.get("tz", "")[:60], request.visit.timezone)
    found = booking_hours.offered(at=at)
    with translation.override(widgets.language_of(request.GET.get("lang", "") or request.visit.language)):
        days = [
            {
                "date": day.on.isoformat(),
                "says": long_day(day.on),
                "slots": [
                    {
                        "at": milliseconds(slot.starts_at),
                        "until": milliseconds(slot.ends_at),
                        "says": says,
                        "left": slot.left,
                    }
                    for says, slot in day.slots
                ],
            }
            for day in slots.by_day(found, zone)
        ]
    return {"tz": str(zone), "minutes": int(slots.LASTS.total_seconds() // 60), "days": days}


def _instant(given: Mapping[str, Any], name: str) -> datetime:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < LATEST:
        raise Refused(422, "field", f"{name} is a time in milliseconds since 1970.", field=name)
    return datetime.fromtimestamp(value / 1000, UTC)


def _address(text: str) -> str:
    """An address in small letters, empty where none was given. Raises Refused."""
    return email_in(text) if text.strip() else ""
