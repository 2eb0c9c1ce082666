"""Real-time support on a network: the same rule as for live chat, and the same honesty where it is not included."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import Customer
from helpdesk.sla import calendars
from helpdesk.sla.models import Clock, Target

CHANNELS = frozenset({"telegram", "whatsapp"})


def is_included(channel: str, customer: Customer, *, at: datetime) -> bool:
    """Whether this customer is answered at once on this channel (settings.ENTITLEMENTS knows)."""
    if channel not in CHANNELS:
        return False
    entitled: bool = import_string(settings.ENTITLEMENTS["chat"])(customer, at=at, channel=channel).is_live
    return entitled


def welcome(conversation_id: int, customer: Customer, language: str, *, is_live: bool, at: datetime) -> None:
    """What a person can expect who begins to write in private, said once. Within the caller's transaction."""
    closed = promises.is_outside_office_hours(at)
    if is_live and not closed:
        return  # they are answered by a person, in minutes
    conversation = lock(conversation_id)
    with override(customer.language or language or "en"):
        words = [_("Thank you for your message. It has the number #%(number)s.") % {"number": conversation.number}]
        if closed:
            words.append(_("Our office is closed now; the engineer on call sees that you have written."))
        if not is_live:
            words.append(_("Your plan does not include live support here, so we answer as with any ticket."))
        words.append(_due(conversation_id))
        if not is_live:
            words.append(_("If you would rather talk to us live, choose a time: %(url)s") % {"url": _booking()})
        conversations.write_automatically(conversation, " ".join(one for one in words if one), at=at)


def _due(conversation_id: int) -> str:
    clock = Clock.objects.filter(conversation=conversation_id, target=Target.FIRST_RESPONSE, met_at=None).first()
    if clock is None or clock.due_at is None:
        return ""
    hours = calendars.office_hours()
    zone = ZoneInfo(hours.timezone if hours is not None else settings.OFFICE_TIME_ZONE)
    due = clock.due_at.astimezone(zone)
    return _("You will hear from us by %(due)s.") % {"due": date_format(due, "DATETIME_FORMAT")}


def _booking() -> str:
    return f"{settings.PUBLIC_URL}/chat/"
