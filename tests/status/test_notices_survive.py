"""Workers are killed while subscribers are told: everybody gets the update exactly once.

STATUS_SUBSCRIBERS makes it as large as wanted; the suite has a small one. How long publishing takes, `make bench` says.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as conf
from django.db import connection
from django.utils.timezone import now

from helpdesk.events import outbox
from status import distributing, incidents
from status.incidents import Opening, Words
from status.models import Distribution, Incident, Notice, Subscriber
from tests.fixtures.smtp_sink import SmtpSink

SUBSCRIBERS = int(os.environ.get("STATUS_SUBSCRIBERS", "400"))
ROOT = Path(__file__).resolve().parents[2]
DEATHS = (
    ("between bites of planning", 1),
    ("claimed", 2),
    ("before it is written down", 60),
    ("before the answer is read", 40),
    ("counted", 1),
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(smtp_sink: SmtpSink) -> dict[str, str]:
    """What a worker needs to find this test's database and mail server."""
    known = connection.settings_dict
    place = {"host": known["HOST"] or known["OPTIONS"].get("host", ""), "port": known["PORT"]}
    query = urlencode({name: value for name, value in place.items() if value})
    login = ":".join(filter(None, (quote(known["USER"] or ""), quote(known["PASSWORD"] or ""))))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DATABASE_URL": f"postgres://{login}@/{known['NAME']}?{query}",
        "EMAIL_URL": f"smtp://{conf.EMAIL_HOST}:{conf.EMAIL_PORT}",
        "SECRET_KEY": conf.SECRET_KEY,
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def workers(environment: dict[str, str]) -> Iterator["Workers"]:
    found = Workers(environment)
    yield found
    for process in found.running:
        process.kill()
        process.wait()


class Workers:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, point: str = "never", after: int = 0) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.status.notice_worker", point, str(after)]
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))
        return self.running[-1]


def _published(status: str) -> Incident:
    incident = incidents.open_incident(Opening("Disks gone", Words(status, "We look.")), None, at=now())
    while outbox.drain(now()):
        pass
    return incident


def test_everybody_gets_an_update_once_whoever_is_killed(workers: Workers, smtp_sink: SmtpSink) -> None:
    at = now() - timedelta(days=1)
    Subscriber.objects.bulk_create(
        (
            Subscriber(
                kind="email", address=f"s{number}@x.example", status="active",
                confirmed_at=at, asked_at=at, created_at=at,
            )
            for number in range(SUBSCRIBERS)
        ),
        batch_size=5_000,
    )  # fmt: skip
    incident = _published("investigating")
    for point, after in DEATHS:
        assert workers.start(point, after).wait(600) == -signal.SIGKILL
    last = [workers.start(), workers.start()]
    assert [worker.wait(3600) for worker in last] == [0, 0]

    addresses = [taken.rcpt_to[0] for taken in smtp_sink.taken]
    assert len(addresses) == len(set(addresses)) == SUBSCRIBERS
    told = Distribution.objects.get(update=incident.updates.latest("pk"))
    assert (told.planned, told.sent, told.failed) == (SUBSCRIBERS, SUBSCRIBERS, 0)
    assert told.ended_at is not None
    assert Notice.objects.filter(status="sent").count() == SUBSCRIBERS
    assert not distributing.is_going_on()
