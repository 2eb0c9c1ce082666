"""From the social ledger to conversations: the oldest arrival of each person, in one transaction each.

An arrival is claimed by its lease, and the person's later ones wait for it: so what somebody said stays in order,
however many workers file. What keeps failing is quarantined, visible, and no longer in the way of the others.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.customers.lookup import columns, take
from helpdesk.events.nudge import gathered
from helpdesk.prepared import Prepared
from social import following, saying
from social.happenings import Happening, NotAHappening, Reachable, Removed, Reported, Revoked, Said, from_json
from social.models import Account, Arrival
from social.outcome import Filed

logger = logging.getLogger(__name__)

BATCH: Final = 50
LEASE: Final = timedelta(seconds=120)
MAX_ATTEMPTS: Final = 5
IN_A_MOMENT: Final = timedelta(seconds=3)
BACKOFF_SECONDS: Final = (2, 10, 60, 300)

_TABLE = Arrival._meta.db_table
# Read once and kept by hand: while the statistics are from before a flood, the planner would read all that waits anew
# for each row of it.
_CLAIM = Prepared(
    "claim_arrivals",
    f"""
WITH first_of_each AS MATERIALIZED (
    SELECT DISTINCT ON (account_id, subject) id, due_at FROM {_TABLE} WHERE state = 'accepted'
    ORDER BY account_id, subject, happened_at, id
)
UPDATE {_TABLE} AS arrival SET due_at = %(lease)s, attempts = arrival.attempts + 1
WHERE id = ANY(ARRAY(
    SELECT id FROM {_TABLE}
    WHERE id = ANY(ARRAY(SELECT id FROM first_of_each WHERE due_at <= %(at)s))
      AND state = 'accepted' AND due_at <= %(at)s
    ORDER BY happened_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING {columns(Arrival, "arrival")}
""",
)

_SETTLE = Prepared(
    "settle_arrival",
    f"""
UPDATE {_TABLE} SET state = %s, error = %s, message_id = %s, due_at = NULL
WHERE id = %s AND state = '{Arrival.State.ACCEPTED}'
""",
)


def file_arrivals(at: datetime, limit: int = 2000) -> int:
    """File what is due at `at`; how many were tried."""
    filed = 0
    accounts: dict[int, Account] = {}
    with gathered():
        while filed < limit:
            claimed = _claim(at)
            for arrival in claimed:
                _file(arrival, accounts, at)
            filed += len(claimed)
            if not claimed:
                break
    return filed


def _claim(at: datetime) -> list[Arrival]:
    rows = _CLAIM.rows({"at": at, "lease": at + LEASE, "limit": BATCH})
    return sorted((take(Arrival, row)[0] for row in rows), key=lambda arrival: (arrival.happened_at, arrival.pk))


def _file(arrival: Arrival, accounts: dict[int, Account], at: datetime) -> None:
    if arrival.attempts > MAX_ATTEMPTS:
        _settle(arrival, Filed(Arrival.State.QUARANTINED, arrival.error or "the worker died on it each time"))
        return
    if arrival.account_id not in accounts:
        accounts[arrival.account_id] = Account.objects.get(pk=arrival.account_id)
    try:
        happening = from_json(arrival.body)
        with transaction.atomic():
            _settle(arrival, file_one(accounts[arrival.account_id], happening, arrival, at=at))
    except NotAHappening as error:
        _settle(arrival, Filed(Arrival.State.QUARANTINED, str(error)))
    except saying.StillSending:
        mine = Arrival.objects.filter(pk=arrival.pk, state=Arrival.State.ACCEPTED)
        mine.update(due_at=at + IN_A_MOMENT, attempts=arrival.attempts - 1)
    except Exception as error:
        logger.exception("arrival %s could not be filed", arrival.pk)
        wait = timedelta(seconds=BACKOFF_SECONDS[min(arrival.attempts, len(BACKOFF_SECONDS)) - 1])
        Arrival.objects.filter(pk=arrival.pk, state=Arrival.State.ACCEPTED).update(
            due_at=at + wait, error=f"{error.__class__.__name__}: {error}"[:2000].replace("\x00", "")
        )


def file_one(account: Account, happening: Happening, arrival: Arrival, *, at: datetime) -> Filed:
    """Do what follows from a happening, within the caller's transaction; what became of it."""
    match happening:
        case Said():
            return saying.file(account, happening, arrival, at=at)
        case Removed():
            return following.remove(account, happening, at=at)
        case Reported():
            return following.report(account, happening, at=at)
        case Reachable():
            return following.reach(account, happening, at=at)
        case Revoked():
            return following.revoke(account, happening, at=at)
        case _:
            return following.edit(account, happening, at=at)


def _settle(arrival: Arrival, filed: Filed) -> None:
    """Only what still waits is settled: a second worker that had claimed it after our lease must not file it twice."""
    if not _SETTLE.run([filed.state, filed.why[:2000], filed.message_id, arrival.pk]):
        raise RuntimeError("another worker has filed it meanwhile")
