"""The dead man's switch: does everything that promises to wake somebody stand armed, and is it on time?"""

import logging
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db import connection

from helpdesk.events import outbox
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.oncall.models import Page, PageDelivery

logger = logging.getLogger(__name__)

CLOCK_LATE = timedelta(seconds=60)
OUTBOX_LATE = timedelta(seconds=120)
DELIVERY_LATE = timedelta(seconds=120)
HEARTBEAT_LATE = timedelta(seconds=60)
WATCHED = ("keep_promises",)

# A conversation nobody has taken must have its dispatch clock running, where its policy promises one.
_UNARMED = """
SELECT count(*) FROM (
    SELECT 1 FROM helpdesk_conversation v
    WHERE v.status IN ('new', 'open') AND v.assignee_id IS NULL AND v.next_due_at IS NULL
      AND EXISTS (SELECT 1 FROM helpdesk_goal g
                  WHERE g.policy_id = v.policy_id AND g.priority = v.priority AND g.target = 'dispatch')
    LIMIT 100) AS unarmed
"""
_OLDEST_CLOCK = "SELECT min(wake_at) FROM helpdesk_clock WHERE wake_at IS NOT NULL"


def findings(at: datetime) -> dict[str, Any]:
    """What is wrong now, by name; empty when every promise is armed and on time."""
    wrong: dict[str, Any] = {}
    oldest = _scalar(_OLDEST_CLOCK)
    if oldest is not None and oldest < at - CLOCK_LATE:
        wrong["clock_late_seconds"] = int((at - oldest).total_seconds())
    entry = outbox.oldest_due(at)
    if entry is not None and entry < at - OUTBOX_LATE:
        wrong["outbox_late_seconds"] = int((at - entry).total_seconds())
    delivery = PageDelivery.objects.filter(state="pending", due_at__lt=at - DELIVERY_LATE).order_by("due_at").first()
    if delivery is not None:
        wrong["page_delivery_late_seconds"] = int((at - delivery.due_at).total_seconds())
    if Page.objects.filter(next_step_at__lt=at - CLOCK_LATE).exists():
        wrong["escalation_late"] = True
    unarmed = _scalar(_UNARMED)
    if unarmed:
        wrong["unarmed_conversations"] = unarmed
    return wrong | silent_parts(at)


def silent_parts(at: datetime) -> dict[str, Any]:
    """Engine parts whose heartbeat is late. One that never beat is starting up; the overdue work tells if it is not."""
    late = Heartbeat.objects.filter(name__in=WATCHED, at__lt=at - HEARTBEAT_LATE)
    return {f"{part.name}_silent_seconds": int((at - part.at).total_seconds()) for part in late}


def audit(at: datetime) -> dict[str, Any]:
    """Look, remember, and tell the outside watchdog that all is well: only when it is."""
    wrong = findings(at)
    beat("audit", at=at, detail={"findings": wrong})
    if wrong:
        logger.error("promises are in danger: %s", wrong)
    elif settings.DEAD_MAN_URL:
        _tell_watchdog()
    return wrong


def _tell_watchdog() -> None:
    try:
        httpx.get(settings.DEAD_MAN_URL, timeout=5)
    except httpx.HTTPError as error:
        logger.warning("the watchdog was not reached: %s", error)


def _scalar(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0] if row else None
