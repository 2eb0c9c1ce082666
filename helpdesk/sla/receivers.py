"""What follows from events, for clocks."""

from datetime import datetime

from helpdesk.events.models import Event
from helpdesk.sla import sweep


def recalculate(event: Event, at: datetime) -> None:
    """Move every open clock of the changed calendar, in batches, all in the entry's transaction."""
    last: int | None = 0
    while last is not None:
        last = sweep.recalculate(event.data["calendar"], last, at=at)
