"""Into the social ledger: what a webhook or a reading held, each happening once, before anything is done with it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from django.db import connection, transaction

from helpdesk.events.nudge import nudge
from social import spending
from social.happenings import Batch, Happening, Unread, to_json
from social.models import Account, Arrival
from social.network import network

_KEEP: Final = f"""
INSERT INTO {Arrival._meta.db_table} (account_id, key, subject, happened_at, received_at, body, about, hook_id, state,
    error, attempts, due_at)
SELECT account, key, subject, happened, received, body, about, hook, '{Arrival.State.ACCEPTED}', '', 0, received
FROM unnest(%(accounts)s::bigint[], %(keys)s::text[], %(subjects)s::text[], %(happened)s::timestamptz[],
    %(bodies)s::jsonb[], %(abouts)s::text[], %(received)s::timestamptz[], %(hooks)s::bigint[])
    AS a(account, key, subject, happened, body, about, received, hook)
ON CONFLICT (account_id, key) DO NOTHING RETURNING account_id, body->>'happening', body->>'is_public'
"""
TASK: Final = "social.tasks.file_arrivals"
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)


_Row = tuple[int, str, str, datetime, str, str, datetime, int | None]


@dataclass(frozen=True, slots=True)
class Received:
    """A batch as it came. `accounts` are ids by the accounts' ids on the network, under "" the one that is meant where
    the network names none; what belongs to no account of ours is not kept.
    """

    accounts: Mapping[str, int]
    batch: Batch
    at: datetime
    hook_id: int | None = None

    def account_of(self, external_id: str) -> int | None:
        return self.accounts.get(external_id, self.accounts.get("") if not external_id else None)


def keep(accounts: Mapping[str, int], batch: Batch, *, at: datetime) -> int:
    """Keep what a reading brought; how many happenings were new."""
    return keep_all([Received(accounts, batch, at)])


@transaction.atomic
def keep_all(received: Sequence[Received]) -> int:
    """Keep the happenings of these batches; how many were new."""
    rows = [row for one in received for row in _rows(one)]
    kept = _insert(rows)
    for one in received:
        if one.batch.unread and one.accounts:
            _quarantine(next(iter(one.accounts.values())), one.batch.unread, one.hook_id, one.at)
    if kept:
        latest = max(one.at for one in received)
        _count_costs(kept, latest)
        Account.objects.filter(pk__in={row[0] for row in rows}).update(last_event_at=latest)
        nudge(TASK)
    return len(kept)


def _rows(one: Received) -> list[_Row]:
    rows = []
    for external_id, happening in one.batch.happenings:
        account_id = one.account_of(external_id)
        if account_id is not None:
            rows.append((*_row(account_id, happening, one.at), one.at, one.hook_id))
    return rows


def _row(account_id: int, happening: Happening, at: datetime) -> tuple[int, str, str, datetime, str, str]:
    key, subject, about = holdable(happening.key), holdable(happening.subject), holdable(happening.about)
    # A provider whose clock runs ahead must not hold back what comes after it; one that is broken has no year at all.
    happened_at = max(min(happening.at, at), EARLIEST)
    body = json.dumps(_all_holdable(to_json(replace(happening, at=max(happening.at, EARLIEST)))))
    return account_id, key[:250], subject[:200], happened_at, body, about[:250]


def holdable(text: str) -> str:
    """A text as a database can hold it: without NUL, and without halves of characters (lone surrogates)."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _all_holdable(value: Any) -> Any:
    """What `to_json` wrote, which is never deep."""
    if isinstance(value, str):
        return holdable(value)
    if isinstance(value, dict):
        return {name: _all_holdable(one) for name, one in value.items()}
    return [_all_holdable(one) for one in value] if isinstance(value, list | tuple) else value


def _insert(rows: Sequence[_Row]) -> list[tuple[int, str, str]]:
    """What was not there yet: account, what it is, and whether it was said in public."""
    if not rows:
        return []
    names = ("accounts", "keys", "subjects", "happened", "bodies", "abouts", "received", "hooks")
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, columns)
        return [(int(account), what, public) for account, what, public in cursor.fetchall()]


def _count_costs(kept: Sequence[tuple[int, str, str]], at: datetime) -> None:
    """Some networks are paid for each thing read."""
    read = Counter((account, public) for account, what, public in kept if what == "said")
    if not read:
        return
    accounts = Account.objects.in_bulk({account for account, _public in read})
    for (account_id, public), units in read.items():
        cost = network(accounts[account_id].network).costs("read_public" if public == "true" else "read_direct")
        if cost is not None:
            spending.note(accounts[account_id], replace(cost, units=units), at=at)


@transaction.atomic
def replay(pk: int, *, at: datetime) -> bool:
    """File a quarantined arrival again; False where it is none, or holds only what nobody could read."""
    quarantined = Arrival.objects.filter(pk=pk, state=Arrival.State.QUARANTINED).exclude(body__has_key="raw")
    again = quarantined.update(state=Arrival.State.ACCEPTED, due_at=at, attempts=0, error="")
    if again:
        nudge(TASK)
    return bool(again)


def _quarantine(account_id: int, unread: Sequence[Unread], hook_id: int | None, at: datetime) -> None:
    """What could not be read of a batch, each by itself, so that the rest is filed and nothing is lost. What a reading
    finds again and again is kept once."""
    Arrival.objects.bulk_create(
        [
            Arrival(
                account_id=account_id,
                key=f"unread:{hook_id}:{number}" if hook_id else f"unread:{_digest(item)}",
                subject="",
                happened_at=at,
                received_at=at,
                body={"raw": holdable(item.raw[:100_000])},
                hook_id=hook_id,
                state=Arrival.State.QUARANTINED,
                error=holdable(item.error)[:2000],
            )
            for number, item in enumerate(unread)
        ],
        ignore_conflicts=True,
    )


def _digest(item: Unread) -> str:
    return sha256(item.raw.encode("utf-8", "surrogatepass")).hexdigest()
