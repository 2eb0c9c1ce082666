"""Reading the networks: what a webhook would tell us, asked for. The cursor moves in the commit that keeps the news."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.events.outcomes import Ambiguous, DeliveryError, RetryLater
from helpdesk.oncall import telegram_updates
from social import accounts, arrivals, looking
from social.leases import Lease
from social.looking import Looked
from social.models import Account
from social.network import Polled, network

logger = logging.getLogger(__name__)

LEASE: Final = Lease((10, 30, 60, 300, 900), due="poll_at", attempts="poll_attempts", lasts=timedelta(seconds=90))
_READS: Final = (Account.State.CONNECTED, Account.State.DEGRADED)


def poll_due(*, at: datetime, most: int = 20) -> int:
    """Read every account that is due; how many. Each is leased by one reader, so two never read the same."""
    return LEASE.each(Account.objects.filter(is_active=True), _poll, at=at, most=most)


def _poll(account: Account, at: datetime) -> None:
    """Read one account; trouble is written down on it and waited for."""
    if account.state not in _READS:
        longest = timedelta(seconds=LEASE.backoff[-1])
        Account.objects.filter(pk=account.pk).update(poll_at=at + longest, poll_attempts=0)
        return
    try:
        connection = accounts.fresh(account, at=at)
        polled = network(account.network).poll(connection, account.cursor, at=at)
        looked = looking.again(account, connection, at=at)
    except DeliveryError as error:
        _wait(account, error, at)
    except Exception as error:
        logger.exception("account %s could not be read", account.pk)
        _wait(account, RetryLater(f"{error.__class__.__name__}: {error}"), at)
    else:
        _keep(account, polled, looked, at)


@transaction.atomic
def _keep(account: Account, polled: Polled, looked: Looked, at: datetime) -> None:
    ours = {"": account.pk, account.external_id: account.pk}
    arrivals.keep(ours, polled.batch, at=at)
    arrivals.keep(ours, looked.batch, at=at)
    for update in polled.others:
        telegram_updates.keep(update, at=at)
    Account.objects.filter(pk=account.pk).update(
        cursor={**polled.cursor, "looked": looked.kept} if looked.kept else polled.cursor,
        poll_at=at + timedelta(seconds=polled.again_in),
        poll_attempts=0,
    )
    accounts.worked(account, at=at)


def _wait(account: Account, error: DeliveryError, at: datetime) -> None:
    wait = LEASE.wait(account.poll_attempts, error.after if isinstance(error, RetryLater) else None)
    Account.objects.filter(pk=account.pk).update(poll_at=at + wait)
    # One question that was lost is nothing; the second one in a row is.
    if account.poll_attempts > 1 or not isinstance(error, RetryLater | Ambiguous):
        accounts.failed(account, error, at=at)
