"""reconcile(): ask PagerDuty what became of the pages it was told of, in case its own call to us was lost.

PagerDuty tries a webhook for two days, then drops it, and after three drops in a row stops calling for one. What it
holds is read for each of our open pages in turn; reading changes nothing, and applying it twice changes nothing more.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils.dateparse import parse_datetime

from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.provider_calls import provider_client
from helpdesk.oncall import told_of_pages
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.oncall.pagers import pagerduty_dedup_key
from helpdesk.oncall.pagers.pagerduty_incidents import PagerDutyIncidents
from helpdesk.oncall.provider_messages import PagerDutyIncident

logger = logging.getLogger(__name__)

# PagerDuty allows 960 calls a minute with one key, for everything that uses it.
PAGES_A_ROUND = 100
SECONDS = 20.0
NAME = "reconcile_pagerduty"


@dataclass(slots=True)
class _Round:
    """What PagerDuty answered, by page; the page asked last, and what ended the round early."""

    found: dict[int, list[PagerDutyIncident]] = field(default_factory=dict)
    last: int = 0
    error: DeliveryError | None = None


def reconcile(*, at: datetime) -> int:
    """Take over what was acknowledged or resolved at PagerDuty; how many pages changed by that.

    Every round goes on where the last one ended, so that all have their turn however many are open. What ends a round
    early is logged, and kept in the heartbeat with how long to leave PagerDuty alone.
    """
    reader = PagerDutyIncidents(settings.PAGERDUTY_API_TOKEN, settings.PAGERDUTY_API_BASE_URL)
    if not reader.is_configured:
        return 0
    before = Heartbeat.objects.filter(name=NAME).values_list("detail", flat=True).first() or {}
    not_before = parse_datetime(str(before.get("not_before", "")))
    if not_before is not None and at < not_before:
        return 0
    pages = _pages_after(int(before.get("after", 0)))
    round_ = async_to_sync(_ask)(reader, pages)
    changed = sum(told_of_pages.read(page_id, found, at=at) for page_id, found in round_.found.items())
    _remember(round_, pages, at)
    return changed


def _pages_after(last: int) -> list[tuple[int, str]]:
    """Open pages PagerDuty has been told of, from the one after `last` on; from the beginning after the end."""
    sent = PageDelivery.objects.filter(
        page=OuterRef("pk"),
        channel="pagerduty",
        action=PageDelivery.Action.TRIGGER,
        state=PageDelivery.State.SENT,
    )
    wanted = Page.objects.filter(~Q(state=Page.State.RESOLVED), Exists(sent)).order_by("pk")
    return list(wanted.filter(pk__gt=last).values_list("pk", "dedup_key")[:PAGES_A_ROUND])


async def _ask(reader: PagerDutyIncidents, pages: Sequence[tuple[int, str]]) -> _Round:
    """One after the other: nobody waits for this, and PagerDuty's limit is shared with others."""
    round_, until = _Round(), time.monotonic() + SECONDS
    async with provider_client() as client:
        for page_id, dedup_key in pages:
            if time.monotonic() > until:
                break
            # Also where it fails: one page that cannot be asked about must not keep all that follow from their turn.
            round_.last = page_id
            try:
                round_.found[page_id] = await reader.of_key(client, pagerduty_dedup_key(dedup_key))
            except DeliveryError as error:
                round_.error = error
                break
    return round_


def _remember(round_: _Round, pages: Sequence[tuple[int, str]], at: datetime) -> None:
    is_full = len(pages) == PAGES_A_ROUND or len(round_.found) < len(pages)
    detail = {"after": round_.last if is_full else 0, "error": "", "not_before": ""}
    if round_.error is not None:
        logger.error("PagerDuty could not be asked what became of our pages: %s", round_.error)
        wait = round_.error.after if isinstance(round_.error, RetryLater) else None
        detail |= {"error": round_.error.reason, "not_before": (at + (wait or timedelta(0))).isoformat()}
    beat(NAME, at=at, detail=detail)
