"""What a customer may do now, in words: one line a question, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.customers.models import Plan
from helpdesk.sla.entitlement import Channel, Entitled

MINUTE: Final = 60
HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """`tone` is ok, warn or "" for neither."""

    key: str
    title: str
    says: str
    why: str
    tone: str = ""


def lines(found: Entitled, at: datetime) -> list[Line]:
    """In the language that is active, times in the office's zone."""
    made = [_plan(found), _since(found), _realtime(found, at)]
    made += [_channel(one, found) for one in found.channels]
    made.append(_hours(found))
    made += [_grant(one.until, one.by, found) for one in found.grants]
    made += [_change(one.plan.name, one.due_at, one.reason, found) for one in found.changes]
    return made


@dataclass(frozen=True, slots=True)
class Goals:
    """The table of promises: targets across, priorities down, "" where nothing is promised."""

    targets: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def goals(found: Entitled) -> Goals:
    """In the order in which they are reached."""
    names = {
        "dispatch": _("Taken by a person"),
        "first_response": _("First response"),
        "next_response": _("Next response"),
        "resolution": _("Resolution"),
    }
    priorities = {"urgent": _("Urgent"), "high": _("High"), "normal": _("Normal"), "low": _("Low")}
    said = {(one.target, one.priority): duration(one.seconds) for one in found.goals}
    used = [target for target in names if any(target == key for key, _priority in said)]
    rows = [(words, [said.get((target, key), "") for target in used]) for key, words in priorities.items()]
    return Goals([names[target] for target in used], [row for row in rows if any(row[1])])


def duration(seconds: int) -> str:
    """Opening time as people say it."""
    if seconds < HOUR or seconds % HOUR:
        minutes = max(1, round(seconds / MINUTE))
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    hours = seconds // HOUR
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def channel_name(code: str) -> str:
    """How a way to us is called."""
    known = {"email": _("E-mail"), "form": _("Web form"), "portal": _("Portal"), "chat": _("Live chat")}
    known |= {"whatsapp": "WhatsApp", "sms": "SMS"}
    return known.get(code, code.capitalize())


def _plan(found: Entitled) -> Line:
    if found.plan is None:
        return Line("plan", _("Plan"), _("None"), _("There is neither an organization nor a default plan."), "warn")
    why = _("It is the organization's plan.")
    if found.plan_why == "default":
        why = _("It is the default plan: the customer belongs to no organization.")
    return Line("plan", _("Plan"), found.plan.name, why)


def _since(found: Entitled) -> Line:
    why = _("The first day of the organization with us.")
    if found.since_why == "customer":
        why = _("The day on which we first heard from them.")
    return Line("since", _("With us since"), date_format(found.since, "DATE_FORMAT"), why)


def _realtime(found: Entitled, at: datetime) -> Line:
    title = _("Real-time support")
    if found.realtime == Plan.Realtime.ALWAYS:
        return Line("realtime", title, _("Included"), _("The plan includes it always."), "ok")
    if found.realtime == Plan.Realtime.NEVER or found.realtime_until is None:
        return Line("realtime", title, _("Not included"), _("The plan does not include it."))
    until = date_format(found.realtime_until, "DATE_FORMAT")
    days = found.plan.realtime_days if found.plan is not None else 0
    why = ngettext("The plan includes the first day.", "The plan includes the first %(days)s days.", days) % {
        "days": days
    }
    today = at.astimezone(found.zone).date()
    if today < found.since:
        return Line("realtime", title, _("From %(day)s") % {"day": date_format(found.since, "DATE_FORMAT")}, why)
    if today <= found.realtime_until:
        return Line("realtime", title, _("Included until %(day)s") % {"day": until}, why, "ok")
    return Line("realtime", title, _("Ended on %(day)s") % {"day": until}, why)


def _channel(one: Channel, found: Entitled) -> Line:
    says = _("Open") if one.is_open else _("Not included")
    if one.is_open and one.until is not None:
        says = _("Open until %(when)s") % {"when": _when(one.until, found)}
    return Line(f"channel:{one.name}", channel_name(one.name), says, _why(one.why), "ok" if one.is_open else "")


def _why(code: str) -> str:
    return {
        "always": _("Everybody may write this way."),
        "plan": _("The plan includes it always."),
        "first_days": _("The first days are not over."),
        "grant": _("An agent granted it."),
        "booking": _("It was agreed for this time."),
        "over": _("The first days are over."),
        "ahead": _("The first days have not begun."),
        "never": _("The plan does not include it."),
        "not_in_plan": _("It is not among the plan's channels."),
        "none": _("The plan does not include it."),
        "blocked": _("The customer is blocked."),
    }[code]


def _hours(found: Entitled) -> Line:
    title, why = _("Support hours"), _("Of the calendar %(name)s.") % {"name": found.hours}
    if not found.hours:
        return Line("hours", title, _("None"), _("There is no plan."), "warn")
    if found.plan is not None and found.plan.urgent_when_closed:
        why = f"{why} {_('Outside of them urgent requests wake the engineer on call.')}"
    if found.is_open:
        says = _("Open now")
        if found.closes_at is not None:
            says = _("Open now, until %(when)s") % {"when": _when(found.closes_at, found)}
        return Line("hours", title, says, why, "ok")
    says = _("Closed now")
    if found.opens_at is not None:
        says = _("Closed now, open again %(when)s") % {"when": _when(found.opens_at, found)}
    return Line("hours", title, says, why)


def _grant(until: datetime, by: str, found: Entitled) -> Line:
    says = _("Live chat until %(when)s") % {"when": _when(until, found)}
    return Line("grant", _("Granted"), says, _("By %(name)s.") % {"name": by}, "ok")


def _change(plan: str, due_at: datetime, reason: str, found: Entitled) -> Line:
    says = _("%(plan)s from %(when)s") % {"plan": plan, "when": _when(due_at, found)}
    return Line("change", _("The plan changes"), says, reason or _("It is planned so."), "warn")


def _when(at: datetime, found: Entitled) -> str:
    local = at.astimezone(found.zone)
    return f"{date_format(local, 'D j M Y')}, {local:%H:%M}"
