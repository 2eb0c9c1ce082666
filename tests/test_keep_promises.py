"""keep_promises stands in for silent workers, pages about the silence, and survives what it meets."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from pytest_django import Settings

from helpdesk import keep_promises
from helpdesk.conversations.models import Conversation
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.keep_promises import SILENCE_KEY, SWEEPS, Keeper, SweepHangs
from helpdesk.oncall import audit
from helpdesk.oncall.models import Page
from tests.fixtures.company import Company
from tests.fixtures.pages import after
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer
from tests.fixtures.receiving import wait_until
from tickets.mail import ledger
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent
MAIL = (
    b"From: Carol Meyer <carol@acme.example>\r\nTo: support@demo.example\r\nSubject: Nobody answers\r\n"
    b"Message-ID: <one@acme.example>\r\nDate: Mon, 12 Jan 2026 09:00:00 +0100\r\n\r\nHello?\r\n"
)


class Clock:
    """Real time, moved to where the story is."""

    def __init__(self, at: datetime) -> None:
        self._at, self._began = at, time.monotonic()

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._began)

    def move_on(self, **span: float) -> None:
        self._at += timedelta(**span)


@contextmanager
def running(clock: Clock, sweeps: Mapping[str, keep_promises.Sweep] = SWEEPS) -> Iterator[Keeper]:
    keeper = Keeper(sweeps, now=clock)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        yield keeper
    finally:
        keeper.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVERY_SECONDS", "EVERY_SECONDS_STANDING_IN"):
        monkeypatch.setattr(keep_promises, name, 0.1)


def counting(names: Mapping[str, object] = SWEEPS) -> tuple[dict[str, int], dict[str, keep_promises.Sweep]]:
    counts = dict.fromkeys(names, 0)

    def counter(name: str) -> Callable[[datetime], int]:
        def count(_at: datetime) -> int:
            counts[name] += 1
            return 0

        return count

    return counts, {name: counter(name) for name in names}


def workers_beat(at: datetime) -> None:
    for name in audit.WORKERS:
        beat(name, at=at)


def test_without_broker_and_workers_a_mail_still_rings(
    company: Company, at: datetime, settings: Settings, pagerduty_server: PagerDutyServer
) -> None:
    settings.PAGERDUTY_ROUTING_KEY, settings.PAGERDUTY_BASE_URL = ROUTING_KEY, pagerduty_server.url
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    ledger.accept([ledger.Arrived("smtp", MAIL, "carol@acme.example", ("support@demo.example",), None, at)], at=at)
    clock = Clock(after(at, minutes=61))
    with running(clock):
        assert pagerduty_server.wait_for(lambda: bool(pagerduty_server.alerts), 30)
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER).exists())
    assert InboundEmail.objects.get().state == "filed"
    conversation = Conversation.objects.get()
    assert pagerduty_server.alerts[0].dedup_key == f"helpdesk:conversation:{conversation.pk}"
    assert "Nobody answers" in pagerduty_server.alerts[0].summary


def test_it_leaves_to_the_workers_what_they_do(db: None, at: datetime) -> None:
    clock = Clock(at)
    workers_beat(clock())
    counts, sweeps = counting()
    with running(clock, sweeps):
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER).exists())
        clock.move_on(seconds=5)
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER, at__gte=after(at, seconds=5)).exists())
        assert not any(counts.values())
        clock.move_on(seconds=10)
        wait_until(lambda: all(counts.values()))
        workers_beat(clock())
    assert set(SWEEPS) == set(audit.WORKERS)


def test_one_sweep_that_fails_stops_no_other(db: None, at: datetime, caplog: pytest.LogCaptureFixture) -> None:
    counts, sweeps = counting()

    def fail(_at: datetime) -> int:
        raise RuntimeError("this one is broken")

    with running(Clock(at), {**sweeps, "file_mail": fail}):
        wait_until(lambda: all(counts[name] > 1 for name in counts if name != "file_mail"))
        wait_until(lambda: bool(Heartbeat.objects.get(name=audit.KEEPER).detail["errors"]))
    assert Heartbeat.objects.get(name=audit.KEEPER).detail["errors"] == {
        "file_mail": "RuntimeError: this one is broken"
    }
    assert "file_mail failed" in caplog.text


def test_the_silence_is_paged_and_ends(company: Company, at: datetime) -> None:
    clock = Clock(at)
    _, sweeps = counting()
    with running(clock, sweeps):
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER).exists())
        clock.move_on(seconds=50)
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER, at__gte=after(at, seconds=50)).exists())
        assert not Page.objects.exists(), "a fresh start raises no alarm"
        clock.move_on(seconds=15)
        wait_until(lambda: Page.objects.filter(dedup_key=SILENCE_KEY).exists())
        workers_beat(clock())
        wait_until(lambda: Page.objects.filter(dedup_key=SILENCE_KEY, state="resolved").exists())
    found = Page.objects.get()
    assert found.urgency == "high" and len(found.reasons) == 1 and found.deliveries.exists()


def test_after_a_stop_the_workers_are_given_time(company: Company, at: datetime) -> None:
    workers_beat(after(at, hours=-8))
    _, sweeps = counting()
    with running(Clock(at), sweeps):
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER).exists())
        wait_until(lambda: Heartbeat.objects.filter(name="audit").exists())
    assert not Page.objects.exists()
    assert audit.silent_parts(after(at, seconds=30)) == {}


def test_a_lost_database_connection_is_found_again(db: None, at: datetime) -> None:
    counts, sweeps = counting()
    with running(Clock(at), sweeps):
        wait_until(lambda: all(counts.values()))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] > 0
        before = dict(counts)
        wait_until(lambda: all(counts[name] > before[name] + 1 for name in counts))


def test_a_sweep_that_hangs_ends_the_process(db: None, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sweeps = counting()
    release = threading.Event()
    monkeypatch.setattr(keep_promises, "HANGS_AFTER_SECONDS", 0.5)
    keeper = Keeper({"file_mail": lambda _at: release.wait(30), "worker": sweeps["worker"]}, now=Clock(at))
    with pytest.raises(SweepHangs, match="file_mail"):
        keeper.run()
    keeper.stop()
    release.set()


def test_the_command_ends_when_told(db: None) -> None:
    given = connection.settings_dict
    host = given["HOST"] or given["OPTIONS"].get("host", "")
    query = urlencode({"host": host})
    url = f"postgres://{given['USER']}:{given['PASSWORD']}@/{given['NAME']}?{query}"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "keep_promises"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "x"},
    )
    try:
        wait_until(lambda: Heartbeat.objects.filter(name=audit.KEEPER).exists(), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
