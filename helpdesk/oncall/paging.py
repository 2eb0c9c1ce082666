"""A page from its first reason to its end: trigger, escalate, acknowledge, resolve.

Whoever changes a page locks its row first and a conversation's after it, so nothing here can deadlock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.oncall import calls
from helpdesk.oncall.models import EscalationPolicy, Page, PageDelivery, Urgency

ACKNOWLEDGEMENT_LASTS = timedelta(minutes=30)
MAX_REASONS = 50
LATE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is called. `since` is when the promise broke or the request came in."""

    kind: str
    text: str
    since: datetime

    def as_dict(self, at: datetime) -> dict[str, Any]:
        late = at - self.since
        return {
            "kind": self.kind,
            "text": self.text,
            "since": self.since.isoformat(),
            "at": at.isoformat(),
            "late_seconds": int(late.total_seconds()) if late > LATE_AFTER else 0,
        }


def conversation_key(conversation_id: int) -> str:
    """One open page a conversation."""
    return f"helpdesk:conversation:{conversation_id}"


@transaction.atomic
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
    """Open a page, or add the reason to the open one. The same reason twice changes nothing.

    An open page calls again only when the new reason is more severe than what it was acknowledged or sent for.
    """
    page = _open_page(dedup_key)
    if page is None:
        Page.objects.bulk_create(
            [
                Page(
                    dedup_key=dedup_key,
                    conversation_id=conversation_id,
                    urgency=urgency,
                    summary=summary[:300],
                    policy=snapshot(policy),
                    triggered_at=at,
                )
            ],
            ignore_conflicts=True,
        )
        page = _open_page(dedup_key)
        assert page is not None, "a page was inserted or stood there already, and its row is locked"
    if any(r["kind"] == reason.kind and r["since"] == reason.since.isoformat() for r in page.reasons):
        return page
    first = not page.reasons
    worse = urgency == Urgency.HIGH and page.urgency == Urgency.LOW
    page.reasons = [*page.reasons, reason.as_dict(at)][-MAX_REASONS:]
    if first or worse:
        page.urgency, page.state, page.step = urgency, Page.State.TRIGGERED, 0
        page.summary = summary[:300]
        page.round += 0 if first else 1
        calls.call_step(page, promised_at=reason.since, at=at)
    page.save()
    record(
        Fact(
            "page.triggered" if first or worse else "page.extended",
            conversation_id=conversation_id,
            data={"page": page.pk, "reason": reason.kind, "urgency": page.urgency},
        ),
        at=at,
    )
    return page


def _open_page(dedup_key: str) -> Page | None:
    return Page.objects.select_for_update().filter(~Q(state=Page.State.RESOLVED), dedup_key=dedup_key).first()


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
    """Every page whose next step is due: call the next person, or take back an acknowledgement nobody acted on."""
    done = 0
    while done < limit and _escalate_one(at):
        done += 1
    return done


@transaction.atomic
def _escalate_one(at: datetime) -> bool:
    due = Page.objects.filter(next_step_at__lte=at).order_by("next_step_at").select_for_update(skip_locked=True)
    page = due.first()
    if page is None:
        return False
    planned = page.next_step_at
    assert planned is not None
    if page.state == Page.State.ACKNOWLEDGED:
        page.state, page.step = Page.State.TRIGGERED, 0
        kind = "page.unacknowledged"
    else:
        page.step += 1
        kind = "page.escalated"
    page.round += 1
    calls.call_step(page, promised_at=planned, at=at)
    page.save()
    record(Fact(kind, conversation_id=page.conversation_id, data={"page": page.pk, "step": page.step}), at=at)
    return True


@transaction.atomic
def acknowledge(page_id: int, *, at: datetime, user: User | None = None, via: str = "") -> Page:
    """Somebody is on it. After resolving this does nothing: an acknowledgement never opens a page again."""
    page = Page.objects.select_for_update().get(pk=page_id)
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
def resolve(page_id: int, *, at: datetime, user: User | None = None, why: str = "") -> Page:
    """It is over. Pending calls are dropped and whoever was called is told."""
    page = Page.objects.select_for_update().get(pk=page_id)
    if page.state == Page.State.RESOLVED:
        return page
    page.state, page.resolved_at, page.next_step_at = Page.State.RESOLVED, at, None
    page.save()
    calls.tell_everyone(page, PageDelivery.Action.RESOLVE, at=at)
    record(_fact("page.resolved", page, user, {"why": why}), at=at)
    return page


def resolve_open(dedup_key: str, *, at: datetime, user: User | None = None, why: str = "") -> None:
    """Resolve the open page of a key, where there is one."""
    for page_id in Page.objects.filter(~Q(state=Page.State.RESOLVED), dedup_key=dedup_key).values_list("pk", flat=True):
        resolve(page_id, at=at, user=user, why=why)


def _fact(kind: str, page: Page, user: User | None, data: dict[str, Any]) -> Fact:
    actor = Actor.agent(user) if user else SYSTEM
    return Fact(kind, conversation_id=page.conversation_id, actor=actor, data={"page": page.pk, **data})
