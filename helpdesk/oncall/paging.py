"""A page from its first reason to its end: trigger, escalate, acknowledge, resolve.

Whoever changes a page locks its row first and a conversation's after it, several in the order of their keys, so nothing
here can deadlock. Locks are NO KEY, because a delivery being recorded refers to its page.
"""

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record, record_all
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.oncall import calls
from helpdesk.oncall.models import EscalationPolicy, Page, PageDelivery, Urgency

logger = logging.getLogger(__name__)

ACKNOWLEDGEMENT_LASTS = timedelta(minutes=30)
MAX_REASONS = 50
LATE_AFTER = timedelta(seconds=60)
BATCH = 50
TRIES = 3
# A page whose next step cannot be worked out must not hold up the others; it is tried again after this.
STUMBLED = timedelta(seconds=60)
# bulk_update builds a CASE for every value, which cost more than all the rest of a page.
_SAVE = f"""
UPDATE {Page._meta.db_table} AS page SET urgency = new.urgency, state = new.state, step = new.step, round = new.round,
    summary = new.summary, reasons = new.reasons::jsonb, next_step_at = new.next_step_at
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::text[], %s::timestamptz[])
    AS new(id, urgency, state, step, round, summary, reasons, next_step_at)
WHERE page.id = new.id
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is called. `since` is when the promise broke or the request came in.

    While its page is of low urgency, nobody is told before `not_before`: when the office opens again. `told_in` names
    the shared channels that are told of it in another way: the page's first call leaves them out.
    """

    kind: str
    text: str
    since: datetime
    not_before: datetime | None = None
    told_in: tuple[str, ...] = ()

    def as_dict(self, at: datetime) -> dict[str, Any]:
        late = at - self.since
        held: dict[str, Any] = {} if self.not_before is None else {"not_before": self.not_before.isoformat()}
        if self.told_in:
            held["told_in"] = list(self.told_in)
        return {
            **held,
            "kind": self.kind,
            "text": self.text,
            "since": self.since.isoformat(),
            "at": at.isoformat(),
            "late_seconds": int(late.total_seconds()) if late > LATE_AFTER else 0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One reason for one page. Without a `policy` the default one says who is called."""

    dedup_key: str
    reason: Reason
    urgency: str
    summary: str
    conversation_id: int | None = None
    policy: EscalationPolicy | None = None


class PageKeepsChanging(RuntimeError):
    """A page was resolved under our hands again and again; the caller tries later."""


def conversation_key(conversation_id: int) -> str:
    """One open page a conversation."""
    return f"helpdesk:conversation:{conversation_id}"


def trigger(
    dedup_key: str,
    reason: Reason,
    *,
    urgency: str,
    summary: str,
    at: datetime,
    conversation_id: int | None = None,
    policy: EscalationPolicy | None = None,
) -> Page:
    """`trigger_all` for one alarm."""
    alarm = Alarm(
        dedup_key=dedup_key,
        reason=reason,
        urgency=urgency,
        summary=summary,
        conversation_id=conversation_id,
        policy=policy,
    )
    return trigger_all([alarm], at=at)[dedup_key]


@transaction.atomic
def trigger_all(alarms: Sequence[Alarm], *, at: datetime) -> dict[str, Page]:
    """Open a page a key, or add the reasons to the open one; the pages by key. The same reason twice changes nothing.

    An open page calls again only when the new reason is more severe than what it was acknowledged or sent for.
    """
    if not alarms:
        return {}
    pages = _locked_pages(alarms, at)
    changed: dict[int, Page] = {}
    wanted: dict[int, calls.Call] = {}
    facts = []
    for alarm in alarms:
        page = pages[alarm.dedup_key]
        if _knows(page, alarm.reason):
            continue
        changed[page.pk] = page
        rings = _add_reason(page, alarm, at)
        if rings:
            earlier = wanted.get(page.pk)
            since = min(earlier.promised_at, alarm.reason.since) if earlier else alarm.reason.since
            wanted[page.pk] = calls.Call(page, since)
        facts.append(_triggered(page, alarm, rings))
    calls.call_steps(list(wanted.values()), at=at)
    _save_all(changed.values())
    _record_in_order(facts, at)
    return pages


def _locked_pages(alarms: Sequence[Alarm], at: datetime) -> dict[str, Page]:
    """The open pages of all keys, locked, made where there is none yet. A new one has no reasons."""
    by_key = {alarm.dedup_key: alarm for alarm in reversed(alarms)}
    snapshots: dict[int | None, dict[str, Any]] = {}
    for _ in range(TRIES):
        there = set(_open().filter(dedup_key__in=by_key).values_list("dedup_key", flat=True))
        missing = sorted(by_key.keys() - there)
        Page.objects.bulk_create([_new_page(by_key[key], snapshots, at) for key in missing], ignore_conflicts=True)
        locked = _open().filter(dedup_key__in=by_key).order_by("dedup_key").select_for_update(no_key=True)
        pages = {page.dedup_key: page for page in locked}
        if pages.keys() == by_key.keys():
            return pages
    raise PageKeepsChanging(f"pages of {len(by_key)} keys, {len(by_key) - len(pages)} of them resolved meanwhile")


def _open() -> QuerySet[Page]:
    return Page.objects.filter(~Q(state=Page.State.RESOLVED))


def _new_page(alarm: Alarm, snapshots: dict[int | None, dict[str, Any]], at: datetime) -> Page:
    policy_id = alarm.policy.pk if alarm.policy else None
    if policy_id not in snapshots:
        snapshots[policy_id] = snapshot(alarm.policy)
    return Page(
        dedup_key=alarm.dedup_key,
        conversation_id=alarm.conversation_id,
        urgency=alarm.urgency,
        summary=alarm.summary[:300],
        policy=snapshots[policy_id],
        triggered_at=at,
    )


def _knows(page: Page, reason: Reason) -> bool:
    return any(r["kind"] == reason.kind and r["since"] == reason.since.isoformat() for r in page.reasons)


def _add_reason(page: Page, alarm: Alarm, at: datetime) -> bool:
    """Whether it makes the page ring."""
    first = not page.reasons
    worse = alarm.urgency == Urgency.HIGH and page.urgency == Urgency.LOW
    page.reasons = [*page.reasons, alarm.reason.as_dict(at)][-MAX_REASONS:]
    if first or worse:
        page.urgency, page.state, page.step = alarm.urgency, Page.State.TRIGGERED, 0
        page.summary = alarm.summary[:300]
        page.round += 0 if first else 1
    return first or worse


def _save_all(pages: Collection[Page]) -> None:
    """What a trigger or an escalation changes, of many pages in one statement. Their rows are locked."""
    rows = [
        (p.pk, p.urgency, p.state, p.step, p.round, p.summary, json.dumps(p.reasons), p.next_step_at) for p in pages
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [list(column) for column in zip(*rows, strict=True)])


def _triggered(page: Page, alarm: Alarm, rings: bool) -> Fact:
    data = {"page": page.pk, "reason": alarm.reason.kind, "urgency": page.urgency}
    return Fact("page.triggered" if rings else "page.extended", conversation_id=page.conversation_id, data=data)


def _record_in_order(facts: Iterable[Fact], at: datetime) -> None:
    """Writing an event locks its conversation's row: always in the same order."""
    record_all(sorted(facts, key=lambda fact: fact.conversation_id or 0), at=at)


def snapshot(policy: EscalationPolicy | None) -> dict[str, Any]:
    """The steps as they stand, so that a later edit does not redirect a page under way."""
    policy = policy or EscalationPolicy.objects.filter(is_default=True).first()
    steps = list(policy.steps.values("schedule_id", "user_id", "delay_seconds")) if policy else []
    return {
        "name": policy.name if policy else "",
        "repeats": policy.repeats if policy else None,
        "steps": [
            {"schedule": s["schedule_id"], "user": s["user_id"], "delay_seconds": s["delay_seconds"]} for s in steps
        ],
    }


def escalate(at: datetime, limit: int = 500) -> int:
    """Every page whose next step is due: call the next person, or take back an acknowledgement nobody acted on.

    Longest overdue first. A page that stumbles is put off and said, and the others go on.
    """
    done = 0
    while done < limit:
        try:
            moved = _escalate_batch(at, BATCH)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("a batch of pages could not be escalated; going on one by one")
            moved = _escalate_singly(at)
        if not moved:
            break
        done += moved
    return done


@transaction.atomic
def _escalate_batch(at: datetime, size: int) -> int:
    due = Page.objects.filter(next_step_at__lte=at).order_by("next_step_at", "pk")
    pages = list(due.select_for_update(skip_locked=True, no_key=True)[:size])
    _step_on(pages, at)
    return len(pages)


def _step_on(pages: Sequence[Page], at: datetime) -> None:
    wanted, facts = [], []
    for page in pages:
        assert page.next_step_at is not None, "only pages with a due step are taken"
        kind = "page.escalated" if page.state == Page.State.TRIGGERED else "page.unacknowledged"
        wanted.append(calls.Call(page, page.next_step_at))
        page.step = page.step + 1 if page.state == Page.State.TRIGGERED else 0
        page.state = Page.State.TRIGGERED
        page.round += 1
        facts.append((kind, page))
    calls.call_steps(wanted, at=at)
    _save_all(pages)
    _record_in_order(
        [
            Fact(kind, conversation_id=page.conversation_id, data={"page": page.pk, "step": page.step})
            for kind, page in facts
        ],
        at,
    )


def _escalate_singly(at: datetime) -> int:
    ids = list(Page.objects.filter(next_step_at__lte=at).order_by("next_step_at").values_list("pk", flat=True)[:BATCH])
    for page_id in ids:
        mine = Page.objects.filter(pk=page_id, next_step_at__lte=at)
        try:
            with transaction.atomic():
                _step_on(list(mine.select_for_update(skip_locked=True, no_key=True)), at)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("page %s could not be escalated; it is put off by %s", page_id, STUMBLED)
            mine.update(next_step_at=at + STUMBLED)
    return len(ids)


@transaction.atomic
def acknowledge(page_id: int, *, at: datetime, user: User | None = None, via: str = "") -> Page:
    """Somebody is on it. After resolving this does nothing: an acknowledgement never opens a page again."""
    page = lock(page_id)
    if page.state != Page.State.TRIGGERED:
        return page
    page.state, page.acknowledged_at = Page.State.ACKNOWLEDGED, at
    page.acknowledged_by, page.acknowledged_via = user, via[:120]
    page.next_step_at = at + ACKNOWLEDGEMENT_LASTS if page.urgency == Urgency.HIGH else None
    page.save()
    calls.tell_everyone(page, PageDelivery.Action.ACKNOWLEDGE, at=at)
    record(_fact("page.acknowledged", page, user, {"via": via}), at=at)
    return page


@transaction.atomic
def pass_on(page_id: int, *, at: datetime, user: User | None = None, via: str = "") -> Page:
    """Whoever was called cannot take it: the next step is due now. Does nothing unless somebody is being called."""
    page = lock(page_id)
    if page.state != Page.State.TRIGGERED or page.next_step_at is None or page.next_step_at <= at:
        return page
    page.next_step_at = at
    page.save(update_fields=["next_step_at"])
    record(_fact("page.passed_on", page, user, {"via": via}), at=at)
    return page


@transaction.atomic
def unacknowledge(page_id: int, *, at: datetime, via: str = "") -> Page:
    """Whoever said so is not on it after all: call again from the first step. Does nothing unless acknowledged."""
    page = lock(page_id)
    if page.state != Page.State.ACKNOWLEDGED:
        return page
    page.state, page.step = Page.State.TRIGGERED, 0
    page.round += 1
    calls.call_steps([calls.Call(page, at)], at=at)
    page.save()
    record(_fact("page.unacknowledged", page, None, {"via": via, "step": page.step}), at=at)
    return page


@transaction.atomic
def resolve(page_id: int, *, at: datetime, user: User | None = None, why: str = "") -> Page:
    """It is over. Pending calls are dropped and whoever was called is told."""
    page = lock(page_id)
    if page.state == Page.State.RESOLVED:
        return page
    page.state, page.resolved_at, page.next_step_at = Page.State.RESOLVED, at, None
    page.save()
    calls.tell_everyone(page, PageDelivery.Action.RESOLVE, at=at)
    record(_fact("page.resolved", page, user, {"why": why}), at=at)
    return page


def resolve_open(dedup_key: str, *, at: datetime, user: User | None = None, why: str = "") -> None:
    """Resolve the open page of a key, where there is one."""
    for page_id in _open().filter(dedup_key=dedup_key).values_list("pk", flat=True):
        resolve(page_id, at=at, user=user, why=why)


def lock(page_id: int) -> Page:
    """The page's row, held to the end of the transaction. Raises Page.DoesNotExist."""
    return Page.objects.select_for_update(no_key=True).get(pk=page_id)


def _fact(kind: str, page: Page, user: User | None, data: dict[str, Any]) -> Fact:
    actor = Actor.agent(user) if user else SYSTEM
    return Fact(kind, conversation_id=page.conversation_id, actor=actor, data={"page": page.pk, **data})
