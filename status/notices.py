"""Notices on their way: claimed by whoever comes first, held by a lease, and seen to an end.

Every notice is for one subscriber and one update, once (the table's own constraint). What was claimed and not ended by
the time its lease runs out is anybody's again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from helpdesk.customers.models import Customer
from helpdesk.events.nudge import nudge
from helpdesk.prepared import Prepared
from status import concerned, distributing, pages
from status.models import Distribution, IncidentComponent, IncidentUpdate, Notice, Subscriber
from status.notice_letters import Part, Told

LEASE: Final = timedelta(seconds=120)
MAY_BE_LOST: Final = "It may not have arrived: the worker that sent it was stopped as it left."
BACKOFF_SECONDS: Final = (60, 300, 1800, 7200, 18_000, 43_200)
_NOTICE: Final = Notice._meta.db_table
_TAKE: Final = f"""
UPDATE {_NOTICE} SET due_at = %(lease)s::timestamptz, attempts = attempts + 1
WHERE id = ANY(ARRAY(SELECT id FROM {_NOTICE} WHERE {{which}} AND status = 'pending' AND due_at <= %(at)s::timestamptz
                     {{order}} FOR UPDATE SKIP LOCKED))
RETURNING id, update_id, subscriber_id, attempts
"""
_READ: Final = f"""
SELECT taken.id, taken.update_id, taken.attempts, subscriber.id AS subscriber_id, subscriber.key, subscriber.kind,
       subscriber.address, subscriber.language, subscriber.secret, subscriber.status, customer.organization_id
FROM taken JOIN {Subscriber._meta.db_table} AS subscriber ON subscriber.id = taken.subscriber_id
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = subscriber.customer_id ORDER BY taken.id
"""
_CLAIM: Final = Prepared(
    "claim_notices",
    f"WITH taken AS ({_TAKE.format(which='kind = %(kind)s', order='ORDER BY due_at, id LIMIT %(most)s')}) {_READ}",
)
_CLAIM_BESIDE: Final = Prepared(
    "claim_notices_beside",
    f"""WITH taken AS ({
        _TAKE.format(
            which="update_id = ANY(%(updates)s::bigint[]) AND subscriber_id = ANY(%(subscribers)s::bigint[])", order=""
        )
    }) {_READ}""",
)
# Whether the lease is still ours is asked in the same breath. The commit does not wait for the disk: a worker may die
# at any moment without undoing it, and only a fall of the whole database server within its last half second could.
_HAND_OVER: Final = Prepared(
    "hand_over_notices",
    f"""
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS is_off)
UPDATE {_NOTICE} SET status = 'sent', sent_at = %(at)s::timestamptz, due_at = NULL, error = '',
    leaving = CASE WHEN %(has_left)s::boolean THEN NULL ELSE %(lease)s::timestamptz END
WHERE id = ANY(%(ids)s::bigint[]) AND status = 'pending' AND due_at = %(lease)s::timestamptz
    AND (SELECT is_off FROM quick) IS NOT NULL
""",
)
# Of each bite that was never ended its worker died. What it had written down before the last one has left, since it
# went on to the next; whether the last one did, nobody knows.
_ARRIVED: Final = Prepared(
    "notices_arrived",
    f"UPDATE {_NOTICE} SET leaving = NULL WHERE id = ANY(%s::bigint[]) AND leaving IS NOT NULL",
)
_UNSURE: Final = Prepared(
    "notices_unsure",
    f"""
WITH stopped AS (
    SELECT id, row_number() OVER (PARTITION BY leaving ORDER BY sent_at DESC, id DESC) AS place FROM {_NOTICE}
    WHERE update_id = %(update)s::bigint AND status = 'sent' AND leaving < %(at)s::timestamptz
)
UPDATE {_NOTICE} AS notice SET leaving = NULL,
    error = CASE WHEN stopped.place = 1 THEN %(error)s ELSE notice.error END
FROM stopped WHERE stopped.id = notice.id
""",
)
_BACK: Final = Prepared(
    "take_notices_back",
    f"""
UPDATE {_NOTICE} SET status = %(status)s, sent_at = NULL, leaving = NULL,
    due_at = %(due_at)s::timestamptz, error = %(error)s
WHERE id = ANY(%(ids)s::bigint[]) AND (status = 'sent' OR due_at = %(lease)s::timestamptz)
""",
)
_RELEASE: Final = Prepared(
    "release_notices",
    f"""
UPDATE {_NOTICE} SET due_at = %(due_at)s::timestamptz, attempts = greatest(attempts - 1, 0), error = %(error)s
WHERE id = ANY(%(ids)s::bigint[]) AND status = 'pending' AND due_at = %(lease)s::timestamptz
""",
)


class Superseded(RuntimeError):
    """Our lease ran out and somebody else has taken the notice over: it is theirs to send."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one subscriber is to be told now: notices of updates (all of one incident), claimed until `lease`."""

    ids: tuple[int, ...]
    update_ids: tuple[int, ...]
    attempts: int
    lease: datetime
    subscriber_id: int
    key: UUID
    kind: str
    address: str
    language: str
    secret: str
    status: str
    organization_id: int | None


def claim(kind: str, most: int, *, at: datetime, now: datetime) -> list[Due]:
    """Take what is due at `at`, until a while after `now`. Of updates that came within a minute a subscriber who has
    heard of none yet gets both at once.
    """
    lease = now + LEASE
    rows = _CLAIM.mappings({"kind": kind, "most": most, "at": at, "lease": lease})
    near = distributing.together() if rows else {}
    others = {other for row in rows for other in near.get(row["update_id"], ())}
    if others:
        subscribers = [row["subscriber_id"] for row in rows if row["update_id"] in near]
        given = {"updates": sorted(others), "subscribers": subscribers, "at": at, "lease": lease}
        rows += _CLAIM_BESIDE.mappings(given)
    grouped: dict[tuple[int, int], list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        family = min((row["update_id"], *near.get(row["update_id"], ())))
        grouped[row["subscriber_id"], family].append(row)
    return [_due(one, lease) for one in grouped.values()]


def _due(rows: Sequence[Mapping[str, object]], lease: datetime) -> Due:
    same = {k: v for k, v in rows[0].items() if k not in ("id", "update_id", "attempts")}
    ordered = sorted(rows, key=lambda row: int(str(row["update_id"])))
    return Due(
        ids=tuple(int(str(row["id"])) for row in ordered),
        update_ids=tuple(int(str(row["update_id"])) for row in ordered),
        attempts=max(int(str(row["attempts"])) for row in rows),
        lease=lease,
        **same,  # type: ignore[arg-type]  # the columns of _READ, by their names
    )


def hand_over(due: Due, *, at: datetime, has_left: bool = False) -> None:
    """Written down as sent at the last moment before it leaves: whoever dies after this leaves nothing to be repeated.
    Unless it `has_left` already, `arrived` is to be called after its bite. Raises Superseded.
    """
    given = {"ids": list(due.ids), "at": at, "lease": due.lease, "has_left": has_left}
    if _HAND_OVER.run(given) != len(due.ids):
        raise Superseded(f"notices {due.ids} are somebody else's by now")


def retry(due: Due, error: str, *, after: timedelta | None, at: datetime) -> bool:
    """It surely did not leave: again later, False where that was often enough and it has failed."""
    if due.attempts > len(BACKOFF_SECONDS):
        fail(due, error)
        return False
    wait = timedelta(seconds=BACKOFF_SECONDS[due.attempts - 1])
    _back(due, Notice.Status.PENDING, error, at + max(wait, after or wait))
    return True


def fail(due: Due, error: str) -> None:
    _back(due, Notice.Status.FAILED, error, None)


def _back(due: Due, status: str, error: str, due_at: datetime | None) -> None:
    given = {"ids": list(due.ids), "status": status, "due_at": due_at, "error": error[:300], "lease": due.lease}
    _BACK.run(given)


def release(dues: Collection[Due], error: str = "", *, until: datetime) -> None:
    """Give back what was not tried; the attempt does not count."""
    for due in dues:
        _RELEASE.run({"ids": list(due.ids), "due_at": until, "error": error[:300], "lease": due.lease})


def arrived(ids: Collection[int]) -> None:
    """A bite has ended well: the server has taken every one of these that was handed over."""
    _ARRIVED.run([list(ids)])


def find_unsure(update_id: int, *, at: datetime) -> None:
    """Say of which ones a worker died while they left; the next reader of the list may send them again."""
    _UNSURE.run({"update": update_id, "at": at, "error": MAY_BE_LOST})


@transaction.atomic
def send_again(update_id: int, notice_id: int, *, at: datetime) -> bool:
    """An agent wants it tried once more: what failed, or may have been lost. False where there is no such notice, or
    they do not want to be told any more.
    """
    lost = Notice.objects.filter(pk=notice_id, update=update_id, subscriber__status=Subscriber.Status.ACTIVE)
    lost = lost.filter(Q(status=Notice.Status.FAILED) | Q(status=Notice.Status.SENT, error__gt=""))
    found = lost.select_for_update(of=("self",)).first()
    if found is None:
        return False
    was_sent = found.status == Notice.Status.SENT
    found.status, found.due_at, found.sent_at, found.attempts = Notice.Status.PENDING, at, None, 0
    found.error, found.leaving = "", None
    found.save(update_fields=["status", "due_at", "sent_at", "attempts", "error", "leaving"])
    gone = {"sent": F("sent") - 1} if was_sent else {"failed": F("failed") - 1}
    Distribution.objects.filter(update=update_id).update(ended_at=None, **gone)
    transaction.on_commit(partial(nudge, distributing.SEND), robust=True)
    return True


def drop(due: Due) -> None:
    """They do not want to be told any more."""
    Notice.objects.filter(pk__in=due.ids, status=Notice.Status.PENDING).delete()


def count(ended: Mapping[int, tuple[int, int]]) -> None:
    """Add to what has been sent and has failed of each update, for who watches; the end counts exactly."""
    for update_id in sorted(ended):
        sent, failed = ended[update_id]
        Distribution.objects.filter(update=update_id).update(sent=F("sent") + sent, failed=F("failed") + failed)


def told(dues: Collection[Due]) -> dict[tuple[tuple[int, ...], int | None], Told]:
    """What is told of by these, by updates and organization: read once, as it is now."""
    wanted = {pk for due in dues for pk in due.update_ids}
    updates = IncidentUpdate.objects.select_related("incident").in_bulk(wanted)
    incidents = {update.incident_id for update in updates.values()}
    parts = list(
        IncidentComponent.objects.filter(incident__in=incidents)
        .select_related("component__group")
        .order_by("component__position", "component__name")
    )
    private = {part.component_id for part in parts if distributing.is_private(part.component)}
    owners = concerned.organizations_of(private)
    zone = pages.zone()
    found = {}
    # Of an incident that was thrown away meanwhile nothing is told.
    for key in {(due.update_ids, due.organization_id) for due in dues}:
        ids, organization = key
        if any(pk not in updates for pk in ids):
            continue
        incident = updates[ids[-1]].incident
        shown = [
            Part(part.component.public_id, part.component.name, part.state)
            for part in parts
            if part.incident_id == incident.pk
            and (part.component_id not in private or organization in owners.get(part.component_id, ()))
        ]
        found[key] = Told(incident, [updates[pk] for pk in ids], shown, zone)
    return found
