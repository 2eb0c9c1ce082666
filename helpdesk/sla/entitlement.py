"""What a customer may do now, and why: plan, hours, goals, real-time channels, grants, what changes when.

One explanation for everybody who asks: the desk, the API and the customer's own portal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.customers import entitlements, plan_changes
from helpdesk.customers.lookup import default_plan
from helpdesk.customers.models import Customer, Plan, PlanChange
from helpdesk.sla.calendars import hours_of, office_hours
from helpdesk.sla.models import Goal


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to us. `why` is a code: always, plan, first_days, grant, booking, over (the first days), ahead (they have
    not begun), never, not_in_plan, blocked. `until` is the instant it ends, where one is known.
    """

    name: str
    is_open: bool
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Live chat that an agent gave."""

    begins_at: datetime
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Promise:
    """A goal of the plan's policy, in seconds of its calendar's opening hours."""

    target: str
    priority: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Entitled:
    """`plan_why` is organization, default or none; `since` counts from the organization's first day, or the customer's
    own. `realtime_until` is the last day of the first days. `opens_at`/`closes_at` is when the hours change next.
    """

    plan: Plan | None
    plan_why: str
    since: date
    since_why: str
    realtime: str
    realtime_until: date | None
    is_blocked: bool
    channels: Sequence[Channel]
    hours: str
    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    goals: Sequence[Promise]
    goals_hours: str
    grants: Sequence[Grant] = ()
    changes: Sequence[PlanChange] = ()
    zone: ZoneInfo = field(default=ZoneInfo("UTC"))


@cache
def _known(what: str) -> Any:
    return import_string(settings.ENTITLEMENTS[what])


# Open to everybody, whatever they bought.
ALWAYS = ("email", "form", "portal")
_TARGETS = ("first_response", "next_response", "dispatch", "resolution")


def explain(customer: Customer, *, at: datetime) -> Entitled:
    """All of it at once. About ten statements: it is asked for by people, not by machines."""
    organization = customer.organization
    ahead = plan_changes.ahead_of(customer.organization_id)
    until_then = [change for change in ahead if change.due_at <= at]
    plan = organization.plan if organization is not None else default_plan()
    # Asked about a day to come, what is planned until then has come true.
    plan = until_then[-1].plan if until_then else plan
    zone = _zone()
    since = organization.customer_since if organization is not None else customer.created_at.astimezone(zone).date()
    today = at.astimezone(zone).date()
    included = entitlements.realtime(plan, since, today) if plan is not None else None
    hours = hours_of(plan.support_hours_id, plan.support_hours.version) if plan is not None else None
    is_open = hours is not None and hours.is_open(at)
    goals = _goals(plan) if plan is not None else []
    return Entitled(
        plan=plan,
        plan_why="none" if plan is None else "default" if organization is None else "organization",
        since=since,
        since_why="customer" if organization is None else "organization",
        realtime=plan.realtime if plan is not None else Plan.Realtime.NEVER,
        realtime_until=included.until if included is not None else None,
        is_blocked=customer.blocked_at is not None,
        channels=_channels(customer, _by_plan(plan, included, is_ahead=today < since, zone=zone), at),
        hours=plan.support_hours.name if plan is not None else "",
        is_open=is_open,
        opens_at=hours.next_opening(at) if hours is not None and not is_open else None,
        closes_at=hours.closing(at) if hours is not None and is_open else None,
        goals=goals,
        goals_hours=plan.policy.calendar.name if plan is not None else "",
        grants=[Grant(one.at, one.until, str(one.by)) for one in _known("grants")(customer.pk, 10) if one.until > at],
        changes=[change for change in ahead if change.due_at > at],
        zone=zone,
    )


def _channels(customer: Customer, by_plan: list[Channel], at: datetime) -> list[Channel]:
    """The open ones first. What is agreed with this customer beside their plan is the chat room's to say."""
    if customer.blocked_at is not None:
        return [Channel(name, False, "blocked") for name in (*ALWAYS, "chat")]
    agreed = _known("agreed")(customer, at=at)
    return [Channel(name, True, "always") for name in ALWAYS] + [
        Channel(one.name, True, agreed.why, agreed.until)
        if one.name == "chat" and not one.is_open and agreed.is_live
        else one
        for one in by_plan
    ]


def _by_plan(
    plan: Plan | None, included: entitlements.Realtime | None, *, is_ahead: bool, zone: ZoneInfo
) -> list[Channel]:
    """The real-time channels of the plan of that day, which is not always today's; chat first, included or not."""
    if plan is None or included is None:
        return [Channel("chat", False, "not_in_plan")]
    until = None
    if included.until is not None and included.included:
        until = datetime.combine(included.until + timedelta(days=1), time(), zone)
    found = [Channel(name, included.included, _why(plan, included, is_ahead), until) for name in included.channels]
    chat = [one for one in found if one.name == "chat"] or [Channel("chat", False, "not_in_plan")]
    return chat + [one for one in found if one.name != "chat"]


def _why(plan: Plan, included: entitlements.Realtime, is_ahead: bool) -> str:
    if plan.realtime == Plan.Realtime.ALWAYS:
        return "plan"
    if plan.realtime == Plan.Realtime.NEVER or included.until is None:
        return "never"
    if is_ahead:
        return "ahead"
    return "first_days" if included.included else "over"


def _goals(plan: Plan) -> list[Promise]:
    order = {name: place for place, name in enumerate(("urgent", "high", "normal", "low"))}
    rows = Goal.objects.filter(policy=plan.policy_id, is_live=False)
    found = [Promise(row.target, row.priority, row.seconds) for row in rows]
    return sorted(found, key=lambda one: (order.get(one.priority, 9), _TARGETS.index(one.target)))


def _zone() -> ZoneInfo:
    hours = office_hours()
    return ZoneInfo("UTC") if hours is None else ZoneInfo(hours.timezone)
