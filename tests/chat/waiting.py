"""Chats that wait, and time that passes for them: all that is due happens when it is due."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from chat import dues
from chat.models import Chat, ChatAgent, ChatDue
from helpdesk.customers.models import User
from helpdesk.events import outbox
from helpdesk.events.models import Event, OutboxEntry
from tests.chat.continuing import begin, visitor
from tests.fixtures.company import Company

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
UMA = "uma@umbrella.example"


def chat_of(at: datetime, text: str = "My site is down?", **more: Any) -> Chat:
    """Of Uma, whose plan includes it."""
    return begin(visitor(at, signed=UMA, **more), text, at=at)


def there(*users: User, **values: Any) -> None:
    """These agents alone are available, with these values."""
    ChatAgent.objects.update(state=ChatAgent.State.AWAY)
    for user in users:
        defaults = {"state": ChatAgent.State.AVAILABLE, **values}
        ChatAgent.objects.update_or_create(user=user, defaults=defaults)


def until(at: datetime) -> None:
    """Everything that falls due up to then, in order."""
    for _round in range(200):
        due = _next_due()
        if due is None or due > at:
            return
        outbox.drain(due)
        dues.sweep(due)
    raise AssertionError("something is due again and again")


def _next_due() -> datetime | None:
    chats = ChatDue.objects.exclude(kind=ChatDue.Kind.MAIL).aggregate(due=Min("due_at"))["due"]
    waiting = OutboxEntry.objects.filter(done_at=None, gave_up_at=None).aggregate(due=Min("due_at"))["due"]
    return min((one for one in (chats, waiting) if one is not None), default=None)


def offers_of(chat: Chat) -> list[int | None]:
    """To whom it was offered, in order; None for nobody."""
    rows = Event.objects.filter(conversation=chat.pk, kind="chat.offered").order_by("seq")
    return [data["agent"] for data in rows.values_list("data", flat=True)]


def nudges_of(chat: Chat) -> list[str]:
    rows = Event.objects.filter(conversation=chat.pk, kind="chat.nudged").order_by("seq")
    return [data["nudge"] for data in rows.values_list("data", flat=True)]


def fresh(chat: Chat) -> Chat:
    return Chat.objects.select_related("conversation__assignee").get(pk=chat.pk)


def all_agents(company: Company) -> tuple[User, User, User]:
    return company.ada, company.grace, company.linus
