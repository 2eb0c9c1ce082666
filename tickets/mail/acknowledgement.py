"""The words of an acknowledgement: what it is called with us, when a person answers, and who knows of it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import promises
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock, Target

DEFAULT_LANGUAGE = "en"


def text(conversation: Conversation, *, asked_at: datetime) -> str:
    """The acknowledgement in the customer's language, their hours and plain words."""
    with override(conversation.customer.language or DEFAULT_LANGUAGE):
        paragraphs = [
            _greeting(conversation),
            _received(conversation),
            _promise(conversation),
            _on_call(conversation, asked_at),
            _("If you want to add something, simply answer this mail."),
        ]
        return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _greeting(conversation: Conversation) -> str:
    name = conversation.customer.name
    return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _received(conversation: Conversation) -> str:
    return _("thank you for writing to us. Your request “%(subject)s” has the number #%(number)s.") % {
        "subject": conversation.subject or conversation.preview[:80],
        "number": conversation.number,
    }


def situation(priority: str) -> str:
    """A priority in the customer's words."""
    return {
        Priority.URGENT: _("urgent: your production application is down or unusable"),
        Priority.HIGH: _("high: your production application is up, but impaired"),
        Priority.NORMAL: _("normal: a general support request"),
        Priority.LOW: _("low: a question, request or suggestion"),
    }[Priority(priority)]


def _promise(conversation: Conversation) -> str:
    treated = _("We treat it as %(situation)s.") % {"situation": situation(conversation.priority)}
    clock = Clock.objects.select_related("calendar").filter(
        conversation=conversation, target=Target.FIRST_RESPONSE, met_at=None, cancelled_at=None
    ).first()
    if clock is None or clock.due_at is None:
        return treated
    due = _("A person will answer you by %(due)s (%(goal)s).") % {
        "due": local_time(clock.due_at, conversation.customer.timezone or clock.calendar.timezone),
        "goal": goal(clock),
    }
    return f"{treated} {due}"


def goal(clock: Clock) -> str:
    """The promise as it is written in the price list."""
    seconds = clock.goal_seconds
    around_the_clock = clock.calendar.week and all(spans == [["00:00", "24:00"]] for spans in clock.calendar.week.values())
    if seconds < 3600:
        return _("within %(count)d minutes") % {"count": seconds // 60} + _hours(around_the_clock)
    day = 86_400 if around_the_clock else 43_200
    if seconds % day == 0:
        count = seconds // day
        if around_the_clock:
            return _("within %(count)d hours, around the clock") % {"count": seconds // 3600}
        return _("within one business day") if count == 1 else _("within %(count)d business days") % {"count": count}
    return _("within %(count)d hours") % {"count": round(seconds / 3600)} + _hours(around_the_clock)


def _hours(around_the_clock: bool) -> str:
    return _(", around the clock") if around_the_clock else _(" of our office hours")


def local_time(at: datetime, timezone: str) -> str:
    """An instant as the customer's clock shows it, zone named."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{date_format(local, 'l, j F Y, H:i')} {local.tzname()}"


def _on_call(conversation: Conversation, asked_at: datetime) -> str:
    """Outside office hours: who has been told, and honestly what to expect of that."""
    if not promises.is_outside_office_hours(asked_at):
        return ""
    page = Page.objects.filter(conversation=conversation).order_by("-pk").first()
    if page is None:
        return ""
    if page.urgency == "high":
        return _(
            "Our office is closed at the moment. The engineer on call has been told about your request and is being "
            "called right now; you will hear from us how it is going to be handled."
        )
    return _(
        "Our office is closed at the moment. The engineer on call has been told about your request; it is on top of "
        "the list when we open again."
    )
