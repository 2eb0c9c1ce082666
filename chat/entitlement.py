"""Who may chat live, decided here and nowhere else: by plan, in a customer's first days, by a grant, or at an hour
that was agreed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from chat.models import Booking, ChatGrant
from helpdesk.customers.entitlements import realtime
from helpdesk.customers.lookup import default_plan
from helpdesk.customers.models import Customer, Plan
from helpdesk.prepared import Prepared
from helpdesk.sla import calendars

CHANNEL: Final = "chat"
# The panel of an agreed chat is live a little before its time.
EARLY: Final = timedelta(minutes=5)
# A grant goes before a booking.
_AGREED = Prepared(
    "chat_agreed",
    f"""
(SELECT until, 'grant' AS why FROM {ChatGrant._meta.db_table}
 WHERE customer_id = %(customer)s AND until > %(at)s AND at <= %(at)s ORDER BY until DESC LIMIT 1)
UNION ALL
(SELECT ends_at, 'booking' FROM {Booking._meta.db_table}
 WHERE customer_id = %(customer)s AND starts_at <= %(soon)s AND ends_at > %(at)s
    AND state <> '{Booking.State.CANCELLED}' ORDER BY ends_at DESC LIMIT 1)
ORDER BY why DESC LIMIT 1
""",
)


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
    row = _AGREED.row({"customer": customer.pk, "at": at, "soon": at + EARLY})
    return Entitlement(is_live=False) if row is None else Entitlement(is_live=True, until=row[0], why=row[1])


def _plan(customer: Customer | None) -> Plan | None:
    if customer is not None and customer.organization is not None:
        return customer.organization.plan
    return default_plan()


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
