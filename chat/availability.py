"""Whether somebody is there to chat with: in the office's hours, and with an agent who takes chats now."""

from dataclasses import dataclass
from datetime import datetime

from chat.models import ChatAgent, Widget
from helpdesk.customers.models import User
from helpdesk.sla import calendars


@dataclass(frozen=True, slots=True)
class Availability:
    """`closes_at` is None while closed, or where no end is in sight; `next_open_at` is None while open."""

    is_open: bool
    is_staffed: bool
    closes_at: datetime | None = None
    next_open_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.is_open and self.is_staffed


def of(widget: Widget, *, at: datetime) -> Availability:
    """For whoever comes to a widget at that time. Without an office calendar it never closes."""
    hours = calendars.office_hours()
    if hours is None:
        return Availability(is_open=True, is_staffed=is_staffed(widget))
    if hours.is_open(at):
        return Availability(is_open=True, is_staffed=is_staffed(widget), closes_at=hours.closing(at))
    return Availability(is_open=False, is_staffed=is_staffed(widget), next_open_at=hours.next_opening(at))


def is_staffed(widget: Widget) -> bool:
    """Whether an agent of the widget's team takes chats now; busy ones count, their chats end."""
    there = ChatAgent.objects.filter(state=ChatAgent.State.AVAILABLE, user__is_active=True)
    there = there.exclude(user__role=User.Role.VIEWER)
    if widget.team_id is not None:
        there = there.filter(user__teams=widget.team_id)
    return there.exists()
