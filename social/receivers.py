"""What follows from a network's webhook: its happenings go into the ledger."""

import logging
from collections.abc import Sequence
from datetime import datetime

from helpdesk.events import hooks
from helpdesk.events.handlers import together
from helpdesk.events.models import Event, Hook
from social import arrivals
from social.arrivals import Received
from social.models import Account
from social.network import network

logger = logging.getLogger(__name__)

PROVIDER = "social."
MOST_NAMED = 10


@together
def take(events: Sequence[Event], at: datetime) -> None:
    """The handler of `hook.social.<network>`: read the batches, keep each of their happenings once."""
    found = Hook.objects.in_bulk([event.data["hook"] for event in events])
    came = [found[event.data["hook"]] for event in events]
    known = Account.objects.in_bulk({pk for hook in came for pk in _signed_for(hook)})
    received, taken = [], []
    for hook in came:
        accounts = {known[pk].external_id: pk for pk in _signed_for(hook) if pk in known}
        if not accounts:
            hooks.quarantine(hook, "the account that this was signed for is gone")
            continue
        if len(accounts) == 1:
            accounts[""] = next(iter(accounts.values()))
        batch = network(hook.provider.removeprefix(PROVIDER)).read(bytes(hook.body), hook.headers, at=hook.received_at)
        if batch.ignored:
            logger.info("hook %s has nothing to do in it: %s", hook.pk, ", ".join(batch.ignored[:MOST_NAMED]))
        received.append(Received(accounts, batch, hook.received_at, hook.pk))
        taken.append(hook)
    arrivals.keep_all(received)
    hooks.finish(*taken)


def _signed_for(hook: Hook) -> list[int]:
    return [int(pk) for pk in hook.headers["accounts"].split(",")]
