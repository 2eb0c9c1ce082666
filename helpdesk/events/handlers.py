"""The table EVENT_HANDLERS, and what a handler says about itself.

A handler is a function `(event, at)`. By default it runs in one transaction with its entry's end, so what it does in
the database happens once. `@outside` marks one that calls the outside: it runs without a transaction, may run twice,
and its entries of one conversation run in order. `@together` marks one that takes a list of events instead of one, for
what comes in floods: one transaction for all of them, and if that fails, one for each.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, wraps

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.events.models import Event

Handler = Callable[[Event, datetime], None]


def together(handler: Callable[[Sequence[Event], datetime], None]) -> Handler:
    @wraps(handler)
    def one(event: Event, at: datetime) -> None:
        handler([event], at)

    one.takes_many = handler  # type: ignore[attr-defined]
    return one


def outside(handler: Handler) -> Handler:
    handler.calls_outside = True  # type: ignore[attr-defined]
    return handler


@cache
def find(dotted: str) -> Handler:
    handler: Handler = import_string(dotted)
    return handler


def calls_outside(dotted: str) -> bool:
    return getattr(find(dotted), "calls_outside", False)


def takes_many(dotted: str) -> Callable[[Sequence[Event], datetime], None] | None:
    """The handler for many events at once, where it is one of those."""
    many: Callable[[Sequence[Event], datetime], None] | None = getattr(find(dotted), "takes_many", None)
    return many


def handlers_of(kind: str) -> list[str]:
    handlers: list[str] = settings.EVENT_HANDLERS.get(kind, [])
    return handlers
