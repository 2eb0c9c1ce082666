"""The mails about a booked chat, in the customer's language and zone, each with the entry for their calendar."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from chat import booking_hours, bookings, ical, links, widgets
from chat.ical import Entry
from chat.models import Booking, Chat
from helpdesk.customers.company import names
from helpdesk.days import long_day
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email

ENDS: Final = (bookings.CANCELLED,)
SALT: Final = "chat.booking"


@outside
def tell(event: Event, at: datetime) -> None:
    """Mail what has happened to a booking, unless something later is told already or its time has passed."""
    related = ("customer", "widget", "conversation")
    booking = Booking.objects.select_related(*related).filter(pk=event.data["booking"]).first()
    if booking is None or booking.ends_at <= at:
        return
    is_cancelled = booking.state == Booking.State.CANCELLED
    if event.data["revision"] != booking.revision or is_cancelled != (event.kind in ENDS):
        return
    send_email(mail(event.kind, booking, event, at=at))


def mail(kind: str, booking: Booking, event: Event, *, at: datetime) -> EmailMultiAlternatives:
    """The mail about one event; the same for every attempt at it."""
    sender, answers = _ways_back(booking)
    with translation.override(language_of(booking)):
        when = said(booking)
        subject, first = _WORDS[kind](when)
        link = "" if kind in ENDS else link_of(booking, at=event.at)
        ways = [] if kind in ENDS else [_way(link), _other_way(booking)]
        text = "\n\n".join(filter(None, (_hello(booking), first, _topic(booking), *ways)))
        message = EmailMultiAlternatives(
            one_line(subject, 200),
            f"{text}{_footer()}\n",
            sender,
            [booking.email],
            reply_to=answers,
            headers={
                "Message-ID": f"<booking-{event.pk}@{_domain()}>",
                # No mail has this id; naming it in all of them keeps those about one booking together.
                "References": f"<booking-of-{booking.public_id}@{_domain()}>",
                # RFC 3834: nothing is to answer by itself; the second header says so to Exchange.
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
            },
        )
        entry = ical.text(_entry(booking, link, sender), stamp=event.at)
    method = "CANCEL" if kind in ENDS else "REQUEST"
    if kind != bookings.REMINDED:
        # Mail programs with a calendar offer the first (RFC 6047 §2.4); the others save the second.
        message.attach_alternative(entry, f"text/calendar; method={method}")
        message.attach("chat.ics", entry.encode(), "application/ics")
    return message


def said(booking: Booking) -> str:
    """Day and time on the customer's clocks, in the active language, with the name of the zone."""
    zone = booking_hours.zone_of(booking.timezone, booking.customer.timezone)
    start, end = booking.starts_at.astimezone(zone), booking.ends_at.astimezone(zone)
    return f"{long_day(start, with_year=True)}, {start:%H:%M}–{end:%H:%M} ({zone})"


def language_of(booking: Booking) -> str:
    """The language the customer reads."""
    return widgets.language_of(booking.language or booking.customer.language)


def token(booking: Booking) -> str:
    """What opens the booking's own page: to see, move and cancel it, and nothing else."""
    return signing.dumps(str(booking.public_id), salt=SALT)


def link_of(booking: Booking, *, at: datetime) -> str:
    """Where the chat is held: the panel as a page, with a session for this conversation alone."""
    chat = Chat.objects.select_related("widget").filter(pk=booking.conversation_id).first()
    if chat is None:
        return ""
    address, hash_mark, token = links.make(chat, at=at).partition("#")
    return f"{address}&booking={booking.public_id}{hash_mark}{token}"


def _ways_back(booking: Booking) -> tuple[str, list[str]]:
    """The sender, the mailbox of the conversation's team, and the signed address whose mail is filed in it."""
    found = import_string(settings.MAIL_WAYS_BACK)(booking.conversation) if booking.conversation else None
    return (settings.DEFAULT_FROM_EMAIL, []) if found is None else (found[0], [found[1]])


def _entry(booking: Booking, link: str, sender: str) -> Entry:
    organizer, address = parseaddr(sender)
    company = names()[0] or organizer
    return Entry(
        uid=f"booking-{booking.public_id}@{_domain()}",
        revision=booking.revision,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        summary=_("Chat with %(company)s") % {"company": company},
        description="\n".join(filter(None, (booking.topic, link))),
        url=link or settings.PUBLIC_URL,
        organizer=(address, company),
        attendee=(booking.email, booking.customer.name),
        is_cancelled=booking.state == Booking.State.CANCELLED,
    )


def _booked(when: str) -> tuple[str, str]:
    return _("Your chat: %(when)s") % {"when": when}, _("your chat with us is booked: %(when)s.") % {"when": when}


def _moved(when: str) -> tuple[str, str]:
    return _("Your chat is moved: %(when)s") % {"when": when}, _("your chat is moved to: %(when)s.") % {"when": when}


def _cancelled(when: str) -> tuple[str, str]:
    subject = _("Your chat is cancelled: %(when)s") % {"when": when}
    return subject, _("your chat is cancelled; it was booked for %(when)s.") % {"when": when}


def _reminded(when: str) -> tuple[str, str]:
    return _("Soon: your chat, %(when)s") % {"when": when}, _("we look forward to chatting: %(when)s.") % {"when": when}


_WORDS: Final[Mapping[str, Callable[[str], tuple[str, str]]]] = {
    bookings.BOOKED: _booked,
    bookings.MOVED: _moved,
    bookings.CANCELLED: _cancelled,
    bookings.REMINDED: _reminded,
}


def _hello(booking: Booking) -> str:
    name = booking.customer.name
    return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _topic(booking: Booking) -> str:
    return _("What it is about: %(topic)s") % {"topic": one_line(booking.topic, 500)} if booking.topic else ""


def _way(link: str) -> str:
    return _("Open the chat at that time:") + f"\n{link}" if link else ""


def _other_way(booking: Booking) -> str:
    return _("Move or cancel it:") + f"\n{settings.PUBLIC_URL}{reverse('chat:booking', args=[token(booking)])}"


def _footer() -> str:
    name = names()[0]
    return f"\n\n-- \n{name}\n{settings.PUBLIC_URL}" if name else ""


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
