"""What follows from a network's webhook: its happenings go into the ledger."""

from datetime import datetime

from helpdesk.events import hooks
from helpdesk.events.models import Event, Hook
from social import arrivals
from social.models import Account
from social.network import network

PROVIDER = "social."


def take(event: Event, at: datetime) -> None:
    """The handler of `hook.social.<network>`: read the batch, keep each of its happenings once."""
    hook = Hook.objects.get(pk=event.data["hook"])
    name = hook.provider.removeprefix(PROVIDER)
    batch = network(name).read(bytes(hook.body), hook.headers, at=hook.received_at)
    genuine = Account.objects.filter(pk__in=[int(pk) for pk in hook.headers["accounts"].split(",")])
    accounts = {account.external_id: account.pk for account in genuine}
    if len(accounts) == 1:
        accounts[""] = next(iter(accounts.values()))
    if not accounts:
        hooks.quarantine(hook, "the account that this was signed for is gone")
        return
    arrivals.keep(accounts, batch, at=hook.received_at, hook_id=hook.pk)
    hooks.finish(hook)
