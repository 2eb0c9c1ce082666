"""chat: durable messages a second at the ceiling, and from sending to the visitor's socket with five hundred of them
open; how many idle ones a process carries, and how soon all are back after a restart.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import psutil
from django.db import connection
from django.utils import timezone
from websockets.asyncio.client import ClientConnection, connect

from bench import bare, ground
from bench.agents_page import Web
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
IDLE, AIM_KB = 5000, 100.0
AIM_BACK_SECONDS = 20.0
_ALIVE = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser with an open chat."""

    token: str
    conversation: str

    @property
    def headers(self) -> str:
        return f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    bare.create_tables()
    visitors = [_visitor(number) for number in range(SOCKETS)]
    connection.close()
    count, seconds = sizes.of(3000, 600), sizes.of(30, 10)
    port = free_port()
    with child(_serving(port, 2), PORT=str(port)) as server:
        wait_until(lambda: answers(port, _ALIVE, rb"HTTP/1\.[01] 200"), "the server's start")
        asyncio.run(_send_all(port, visitors, 200))
        yield _ceiling(port, visitors, count, server.pid)
        yield asyncio.run(_delivery(port, visitors, seconds, server.pid))
    yield from _one_process(visitors, sizes.of(IDLE, 1000))


def _ceiling(port: int, visitors: Sequence[Visitor], count: int, server: int) -> Row:
    bodies = texts(200, 120)

    def ours(number: int) -> Sample:
        began = time.perf_counter()
        asyncio.run(_send_all(port, visitors, count))
        return Sample(count / (time.perf_counter() - began), count)

    def floor(number: int) -> Sample:
        rows = [(f"chat {number}", f"bare{n}@demo.example", bodies[n % len(bodies)]) for n in range(count)]
        return Sample(bare.rate(bare.OPEN, rows, SENDERS), count)

    figures = compare({"ours": Contender(ours, processes=(server,)), "bare": Contender(floor)})
    return Row(f"chat, durable messages by {SENDERS} senders", "messages/s", figures, AIM_RATE)


async def _send_all(port: int, visitors: Sequence[Visitor], count: int) -> None:
    async def send(share: int) -> None:
        for number in range(share, count, SENDERS):
            visitor = visitors[number % len(visitors)]
            web = Web(port, visitor.headers)
            # One connection a sender, whoever writes: what a browser opens anew is not what is measured.
            web._streams = streams[share]
            await _say(web, visitor, "a line")
            streams[share] = web._streams

    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = [None] * SENDERS
    await asyncio.gather(*(send(share) for share in range(SENDERS)))
    for opened in streams:
        if opened is not None:
            opened[1].close()


async def _say(web: Web, visitor: Visitor, text: str) -> None:
    body = json.dumps({"cid": str(uuid4()), "text": text}).encode()
    status, answer = await web.ask("POST", f"/chat/api/conversations/{visitor.conversation}/messages", body)
    assert status == 201, (status, answer[:300])


async def _delivery(port: int, visitors: Sequence[Visitor], seconds: int, server: int) -> Row:
    sent: dict[str, float] = {}
    told: list[float] = []

    def hear(frame: str) -> None:
        if frame.startswith('{"t":"msg.new"'):
            text = json.loads(frame)["d"]["text"]
            if text in sent:
                told.append((time.perf_counter() - sent[text]) * 1000)

    async with AsyncExitStack() as open_sockets:
        readers = []
        for visitor in visitors:
            socket = await open_sockets.enter_async_context(_socket(port))
            await _hello(socket, visitor)
            readers.append(asyncio.create_task(_read(socket, hear)))
        webs = [Web(port, visitor.headers) for visitor in visitors[:SENDERS]]
        await asyncio.sleep(2)
        meter = Meter((server,))
        began = time.perf_counter()
        sending = []
        for number in range(seconds * MESSAGES_A_SECOND):
            place = number % SENDERS
            text = f"line {number}"
            sent[text] = time.perf_counter()
            sending.append(asyncio.create_task(_say(webs[place], visitors[place], text)))
            await asyncio.sleep(max(0.0, began + (number + 1) / MESSAGES_A_SECOND - time.perf_counter()))
        await asyncio.gather(*sending)
        use = meter.stop()
        await asyncio.sleep(2)
        for reader in readers:
            reader.cancel()
        for web in webs:
            web.close()
    assert len(told) == len(sent), f"{len(sent)} were sent and {len(told)} arrived"
    value, p95 = percentile(told, 0.5), percentile(told, 0.95)
    each = 1000 / len(sent)
    figure = Figure(value, (value, value), p95, use.application * each, use.database * each, use.foreign)
    name = f"chat, {MESSAGES_A_SECOND}/s over {SOCKETS} sockets, sending to socket"
    return Row(name, "ms", {"ours": figure}, AIM_MS, aims_p95=True)


def _one_process(visitors: Sequence[Visitor], idle: int) -> Iterator[Row]:
    port = free_port()
    with child(_serving(port, 1), PORT=str(port)) as server:
        wait_until(lambda: answers(port, _ALIVE, rb"HTTP/1\.[01] 200"), "the server's start")
        size = asyncio.run(_idle(port, visitors, idle, server.pid))
    yield Row(f"chat, {idle} idle sockets", "kB each", {"ours": _plain(size)}, AIM_KB)
    began = time.perf_counter()
    with child(_serving(port, 1), PORT=str(port)):
        wait_until(lambda: answers(port, _ALIVE, rb"HTTP/1\.[01] 200"), "the server's start")
        took = asyncio.run(_come_back(port, visitors)) - began
    yield Row(f"chat, {len(visitors)} sockets back after a restart", "s", {"ours": _plain(took)}, AIM_BACK_SECONDS)


async def _idle(port: int, visitors: Sequence[Visitor], count: int, server: int) -> float:
    process = psutil.Process(server)
    async with AsyncExitStack() as open_sockets:
        for number in range(count + 50):
            if number == 50:  # what the first ones load is not theirs
                before = process.memory_info().rss
            socket = await open_sockets.enter_async_context(_socket(port))
            # A visit holds ten sockets at most.
            await _hello(socket, visitors[number % len(visitors)])
        await asyncio.sleep(2)
        return (process.memory_info().rss - before) / count / 1024


async def _come_back(port: int, visitors: Sequence[Visitor]) -> float:
    """When the last of them was welcomed again, all at once and again until it is so."""
    async with AsyncExitStack() as open_sockets:

        async def back(visitor: Visitor) -> None:
            while True:
                try:
                    socket = await open_sockets.enter_async_context(_socket(port))
                    await _hello(socket, visitor)
                    return
                except OSError:
                    await asyncio.sleep(0.2)

        await asyncio.gather(*(back(visitor) for visitor in visitors))
        return time.perf_counter()


def _plain(value: float) -> Figure:
    return Figure(value, (value, value), value, 0, 0, 0)


def _socket(port: int) -> connect:
    return connect(f"ws://127.0.0.1:{port}/ws/chat", subprotocols=["desk.v1"], compression=None, open_timeout=30)  # type: ignore[list-item]


async def _hello(socket: ClientConnection, visitor: Visitor) -> None:
    hello = {"t": "hello", "v": 1, "key": "pk_demo", "session": visitor.token, "conv": visitor.conversation}
    await socket.send(json.dumps({**hello, "after": 0}))
    welcome = json.loads(await asyncio.wait_for(socket.recv(), 30))
    assert welcome["t"] == "welcome", welcome


async def _read(socket: ClientConnection, hear: object) -> None:
    async for frame in socket:
        hear(frame)  # type: ignore[operator]


def _visitor(number: int) -> Visitor:
    at = timezone.now()
    widget = Widget.objects.get(key="pk_demo")
    visit, token = sessions.open_visit(widget, None, at=at)
    words = FirstWords("Hello", uuid4(), name=f"Visitor {number}", email=f"visitor{number}@shop.example")
    return Visitor(token, str(chats.start(visit, words, at=at).chat.public_id))


def _serving(port: int, workers: int) -> list[str]:
    serving = ["-m", "uvicorn", "helpdesk.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    return [*serving, "--workers", str(workers), "--no-access-log", "--lifespan", "off", "--log-level", "error"]
