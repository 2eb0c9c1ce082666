"""What other rooms show of chats to a customer who is signed in (settings.CHAT_OFFER, CHATS_AGREED, EMBED_IDENTITY)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from chat import availability, booking_hours, booking_mails, entitlement, identity, sessions, widgets
from chat.models import Booking, Upload, Visit, Widget
from helpdesk.conversations import files
from helpdesk.customers.models import Customer

LATELY = timedelta(days=90)
MOST = 50


@dataclass(frozen=True, slots=True)
class Agreed:
    """A chat that is agreed for a time; `says` is day and time on the customer's clocks, with the zone, and `url` opens
    its page, where it is moved, cancelled or begun.
    """

    says: str
    starts_at: datetime
    ends_at: datetime
    topic: str
    state: str
    url: str
    conversation_id: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """How somebody may chat now: `live` opens a chat, `booking` one for a later time; "" where that is not offered.

    `is_somebody_there` says whether a person takes chats at this moment.
    """

    live: str
    booking: str
    is_somebody_there: bool = False


def agreed(customer: Customer, *, at: datetime) -> list[Agreed]:
    """The customer's booked chats, the newest first, of the last three months and to come."""
    rows = (
        Booking.objects.filter(customer=customer, starts_at__gt=at - LATELY)
        .select_related("customer")
        .order_by("-starts_at")[:MOST]
    )
    return [
        Agreed(
            booking_mails.said(row),
            row.starts_at,
            row.ends_at,
            row.topic,
            row.state,
            reverse("chat:booking", args=[booking_mails.token(row)]),
            row.conversation_id,
        )
        for row in rows
    ]


def offer(customer: Customer | None, *, at: datetime) -> Offer:
    """By plan, first days, grant or booking; for strangers, what the default plan gives."""
    widget = Widget.objects.filter(is_active=True).order_by("pk").first()
    if widget is None:
        return Offer("", "")
    # The panel's page takes the portal's word for who it is, where a link of ours leads there.
    page = f"{reverse('chat:page')}?key={widget.key}{'&from=portal' if customer is not None else ''}"
    if entitlement.of(customer, at=at).is_live:
        return Offer(page, "", is_somebody_there=availability.of(widget, at=at).is_live)
    return Offer("", f"{page}&book=1" if booking_hours.current().is_on else "")


def exported(customer: Customer) -> list[dict[str, Any]]:
    """For the file of the customer's own data."""
    rows = Booking.objects.filter(customer=customer).order_by("pk")
    return [dict(row) for row in rows.values("starts_at", "ends_at", "topic", "email", "timezone", "state")]


def erase(customer: Customer, at: datetime) -> None:
    """Forget who chatted, from which page and browser, and what files were called; that a chat was booked and held
    stays.
    """
    uploads = Upload.objects.filter(Q(visit__customer=customer) | Q(message__conversation__customer=customer))
    files.drop(set(uploads.values_list("sha256", flat=True)), at=at)
    uploads.delete()
    Booking.objects.filter(customer=customer).update(topic="", email="", timezone="", language="")
    Visit.objects.filter(customer=customer).update(
        subject="", origin="", page_url="", page_title="", browser="", expires_at=at, ended_at=at
    )


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where a form may be framed, and whom the page around it vouches for. `wrong` tells its developer why nobody."""

    origins: tuple[str, ...]
    customer: Customer | None
    wrong: str = ""


@transaction.atomic
def embedded(key: str, user: object, *, at: datetime) -> Embedded | None:
    """The widget's origins and the user its site has signed, as for the chat; None where there is no such widget. One
    of settings.EMBED_IDENTITY.
    """
    widget = widgets.find(key)
    if widget is None:
        return None
    origins = tuple(widget.origins)
    try:
        signed = identity.read(widget, user)
        customer = sessions.customer_signed_for(widget, signed, at=at) if signed is not None else None
    except identity.NotSigned as error:
        return Embedded(origins, None, str(error))
    is_welcome = customer is not None and customer.blocked_at is None
    return Embedded(origins, customer if is_welcome else None)
