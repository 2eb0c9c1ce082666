"""The dead man's switch: does everything that promises to wake somebody stand armed, and is it on time?"""

import logging
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db import connection
from django.utils.dateparse import parse_datetime

from helpdesk.events import outbox
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat, OutboxEntry
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page, PageDelivery, Urgency

logger = logging.getLogger(__name__)

CLOCK_LATE = timedelta(seconds=60)
OUTBOX_LATE = timedelta(seconds=120)
DELIVERY_LATE = timedelta(seconds=120)
HEARTBEAT_LATE = timedelta(seconds=60)
GIVEN_UP_SHOWS = timedelta(hours=24)
FINDINGS_PAGE_AFTER = timedelta(minutes=2)
KEEPER = "keep_promises"
# What the workers' tasks beat under, the first of the timetable. `worker` is the outbox.
WORKERS = (
    *("file_mail", "sweep_clocks", "worker", "escalate_pages", "deliver_pages", "wake_snoozed"),
    *("sweep_chats", "sweep_bookings", "sweep_incidents", "send_notices", "sweep_signals", "file_arrivals"),
)
PAGE_KEY = "helpdesk:audit"
AT_MOST = 100

# A conversation nobody has taken must have its dispatch clock running, where its policy promises one: among those that
# wait for nothing at all, and among those that changed last.
_UNARMED = """
WITH looked_at AS (
    (SELECT id, policy_id, priority, updated_at FROM helpdesk_conversation
      WHERE status IN ('new', 'open') AND assignee_id IS NULL AND next_due_at IS NULL LIMIT 2000)
    UNION
    (SELECT id, policy_id, priority, updated_at FROM (
        SELECT * FROM helpdesk_conversation ORDER BY updated_at DESC, id DESC LIMIT 500) AS newest
      WHERE status IN ('new', 'open') AND assignee_id IS NULL)
)
SELECT count(*) FROM (
    SELECT 1 FROM looked_at v
    WHERE EXISTS (SELECT 1 FROM helpdesk_goal g
                  WHERE g.policy_id = v.policy_id AND g.priority = v.priority AND g.target = 'dispatch')
      AND NOT EXISTS (SELECT 1 FROM helpdesk_clock c
                      WHERE c.conversation_id = v.id AND c.target = 'dispatch'
                        AND c.met_at IS NULL AND c.cancelled_at IS NULL)
    LIMIT 100) AS unarmed
"""
_OLDEST_CLOCK = "SELECT min(wake_at) FROM helpdesk_clock WHERE wake_at IS NOT NULL"


def findings(at: datetime) -> dict[str, Any]:
    """What is wrong now, by name; empty when every promise is armed, on time, and somebody is there to keep it."""
    return overdue(at) | silent_parts(at)


def overdue(at: datetime) -> dict[str, Any]:
    """Promises that are late, unarmed or given up. Times in seconds; counts are capped at AT_MOST."""
    wrong: dict[str, Any] = {}
    oldest = oldest_clock()
    if oldest is not None and oldest < at - CLOCK_LATE:
        wrong["clock_late_seconds"] = _seconds(at - oldest)
    entry = outbox.oldest_due(at)
    if entry is not None and entry < at - OUTBOX_LATE:
        wrong["outbox_late_seconds"] = _seconds(at - entry)
    delivery = oldest_delivery(at)
    if delivery is not None and delivery < at - DELIVERY_LATE:
        wrong["page_delivery_late_seconds"] = _seconds(at - delivery)
    step = Page.objects.filter(next_step_at__lt=at - CLOCK_LATE).order_by("next_step_at").first()
    if step is not None and step.next_step_at is not None:
        wrong["escalation_late_seconds"] = _seconds(at - step.next_step_at)
    given_up = OutboxEntry.objects.filter(gave_up_at__gt=at - GIVEN_UP_SHOWS, handler__contains=".page_")[:AT_MOST]
    if given_up:
        wrong["pages_given_up"] = len(given_up)
    unarmed = _scalar(_UNARMED)
    if unarmed:
        wrong["unarmed_conversations"] = unarmed
    return wrong


def oldest_clock() -> datetime | None:
    """When the first clock that is not done wakes, past or future."""
    found: datetime | None = _scalar(_OLDEST_CLOCK)
    return found


def oldest_delivery(at: datetime) -> datetime | None:
    """The due time of the oldest page message that should have left by `at`."""
    due = PageDelivery.objects.filter(state=PageDelivery.State.PENDING, due_at__lte=at).order_by("due_at")
    return due.values_list("due_at", flat=True).first()


def silent_parts(at: datetime) -> dict[str, Any]:
    """Engine parts whose heartbeat is late, with the seconds since.

    One that never beat is starting up; the overdue work tells if it is not. After a stop the workers are given the same
    time, counted from when keep_promises came back.
    """
    beats = {part.name: part for part in Heartbeat.objects.filter(name__in=(KEEPER, *WORKERS))}
    keeper = beats.get(KEEPER)
    keeper_alive = keeper is not None and keeper.at >= at - HEARTBEAT_LATE
    started = _started_at(keeper) if keeper_alive else None
    late = {}
    for name, part in beats.items():
        since = max(part.at, started) if started and name != KEEPER else part.at
        if since < at - HEARTBEAT_LATE:
            late[f"{name}_silent_seconds"] = _seconds(at - since)
    return late


def _started_at(keeper: Heartbeat | None) -> datetime | None:
    return parse_datetime(str(keeper.detail.get("started_at", ""))) if keeper else None


def audit(at: datetime) -> dict[str, Any]:
    """Look, remember, page when it does not pass, and tell the outside watchdog that all is well: only when it is.

    That the workers are silent is paged by keep_promises, which notices sooner; that it is silent itself, here.
    """
    wrong = findings(at)
    told = {name: value for name, value in wrong.items() if name not in _SILENT_WORKERS}
    before = Heartbeat.objects.filter(name="audit").first()
    since = (before.detail.get("since") if before else None) or at.isoformat()
    beat("audit", at=at, detail={"findings": wrong, "since": since if told else None})
    _page(told, parse_datetime(since) or at, at)
    if wrong:
        logger.error("promises are in danger: %s", wrong)
    elif settings.DEAD_MAN_URL:
        _tell_watchdog()
    return wrong


_SILENT_WORKERS = frozenset(f"{name}_silent_seconds" for name in WORKERS)


def _page(told: dict[str, Any], since: datetime, at: datetime) -> None:
    if not told:
        paging.resolve_open(PAGE_KEY, at=at, why="the audit is clean again")
        return
    if at - since < FINDINGS_PAGE_AFTER:
        return
    names = ", ".join(f"{name} {value}" for name, value in sorted(told.items()))
    paging.trigger(
        PAGE_KEY,
        paging.Reason("audit", f"Promises are in danger: {names}"[:300], since),
        urgency=Urgency.HIGH,
        summary="The helpdesk's own audit finds promises late or unarmed",
        at=at,
    )


def _tell_watchdog() -> None:
    try:
        httpx.get(settings.DEAD_MAN_URL, timeout=5)
    except httpx.HTTPError as error:
        logger.warning("the watchdog was not reached: %s", error)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _scalar(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0] if row else None
