"""Six sweepers, killed at random, on thousands of overdue clocks: each breaks once, pages once, and calls.

CHAOS_CLOCKS and CHAOS_KILLS make it the long run (20000 and 60); the suite has a short one.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer
from helpdesk.events import outbox
from helpdesk.events.models import Event, OutboxEntry
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.sla.models import Clock, Policy
from tests.fixtures.company import Company
from tests.fixtures.pages import after
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer
from tests.fixtures.receiving import wait_until

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = int(os.environ.get("CHAOS_CLOCKS", "2000"))
KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
SWEEPERS = int(os.environ.get("CHAOS_SWEEPERS", "6"))
SPEED = 10  # story seconds in a second
PATIENCE = 60 + CLOCKS / 40


def overdue_clocks(customer: Customer, count: int, at: datetime) -> None:
    """Conversations nobody took, whose hour to be dispatched was over at `at`, each a moment later than the last."""
    policy = Policy.objects.get(name="12x5")
    opened = at - timedelta(hours=1)
    conversations = Conversation.objects.bulk_create(
        Conversation(
            channel="email",
            subject=f"Request {number}",
            customer=customer,
            policy=policy,
            opened_at=opened,
            updated_at=opened,
            last_message_at=opened,
        )
        for number in range(count)
    )
    Clock.objects.bulk_create(
        Clock(
            conversation=conversation,
            target="dispatch",
            goal_seconds=3600,
            calendar_id=policy.calendar_id,
            calendar_version=policy.calendar.version,
            started_at=opened,
            running_since=opened,
            due_at=at - timedelta(milliseconds=count - number),
            warn_at=at - timedelta(minutes=12),
            warned_at=at - timedelta(minutes=12),
            wake_at=at - timedelta(milliseconds=count - number),
        )
        for number, conversation in enumerate(conversations)
    )


@contextmanager
def sweepers(
    count: int, kills: int, start: datetime, pagerduty: PagerDutyServer, data: Path
) -> Iterator["subprocess.Popen[str]"]:
    given = connection.settings_dict
    query = urlencode({"host": given["HOST"] or given["OPTIONS"].get("host", "")})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.oncall.sweepers", str(count), str(kills), str(start.timestamp()), str(SPEED)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
            "DATABASE_URL": f"postgres://{given['USER']}:{given['PASSWORD']}@/{given['NAME']}?{query}",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATA_DIR": str(data),
            "PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
            "PAGERDUTY_BASE_URL": pagerduty.url,
            "LOG_LEVEL": "ERROR",
        },
    )
    try:
        yield process
    finally:
        process.communicate(timeout=30)


@pytest.mark.django_db(transaction=True)
def test_every_deadline_fires_once_and_every_page_leaves(company: Company, at: datetime, tmp_path: Path) -> None:
    outbox.drain(at)
    overdue_clocks(company.carol, CLOCKS, after(at, hours=1))
    began = time.monotonic()
    with (
        PagerDutyServer(events_a_minute=10**9) as pagerduty,
        sweepers(SWEEPERS, KILLS, after(at, hours=1), pagerduty, tmp_path) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == f"KILLED {KILLS}\n"
        wait_until(nothing_is_left, PATIENCE)
        took = time.monotonic() - began

    fired = Counter(event.data["clock"] for event in Event.objects.filter(kind="clock.breached"))
    assert len(fired) == CLOCKS and set(fired.values()) == {1}, "each clock breaks once"
    assert Page.objects.count() == Page.objects.values("conversation").distinct().count() == CLOCKS
    calls = PageDelivery.objects.filter(channel="pagerduty", action="trigger")
    assert calls.count() == calls.filter(state="sent").count() == CLOCKS, "each page has left"
    keys = Counter(alert.dedup_key for alert in pagerduty.alerts)
    assert len(keys) == CLOCKS and set(keys.values()) == {1}
    assert PageDelivery.objects.filter(channel="email", state="sent").count() == CLOCKS
    assert list(tmp_path.glob("sent-mail/*")), "and the digests as well"
    sys.stdout.write(
        f"{CLOCKS} clocks, {KILLS} kills, {took:.1f} s, {len(pagerduty.received) - CLOCKS} calls repeated\n"
    )


def nothing_is_left() -> bool:
    undone = OutboxEntry.objects.filter(done_at=None, gave_up_at=None)
    waiting = PageDelivery.objects.filter(state="pending")
    return not (Clock.objects.filter(wake_at__isnull=False).exists() or undone.exists() or waiting.exists())
