"""What real-time support a plan includes for a customer company, and until when."""

from dataclasses import dataclass
from datetime import date, timedelta

from helpdesk.customers.models import Plan


@dataclass(frozen=True, slots=True)
class Realtime:
    """`until` is the last day, in the plan's first days only; `included` says whether it holds on the day asked for."""

    included: bool
    until: date | None
    channels: tuple[str, ...]


def realtime(plan: Plan, customer_since: date, today: date) -> Realtime:
    """Live chat and the like: always, never, or for the first days, the day the customer came being the first."""
    channels = tuple(plan.realtime_channels)
    if plan.realtime == Plan.Realtime.ALWAYS:
        return Realtime(True, None, channels)
    if plan.realtime == Plan.Realtime.NEVER or not plan.realtime_days:
        return Realtime(False, None, channels)
    until = customer_since + timedelta(days=plan.realtime_days - 1)
    return Realtime(customer_since <= today <= until, until, channels)
