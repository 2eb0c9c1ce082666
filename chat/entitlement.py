"""Who may chat live, decided here and nowhere else: by plan, in a customer's first days, by a grant, or at an hour
that was agreed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from chat.models import Booking, ChatGrant
from helpdesk.customers.entitlements import realtime
from helpdesk.customers.models import Customer, Plan
from helpdesk.sla import calendars

CHANNEL: Final = "chat"
# The panel of an agreed chat is live a little before its time.
EARLY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether live chat is included at the time asked for, until when if that is known, and by what: plan,
    first_days, grant, booking; or none.
    """

    is_live: bool
    until: datetime | None = None
    why: str = "none"


def of(customer: Customer | None, *, at: datetime, channel: str = CHANNEL) -> Entitlement:
    """For a stranger without a customer the default plan holds, from today on. The same rule holds for other real-time
    channels of a plan.
    """
    plan = _plan(customer)
    by_plan = _by_plan(plan, customer, at, channel) if plan is not None else Entitlement(is_live=False)
    if by_plan.is_live or customer is None or customer.pk is None:
        return by_plan
    agreed = by_agreement(customer, at=at)
    return agreed if agreed.is_live else by_plan


def by_agreement(customer: Customer, *, at: datetime) -> Entitlement:
    """What was agreed with this customer, whatever their plan says: a grant, or a time that they have booked."""
    grant = ChatGrant.objects.filter(customer=customer, until__gt=at, at__lte=at).order_by("-until").first()
    if grant is not None:
        return Entitlement(is_live=True, until=grant.until, why="grant")
    booking = (
        Booking.objects.filter(customer=customer, starts_at__lte=at + EARLY, ends_at__gt=at)
        .exclude(state=Booking.State.CANCELLED)
        .order_by("-ends_at")
        .first()
    )
    if booking is not None:
        return Entitlement(is_live=True, until=booking.ends_at, why="booking")
    return Entitlement(is_live=False)


def _plan(customer: Customer | None) -> Plan | None:
    if customer is not None and customer.organization is not None:
        return customer.organization.plan
    return Plan.objects.filter(is_default=True).first()


def _by_plan(plan: Plan, customer: Customer | None, at: datetime, channel: str) -> Entitlement:
    zone = _zone()
    today = at.astimezone(zone).date()
    since = today
    if customer is not None and customer.organization is not None:
        since = customer.organization.customer_since
    elif customer is not None and customer.pk is not None:
        since = customer.created_at.astimezone(zone).date()
    found = realtime(plan, since, today)
    if not found.included or channel not in found.channels:
        return Entitlement(is_live=False)
    if found.until is None:
        return Entitlement(is_live=True, why="plan")
    ends = datetime.combine(found.until + timedelta(days=1), time(), zone)
    return Entitlement(is_live=True, until=ends.astimezone(UTC), why="first_days")


def _zone() -> tzinfo:
    hours = calendars.office_hours()
    return UTC if hours is None else ZoneInfo(hours.timezone)
