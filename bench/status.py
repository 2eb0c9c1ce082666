"""status: requests a second of the public status page from one process at eight connections, kept and made anew, beside
the barest application that sends as many bytes.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from bench import ground
from bench.children import answers, child, free_port, wait_until
from bench.http_load import rate
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk.customers.models import User
from status import incidents
from status.incidents import Opening, Words
from status.models import Component, ComponentSpan

CONNECTIONS = 8
AIM_CACHED, AIM_UNCACHED = 5000, 300
INCIDENTS = 60
_GZIP = "Accept-Encoding: gzip\r\n"
# As many bytes as the front page has when it is packed.
_BARE_BYTES = "3000"


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    _fill(timezone.now())
    connection.close()
    count = sizes.of(40_000, 8_000)
    ours, bare = free_port(), free_port()
    serving = _serving(ours, "helpdesk.asgi:application"), _serving(bare, "bench.status_servers:bare")
    with child(serving[0], PORT=str(ours)) as first, child(serving[1], BENCH_BYTES=_BARE_BYTES) as second:
        for port in (ours, bare):
            wait_until(lambda port=port: _is_up(port), "the server's start")
        floor = Contender(lambda _number: _sample(bare, "/", count), processes=(second.pid,))
        for name, path in (("page", "/status/"), ("API", "/status/api/v2/summary.json")):
            kept = Contender(lambda _number, path=path: _sample(ours, path, count), processes=(first.pid,))
            yield Row(f"status {name}, kept", "requests/s", compare({"ours": kept, "bare": floor}), AIM_CACHED)
    port = free_port()
    with child([*_serving(port, "bench.status_servers:uncached"), "--factory"]) as server:
        wait_until(lambda: _is_up(port), "the server's start")
        for name, path in (("page", "/status/"), ("API", "/status/api/v2/summary.json")):
            anew = Contender(lambda _number, path=path: _sample(port, path, count // 20), processes=(server.pid,))
            yield Row(f"status {name}, made anew", "requests/s", compare({"ours": anew}), AIM_UNCACHED)


def _sample(port: int, path: str, count: int) -> Sample:
    return Sample(rate(port, path, connections=CONNECTIONS, count=count, headers=_GZIP), count)


def _is_up(port: int) -> bool:
    return answers(port, b"GET /status/ HTTP/1.0\r\nHost: localhost\r\n\r\n", rb"HTTP/1\.[01] 200")


def _serving(port: int, application: str) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port)]
    return ["-m", "uvicorn", application, *where, "--no-access-log", "--lifespan", "off", "--log-level", "error"]


def _fill(at: datetime) -> None:
    """The demo company's components with ninety days behind them, and sixty incidents."""
    ada = User.objects.get(email="ada@demo.example")
    chance = random.Random(5)
    parts = list(Component.objects.filter(is_group=False))
    Component.objects.update(started_on=(at - timedelta(days=400)).date())
    for number in range(INCIDENTS):
        then = at - timedelta(days=number, hours=3)
        part = chance.choice(parts)
        words = Words("investigating", "We look at the disks.", {part.pk: "partial_outage"})
        one = incidents.open_incident(Opening(f"Trouble {number}", words), ada, at=then)
        incidents.add_update(one, Words("identified", "It is **one** disk."), ada, at=then + timedelta(minutes=9))
        if number:
            incidents.add_update(one, Words("resolved", "It is new."), ada, at=then + timedelta(minutes=50))
    for part in parts:
        for day in range(0, 90, 7):
            since = at - timedelta(days=day, hours=chance.randint(5, 20))
            until = since + timedelta(minutes=30)
            ComponentSpan.objects.create(component=part, state="partial_outage", since=since, until=until)
