"""social: signed webhook posts at a steady 200 a second: how soon each is answered, beside a bare Django view that
checks the same signature and inserts one row; then all of them made conversations by one worker, each once.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import new as hmac

from django.db import connection
from django.utils import timezone

from bench import bare, ground
from bench.children import answers, child, free_port, wait_until
from bench.mails import texts
from bench.meters import Meter
from bench.rounds import Contender, Figure, Row, Sample, compare, percentile
from bench.sizes import Sizes
from bench.social_servers import PATH, SECRET
from helpdesk.conversations.models import Message
from helpdesk.events import outbox
from helpdesk.events.models import Hook
from social import accounts, filing
from social.models import Account, Arrival

RATE, CONNECTIONS, PEOPLE = 200, 16, 500
AIM_MS = 1000.0
NUMBER = "4915100000000"
_ALIVE = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    _connect()
    connection.close()
    count = sizes.of(10_000, 1_000)
    posts = [_post(number, text) for number, text in zip(range(count), _words(count), strict=True)]
    with _serving("helpdesk.asgi:application") as (port, pid):
        asyncio.run(_load(port, posts[:20]))
        ours, took = _answered(port, pid, posts)
    with _serving("bench.social_servers:application", "--factory") as (port, pid):
        asyncio.run(_load(port, posts[:20]))
        floor, _took = _answered(port, pid, posts)
    within = sum(one < AIM_MS for one in took) / count
    remark = f"p99 {percentile(took, 0.99):.1f} ms; {within:.2%} of {count} answered within a second"
    yield Row(f"social, webhooks at {RATE}/s", "ms", {"ours": ours, "bare": floor}, AIM_MS, remark, aims_p95=True)
    yield _filed(count, posts)


def _filed(count: int, posts: Sequence[bytes]) -> Row:
    """One worker takes the hooks and files what they hold; each event is there once."""

    def ours(_number: int) -> Sample:
        began = time.perf_counter()
        while outbox.drain(timezone.now()) + filing.file_arrivals(timezone.now()):
            pass
        seconds = time.perf_counter() - began
        assert Hook.objects.filter(provider="social.whatsapp").count() == count, "a call was lost, or kept twice"
        assert Arrival.objects.filter(state=Arrival.State.FILED).count() == count, "an event was lost, or is not filed"
        kept = Message.objects.filter(kind="inbound", conversation__channel="whatsapp")
        assert kept.count() == count, "a message is lost or double"
        return Sample(count / seconds, count)

    def floor(_number: int) -> Sample:
        rows = [("Bare", f"p{number % PEOPLE}", body.decode()[:200]) for number, body in enumerate(posts)]
        return Sample(bare.rate(bare.OPEN, rows), count)

    # What is filed is filed: one round is all there is.
    figures = compare({"ours": Contender(ours), "bare": Contender(floor)}, rounds=1)
    return Row("social, taken and filed by one worker", "events/s", figures)


def _answered(port: int, pid: int, posts: Sequence[bytes]) -> tuple[Figure, list[float]]:
    meter = Meter((pid,))
    took = asyncio.run(_load(port, posts))
    use, each = meter.stop(), 1000 / len(posts)
    value = percentile(took, 0.5)
    costs = (use.application * each, use.database * each, use.foreign)
    return Figure(value, (min(took), max(took)), percentile(took, 0.95), *costs), took


async def _load(port: int, posts: Sequence[bytes]) -> list[float]:
    """Milliseconds each took, counted from when it was due: a server that is behind is not spared."""
    began, waiting = time.perf_counter() + 0.1, iter(enumerate(posts))
    took: list[float] = []

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, body in waiting:
            due = began + number / RATE
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            writer.write(_request(body))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.partition(b"\r\n")[0], head[:200]
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
            took.append((time.perf_counter() - due) * 1000)
        writer.close()

    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return took


def _request(body: bytes) -> bytes:
    signature = hmac(SECRET.encode(), body, sha256).hexdigest()
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _post(number: int, text: str) -> bytes:
    """One message of one of five hundred people, as WhatsApp delivers it."""
    who, at = f"49170{number % PEOPLE:07}", datetime.now(UTC) - timedelta(hours=1) + timedelta(milliseconds=number)
    message = {"from": who, "id": f"wamid.{number}", "timestamp": str(int(at.timestamp())), "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "4915100000000", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": f"Person {number % PEOPLE}"}, "wa_id": who}],
        "messages": [{**message, "text": {"body": text}}],
    }
    return json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}).encode()


def _words(count: int) -> list[str]:
    found = texts(200, 120)
    return [f"{found[number % len(found)]} ({number})" for number in range(count)]


def _connect() -> None:
    Account.objects.create(
        network=Account.Network.WHATSAPP,
        name="Benchmark",
        external_id=NUMBER,
        secrets=accounts.close({"token": "t", "app_secret": SECRET}),
        # It takes what comes, and what a machine would say of office hours waits: nothing leaves a benchmark.
        state=Account.State.PAUSED,
        state_detail="benchmark",
        created_at=timezone.now(),
    )


@contextmanager
def _serving(application: str, *more: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    serving = ["-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port), "--workers", "2", *more]
    with child([*serving, "--no-access-log", "--lifespan", "off", "--log-level", "error"], PORT=str(port)) as process:
        wait_until(lambda: answers(port, _ALIVE, rb"HTTP/1\.[01] 200"), "the server's start")
        yield port, process.pid
