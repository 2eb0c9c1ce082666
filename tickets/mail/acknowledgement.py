"""The words of an acknowledgement: what it is called with us, when a person answers, and who knows of it."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from helpdesk.conversations import incidents
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.events.safe_text import one_line
from helpdesk.oncall.models import Page, Urgency
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.week import InvalidHours, read_zone

logger = logging.getLogger(__name__)

DEFAULT_LANGUAGE = "en"
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class FirstResponse:
    """The promise that counts down: `seconds` of `hours` until `due_at`."""

    due_at: datetime
    seconds: int
    hours: OpeningHours


def text(
    conversation: Conversation,
    promised: FirstResponse | None,
    closed_hours: OpeningHours | None,
    *,
    asked_at: datetime,
) -> str:
    """The acknowledgement in the customer's language and time, with what goes on that they are likely to ask about.
    `closed_hours` are the office's where it was closed when they asked.
    """
    with override(conversation.customer.language or DEFAULT_LANGUAGE):
        paragraphs = [
            _greeting(conversation),
            _received(conversation),
            *(_trouble(trouble) for trouble in incidents.of_conversation(conversation)),
            _promise(conversation, promised),
            _on_call(conversation, closed_hours, asked_at) if closed_hours is not None else "",
            _("If there is anything to add, just answer this mail. It lands right with your request."),
        ]
        return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _greeting(conversation: Conversation) -> str:
    name = one_line(conversation.customer.name, 100)
    return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _received(conversation: Conversation) -> str:
    subject = one_line(conversation.subject or conversation.preview, 120)
    if not subject:
        return _("thank you for writing to us. Your request has the number #%(number)s.") % {
            "number": conversation.number
        }
    return _("thank you for writing to us. Your request “%(subject)s” has the number #%(number)s.") % {
        "subject": subject,
        "number": conversation.number,
    }


def _trouble(trouble: incidents.Trouble) -> str:
    """That we know of it already is what they want to hear first."""
    known = _("We know already that something is wrong with %(what)s: “%(name)s” (%(status)s).")
    known = known if trouble.what else _("We know already that something is wrong: “%(name)s” (%(status)s).")
    about = {"what": trouble.what, "name": one_line(trouble.name, 200), "status": trouble.status}
    said = f"{known % about} {trouble.says}"
    more = (
        _("We tell you here how it goes on and when it is over; you can also follow it at %(url)s")
        if trouble.is_linked
        else _("If that is what you mean, you can follow it at %(url)s")
    )
    return f"{said.strip()}\n{more % {'url': trouble.url}}"


def situation(priority: str) -> str:
    """A priority in the customer's words."""
    return {
        Priority.URGENT: _("urgent: your production application is down or unusable"),
        Priority.HIGH: _("high: your production application is up, but impaired"),
        Priority.NORMAL: _("normal: a general support request"),
        Priority.LOW: _("low: a question, request or suggestion"),
    }[Priority(priority)]


def _promise(conversation: Conversation, promised: FirstResponse | None) -> str:
    treated = _("We treat it as %(situation)s.") % {"situation": situation(conversation.priority)}
    if promised is None:
        return treated
    due = _("One of us will answer you by %(due)s (%(goal)s).") % {
        "due": local_time(promised.due_at, _zone(conversation, promised.hours.timezone)),
        "goal": goal(promised.seconds, promised.hours),
    }
    return f"{treated} {due}"


def goal(seconds: int, hours: OpeningHours) -> str:
    """The promise as it is written in the price list. A business day is as long as the calendar's."""
    day = _day_length(hours)
    if day and seconds % day == 0:
        count = seconds // day
        return ngettext("within one business day", "within %(count)d business days", count) % {"count": count}
    if seconds % HOUR == 0:
        count = seconds // HOUR
        length = ngettext("within one hour", "within %(count)d hours", count) % {"count": count}
    else:
        count = -(-seconds // MINUTE)
        length = ngettext("within one minute", "within %(count)d minutes", count) % {"count": count}
    counted = _("around the clock") if hours.always_open else _("counted in our office hours")
    return f"{length}, {counted}"


def _day_length(hours: OpeningHours) -> int:
    """Seconds of an open day where all open days are alike and none is a whole day, else 0."""
    lengths = {sum(end - start for start, end in spans) for spans in hours.week if spans}
    length = lengths.pop() if len(lengths) == 1 else 0
    return length if length < DAY else 0


def _zone(conversation: Conversation, fallback: str) -> tzinfo:
    """Where the customer is, else where the hours are."""
    for name in (conversation.customer.timezone, fallback):
        try:
            if name:
                return read_zone(name)
        except InvalidHours:
            logger.warning("customer %s has a time zone that does not exist: %r", conversation.customer_id, name)
    return UTC


def local_time(at: datetime, zone: tzinfo) -> str:
    """An instant as the customer's clock shows it, zone named."""
    local = at.astimezone(zone)
    name = local.tzname() or ""
    # Translators: in the letters of Django's date format; "Tuesday, 13 January 2026, 09:00".
    written = date_format(local, _("l, j F Y, H:i"))
    return f"{written} {f'UTC{name}' if name[:1] in ('+', '-') else name}"


def _on_call(conversation: Conversation, hours: OpeningHours, asked_at: datetime) -> str:
    """Outside office hours: who has been told, and honestly what to expect of that."""
    page = Page.objects.filter(conversation=conversation).order_by("-pk").first()
    if page is None:
        return ""
    if conversation.assignee_id is not None:
        return _("Our office is closed at the moment, but one of our engineers is looking after your request already.")
    if page.state == Page.State.ACKNOWLEDGED:
        return _(
            "Our office is closed at the moment, but the engineer on call has seen your request and will tell you how "
            "we are going to handle it."
        )
    if page.urgency == Urgency.HIGH:
        return _(
            "Our office is closed at the moment. The engineer on call has been told about your request and is being "
            "called right now; you will hear from us how we are going to handle it."
        )
    return _list_of_the_morning(conversation, hours, asked_at)


def _list_of_the_morning(conversation: Conversation, hours: OpeningHours, asked_at: datetime) -> str:
    opens_at = hours.next_opening(asked_at)
    if opens_at is None:
        return ""
    return _(
        "Our office is closed at the moment. Your request is with the engineer on call, but nobody is "
        "woken for it: it opens our list when we are back on %(opening)s. Should your production application be down, "
        "tell us at %(form)s and choose “urgent”: that rings at any hour."
    ) % {
        "opening": local_time(opens_at, _zone(conversation, hours.timezone)),
        "form": f"{settings.PUBLIC_URL}{reverse('tickets:new')}",
    }
