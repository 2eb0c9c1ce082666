"""chat: durable messages a second at the ceiling, and from sending to the visitor's socket with five hundred of them
open, beside a bare Channels echo and one that inserts; how many idle sockets a process carries, and how soon all are
back after a restart.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psutil
from django.db import connection
from django.utils import timezone

from bench import bare, ground
from bench.children import answers, child, free_port, wait_until
from bench.mails import texts
from bench.meters import Meter
from bench.rounds import Contender, Figure, Row, Sample, compare, percentile
from bench.sizes import Sizes
from chat import chats, sessions
from chat.chats import FirstWords
from chat.models import Widget

SENDERS = 8
AIM_RATE = 300
SOCKETS, MESSAGES_A_SECOND, AIM_MS = 500, 50, 50.0
IDLE, AIM_KB, WATCHED_SECONDS = 5000, 100.0, 20
AIM_BACK_SECONDS = 20.0
# What the first sockets load is not counted as the size of the others.
FIRST = 50
PLAIN, INSERTING = "bench.echo:plain", "bench.echo:inserting"
_ALIVE = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"

# A token and the chat it has begun.
Visitor = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A web server of two processes; `is_echo`: it is none of ours."""

    port: int
    pid: int
    is_echo: bool = False


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    visitors = [_visitor(number) for number in range(SOCKETS)]
    connection.close()
    count, seconds = sizes.of(3000, 600), sizes.of(30, 10)
    with _serving() as ours, _serving(PLAIN) as echo, _serving(INSERTING) as inserting:
        servers = {"ours": ours, "echo": echo, "inserting": inserting}
        for server in servers.values():
            _load(server, visitors, do="ceiling", count=200, senders=SENDERS)
        figures = compare(_ceilings(servers, visitors, count))
        remark = _beside(figures, "bare", "inserting", "echo")
        name = f"chat, durable messages by {SENDERS} senders"
        yield Row(name, "messages/s", _two(figures, "bare"), AIM_RATE, remark)
        found = {name: _delivery(server, visitors, seconds) for name, server in servers.items()}
        remark = f"{found['ours'][1]}; {_beside({key: one for key, (one, _) in found.items()}, 'inserting', 'echo')}"
        name = f"chat, {MESSAGES_A_SECOND}/s over {SOCKETS} sockets, sending to socket"
        yield Row(name, "ms", {"ours": found["ours"][0]}, AIM_MS, remark, aims_p95=True)
    yield from _one_process(visitors, sizes.of(IDLE, 1000))


def _ceilings(servers: Mapping[str, Server], visitors: Sequence[Visitor], count: int) -> dict[str, Contender | None]:
    bodies = texts(200, 120)

    def rate(server: Server) -> Sample:
        return Sample(_load(server, visitors, do="ceiling", count=count, senders=SENDERS)["rate"], count)

    def floor(number: int) -> Sample:
        rows = [(f"chat {number}", f"bare{n}@demo.example", bodies[n % len(bodies)]) for n in range(count)]
        return Sample(bare.rate(bare.OPEN, rows, SENDERS), count)

    found: dict[str, Contender | None] = {
        name: Contender(lambda _number, server=server: rate(server), processes=(server.pid,))  # type: ignore[misc]
        for name, server in servers.items()
    }
    return {**found, "bare": Contender(floor)}


def _delivery(server: Server, visitors: Sequence[Visitor], seconds: int) -> tuple[Figure, str]:
    """The figure, and what the load itself cost."""
    with child(["-m", "bench.visitor_load"], pipes=True) as load:
        _tell(load, server, visitors, do="delivery", seconds=seconds, rate=MESSAGES_A_SECOND)
        _hear(load)
        meter = Meter((server.pid,))
        found = _hear(load)
        use = meter.stop()
    took, count = found["took"], seconds * MESSAGES_A_SECOND
    assert not found["lost"] and len(took) == count, f"of {count} messages {found['lost']} did not arrive"
    value, each = percentile(took, 0.5), 1000 / count
    costs = (use.application * each, use.database * each, use.foreign)
    figure = Figure(value, (value, value), percentile(took, 0.95), *costs)
    return figure, f"the load itself {found['load'] * each:.2f} ms CPU a message"


def _one_process(visitors: Sequence[Visitor], idle: int) -> Iterator[Row]:
    with _serving(workers=1) as server:
        size, busy = _idle(server, visitors, idle)
    remark = f"a heartbeat every 20 s each: {busy:.0%} of a core"
    yield Row(f"chat, {idle} idle sockets", "kB each", {"ours": _plain(size)}, AIM_KB, remark)
    began = time.perf_counter()
    with _serving(workers=1) as server:
        took = _load(server, visitors, do="back")["at"] - began
    yield Row(f"chat, {len(visitors)} sockets back after a restart", "s", {"ours": _plain(took)}, AIM_BACK_SECONDS)


def _idle(server: Server, visitors: Sequence[Visitor], count: int) -> tuple[float, float]:
    """Kilobytes each, and how busy the process is with all of them idle."""
    process = psutil.Process(server.pid)
    with child(["-m", "bench.visitor_load"], pipes=True) as load:
        _tell(load, server, visitors, do="idle", parts=[FIRST, count - FIRST])
        _hear(load)
        before = process.memory_info().rss
        assert load.stdin is not None
        load.stdin.write("\n")
        load.stdin.flush()
        _hear(load)
        used, began = process.cpu_times(), time.perf_counter()
        time.sleep(WATCHED_SECONDS)
        after, seconds = process.cpu_times(), time.perf_counter() - began
        size = (process.memory_info().rss - before) / (count - FIRST) / 1024
        load.stdin.write("\n")
        load.stdin.flush()
    return size, (after.user + after.system - used.user - used.system) / seconds


def _load(server: Server, visitors: Sequence[Visitor], **job: Any) -> dict[str, Any]:
    with child(["-m", "bench.visitor_load"], pipes=True) as load:
        _tell(load, server, visitors, **job)
        return _hear(load)


def _tell(load: Any, server: Server, visitors: Sequence[Visitor], **job: Any) -> None:
    load.stdin.write(json.dumps({**job, "port": server.port, "is_echo": server.is_echo, "visitors": visitors}) + "\n")
    load.stdin.flush()


def _hear(load: Any) -> dict[str, Any]:
    line = load.stdout.readline()
    assert line, "the load has ended"
    found: dict[str, Any] = json.loads(line)
    return found


def _two(figures: Mapping[str, Figure | None], other: str) -> dict[str, Figure | None]:
    return {"ours": figures["ours"], other: figures[other]}


def _beside(figures: Mapping[str, Figure | None], *names: str) -> str:
    """What else was measured in the same run, in words."""
    words = {"inserting": "Channels echo with an insert", "echo": "bare Channels echo", "bare": "bare statement"}
    parts = []
    for name in names:
        one = figures[name]
        if one is not None:
            p95 = "" if one.p95 is None else f" / {one.p95:.1f}"
            parts.append(f"{words[name]} {one.value:,.1f}{p95} (CPU {one.cpu_ms:.2f} + {one.database_ms:.2f} ms)")
    return ", ".join(parts)


def _plain(value: float) -> Figure:
    return Figure(value, (value, value), value, 0, 0, 0)


def _visitor(number: int) -> Visitor:
    at = timezone.now()
    widget = Widget.objects.get(key="pk_demo")
    visit, token = sessions.open_visit(widget, None, at=at, language="en")
    words = FirstWords("Hello", uuid4(), name=f"Visitor {number}", email=f"visitor{number}@shop.example")
    return token, str(chats.start(visit, words, at=at).chat.public_id)


@contextmanager
def _serving(application: str = "helpdesk.asgi:application", workers: int = 2) -> Iterator[Server]:
    port = free_port()
    serving = ["-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    with child(
        [*serving, "--no-access-log", "--lifespan", "off", "--log-level", "error", "--ws-per-message-deflate", "false"],
        PORT=str(port),
    ) as process:
        wait_until(lambda: answers(port, _ALIVE, rb"HTTP/1\.[01] 200"), "the server's start")
        yield Server(port, process.pid, application in (PLAIN, INSERTING))
