"""An update on its way to the subscribers: one row says how far it has come, and each of them gets one notice of it.

Publishing makes the row and no more; the notices are made behind it, in bites, by whoever comes first. They hold no
text: that is written as it is sent, so that a corrected update goes out corrected.
"""

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.module_loading import import_string

from helpdesk.customers.models import Customer
from helpdesk.events.models import Event
from helpdesk.events.nudge import nudge
from helpdesk.prepared import Prepared
from status import concerned
from status.models import Component, Distribution, IncidentComponent, IncidentUpdate, Notice, Subscriber

SEND: Final = "status.tasks.send_notices"
BITE: Final = 5_000
TOGETHER: Final = timedelta(seconds=60)
KEPT: Final = timedelta(days=30)
_SUBSCRIBER: Final = Subscriber._meta.db_table
_NOTICE: Final = Notice._meta.db_table
_CHOSEN: Final = Subscriber.components.through._meta.db_table

# `private` and `has` are pairs: this component is private, and that organization has it. Who was subscribed only after
# it was published reads it on the page.
_PLAN: Final = Prepared(
    "plan_notices",
    f"""
WITH bite AS (
    SELECT subscriber.id, subscriber.kind, subscriber.wants_all, subscriber.only_own, subscriber.confirmed_at,
           customer.organization_id
    FROM {_SUBSCRIBER} AS subscriber LEFT JOIN {Customer._meta.db_table} AS customer
        ON customer.id = subscriber.customer_id
    WHERE subscriber.status = 'active' AND subscriber.id > %(after)s::bigint AND subscriber.id <= %(upto)s::bigint
    ORDER BY subscriber.id LIMIT {BITE}
), private AS (
    SELECT * FROM unnest(%(private)s::bigint[], %(has)s::bigint[]) AS pair(component_id, organization_id)
), made AS (
    INSERT INTO {_NOTICE} (update_id, subscriber_id, kind, status, due_at, attempts, error)
    SELECT %(update)s::bigint, bite.id, bite.kind, 'pending', %(at)s::timestamptz, 0, '' FROM bite
    WHERE bite.confirmed_at <= %(at)s::timestamptz AND bite.kind = ANY(%(kinds)s::text[])
        AND (%(is_public)s::boolean OR bite.organization_id IN (SELECT organization_id FROM private))
        AND (NOT bite.only_own OR bite.organization_id = ANY(%(concerned)s::bigint[]))
        AND (bite.wants_all OR EXISTS (
            SELECT FROM {_CHOSEN} AS chosen WHERE chosen.subscriber_id = bite.id
                AND (chosen.component_id = ANY(%(named)s::bigint[]) OR chosen.component_id IN (
                    SELECT component_id FROM private WHERE private.organization_id = bite.organization_id))))
    ON CONFLICT (update_id, subscriber_id) DO NOTHING RETURNING 1
)
SELECT max(bite.id), (SELECT count(*) FROM made) FROM bite
""",
)
_NONE_WAITS: Final = f"""NOT EXISTS (SELECT FROM {_NOTICE} AS waiting
    WHERE waiting.update_id = distribution.update_id AND waiting.status = 'pending')"""
_ENDING: Final = Prepared(
    "ending_distributions",
    f"""SELECT distribution.update_id FROM {Distribution._meta.db_table} AS distribution
WHERE distribution.ended_at IS NULL AND distribution.planned_at IS NOT NULL AND {_NONE_WAITS}""",
)
# What is over is found first and counted then: joined to its notices before, each of them was looked at for each other.
_END: Final = Prepared(
    "end_distributions",
    f"""
WITH over AS MATERIALIZED (
    SELECT distribution.id, distribution.update_id FROM {Distribution._meta.db_table} AS distribution
    WHERE distribution.ended_at IS NULL AND distribution.planned_at IS NOT NULL AND {_NONE_WAITS}
        AND NOT EXISTS (SELECT FROM {_NOTICE} AS leaves WHERE leaves.update_id = distribution.update_id
            AND leaves.leaving IS NOT NULL)
), counted AS (
    SELECT over.id, count(notice.id) AS planned, count(notice.id) FILTER (WHERE notice.status = 'sent') AS sent,
           count(notice.id) FILTER (WHERE notice.status = 'failed') AS failed
    FROM over LEFT JOIN {_NOTICE} AS notice ON notice.update_id = over.update_id GROUP BY over.id
)
UPDATE {Distribution._meta.db_table} AS going SET ended_at = %s, planned = counted.planned, sent = counted.sent,
    failed = counted.failed
FROM counted
WHERE counted.id = going.id AND going.ended_at IS NULL
""",
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update has come. `per_second` is what it makes on the whole; `seconds_left` by that, None where
    nothing can be said yet.
    """

    planned: int
    sent: int
    failed: int
    is_planned: bool
    started_at: datetime
    ended_at: datetime | None
    per_second: float
    seconds_left: float | None

    @property
    def waiting(self) -> int:
        return max(self.planned - self.sent - self.failed, 0)


def begin(event: Event, at: datetime) -> None:
    """The handler of `incident.published`: from now on the update is on its way, unless it is to be kept quiet."""
    if not event.data["tells"]:
        return
    update_id = event.data["update"]
    if not IncidentUpdate.objects.filter(pk=update_id).exists():
        return  # its incident was thrown away meanwhile
    last = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE).aggregate(last=Max("pk"))["last"] or 0
    # By when it was published, not by when we came to it: who subscribed in between has seen it.
    Distribution.objects.get_or_create(update_id=update_id, defaults={"upto": last, "started_at": event.at})
    transaction.on_commit(partial(nudge, SEND), robust=True)


def plan(at: datetime, seconds: float) -> int:
    """Make the notices of what is on its way, oldest first; how many. Stops after so many seconds."""
    began, made = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        planned = _plan_bite(at)
        if planned is None:
            break
        made += planned
    return made


@transaction.atomic
def _plan_bite(at: datetime) -> int | None:
    waiting = Distribution.objects.select_related("update").filter(planned_at=None, ended_at=None).order_by("pk")
    going = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if going is None:
        return None
    last, made = _PLAN.rows(
        {
            **audience(going.update.incident_id),
            "after": going.reached,
            "upto": going.upto,
            "update": going.update_id,
            "kinds": connected_kinds(),
            "at": going.started_at,
        }
    )[0]
    going.planned += made
    if last is None:
        going.planned_at = at
    else:
        going.reached = last
    going.save(update_fields=["reached", "planned", "planned_at"])
    return int(made)


def audience(incident_id: int) -> dict[str, object]:
    """Whom an incident is for, as `_PLAN` asks: may everybody know, by which components and organizations."""
    affected = Component.objects.filter(
        pk__in=IncidentComponent.objects.filter(incident=incident_id).values("component_id")
    ).select_related("group")
    parts = list(affected)
    private = {one.pk for one in parts if is_private(one)}
    groups = {one.pk: one.group_id for one in parts if one.group_id is not None}
    owners = concerned.organizations_of([one.pk for one in parts])
    pairs = [(pk, organization) for pk in sorted(private) for organization in sorted(owners.get(pk, ()))]
    # Who chose a group, chose what is in it.
    pairs += [(groups[pk], organization) for pk, organization in pairs if pk in groups]
    public = {one.pk for one in parts} - private
    return {
        "is_public": bool(public) or not parts,
        "named": sorted(public | {groups[pk] for pk in public if pk in groups}),
        "private": [pk for pk, _organization in pairs],
        "has": [organization for _pk, organization in pairs],
        "concerned": sorted(set().union(*owners.values())),
    }


def is_private(component: Component) -> bool:
    """Whether it, or the group it lies in, is shown to its customers alone."""
    return component.is_private or (component.group is not None and component.group.is_private)


def connected_kinds() -> list[str]:
    """The kinds of subscribers that can be reached: chats only where their token is set."""
    found = [Subscriber.Kind.EMAIL, Subscriber.Kind.WEBHOOK]
    found += [Subscriber.Kind.SLACK] if settings.SLACK_BOT_TOKEN else []
    found += [Subscriber.Kind.TELEGRAM] if settings.TELEGRAM_BOT_TOKEN else []
    return [kind.value for kind in found]


def announced_on() -> dict[str, bool]:
    """The networks that updates can be announced on, and whether each is connected (ANNOUNCERS)."""
    return {name: bool(dotted and import_string(dotted)(name)) for name, dotted in settings.ANNOUNCERS.items()}


def ending() -> list[int]:
    """The updates of which no notice waits any more."""
    return [row[0] for row in _ENDING.rows()]


def end(at: datetime) -> int:
    """Close what everybody has been told of, with its final figures; how many those were. What a dead worker has left
    in the middle (`notices.find_unsure`) keeps it open until that is known.
    """
    return _END.run([at])


def is_going_on() -> bool:
    return Distribution.objects.filter(ended_at=None).exists()


def progress(update_ids: Collection[int], *, at: datetime) -> dict[int, Progress]:
    """How far these updates have come, by their ids; what nobody is told of is left out."""
    found = Distribution.objects.filter(update__in=update_ids)
    return {going.update_id: _progress(going, at) for going in found}


def _progress(going: Distribution, at: datetime) -> Progress:
    done = going.sent + going.failed
    took = max(((going.ended_at or at) - going.started_at).total_seconds(), 0.0)
    rate = done / took if took else 0.0
    left = max(going.planned - done, 0) / rate if rate and going.ended_at is None else None
    return Progress(
        planned=going.planned,
        sent=going.sent,
        failed=going.failed,
        is_planned=going.planned_at is not None,
        started_at=going.started_at,
        ended_at=going.ended_at,
        per_second=rate,
        seconds_left=0.0 if going.ended_at is not None else left,
    )


def failures(update_id: int, most: int = 50) -> list[Notice]:
    """Who was not reached, or perhaps not, and why."""
    lost = Notice.objects.filter(update=update_id).exclude(status=Notice.Status.PENDING).exclude(error="")
    return list(lost.select_related("subscriber").order_by("pk")[:most])


def forget(before: datetime, limit: int = 50_000) -> int:
    """Drop notices of what ended before that, at most `limit` at once; the figures stay with the distribution."""
    ended = Distribution.objects.filter(ended_at__lt=before).values("update_id")
    old = Notice.objects.filter(update__in=ended).exclude(status=Notice.Status.PENDING)
    deleted, _by_model = Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return deleted


def together() -> dict[int, list[int]]:
    """Of what is on its way, the updates of one incident that were published within a minute of each other, by each of
    their ids: who has heard of none of them yet hears of all in one message.
    """
    going = IncidentUpdate.objects.filter(distribution__isnull=False, distribution__ended_at=None)
    by_incident: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    rows = going.order_by("pk").values_list("pk", "incident_id", "distribution__started_at")
    for pk, incident_id, started_at in rows:
        by_incident[incident_id].append((pk, started_at))
    found = {}
    for siblings in by_incident.values():
        for pk, when in siblings:
            near = [other for other, then in siblings if other != pk and abs(then - when) <= TOGETHER]
            if near:
                found[pk] = near
    return found
