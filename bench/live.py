"""live: from a change to the pages of others, with fifty agents at work on their lists and twenty changes a second."""

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from websockets.asyncio.client import connect

from bench import ground, volume
from bench.children import answers, child, free_port, wait_until
from bench.rounds import Contender, Row, Sample, compare, percentile
from bench.sizes import Sizes
from helpdesk.customers import actions as customers
from helpdesk.customers.models import User

AGENTS = 50
CHANGES_A_SECOND = 20
AIM_MS = 500.0
CONVERSATIONS = 10_000
# So many agents look at each conversation that is worked on.
LOOKERS = 2
# As static/js/news.js does it: how long a burst is gathered, and how long the server is left in peace afterwards.
ROWS_AFTER, THREAD_AFTER, THREAD_PAUSE = 0.1, 0.02, 0.3
PAUSE_TIMES, PAUSE_AT_MOST = 150, 8.0


@dataclass(slots=True)
class Found:
    """Milliseconds from the moment an agent sends a change: until others' sockets say so, and until the thread of those
    who look at it has arrived as HTML. Milliseconds of a list asked for anew.
    """

    told: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    sent_at: dict[str, float] = field(default_factory=dict)


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    volume.grow(CONVERSATIONS, messages=3)
    seconds = sizes.of(30, 8)
    cookies = [_logged_in(number) for number in range(AGENTS)]
    token = customers.create_token(User.objects.get(email="ada@demo.example"), at=timezone.now())
    connection.close()
    port = free_port()
    # As docker-compose.yml runs it.
    serving = ["-m", "uvicorn", "helpdesk.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    serving += ["--workers", "2", "--no-access-log", "--lifespan", "off", "--log-level", "error"]
    found: list[Found] = []
    with child(serving, PORT=str(port)) as server:
        alive = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
        wait_until(lambda: answers(port, alive, rb"HTTP/1\.[01] 200"), "the server's start")

        def ours(_number: int) -> Sample:
            found.append(asyncio.run(_morning(port, cookies, token, seconds)))
            told = found[-1].told
            return Sample(percentile(told, 0.5), seconds * CHANGES_A_SECOND, p95=percentile(told, 0.95))

        figures = compare({"ours": Contender(ours, processes=(server.pid,))}, rounds=1)
    shown, lists = found[0].shown, found[0].lists
    remark = (
        f"{AGENTS} agents, {CHANGES_A_SECOND} changes a second for {seconds} s; thread shown {_figures(shown)} ms; "
        f"{len(lists) / seconds:.0f} lists a second, each {_figures(lists)} ms"
    )
    yield Row("live, change to others' sockets", "ms", figures, AIM_MS, remark)


def _figures(values: list[float]) -> str:
    return f"{percentile(values, 0.5):.0f} / {percentile(values, 0.95):.0f}" if values else "-"


def _logged_in(number: int) -> str:
    user = User.objects.create_user(f"agent{number}@demo.example", None, name=f"Agent {number}")
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def _morning(port: int, cookies: list[str], token: str, seconds: int) -> Found:
    found = Found()
    worked_on = [number * 7 + 1 for number in range(AGENTS // LOOKERS)]
    agents = [
        asyncio.create_task(_agent(port, cookie, worked_on[number % len(worked_on)], found))
        for number, cookie in enumerate(cookies)
    ]
    await asyncio.sleep(3)
    changes = []
    for number in range(seconds * CHANGES_A_SECOND):
        changes.append(asyncio.create_task(_change(port, token, random.choice(worked_on), f"change-{number}-", found)))
        await asyncio.sleep(1 / CHANGES_A_SECOND)
    await asyncio.gather(*changes)
    await asyncio.sleep(2)
    for agent in agents:
        agent.cancel()
    ended = await asyncio.gather(*agents, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return found


async def _change(port: int, token: str, conversation: int, text: str, found: Found) -> None:
    found.sent_at[text] = time.perf_counter()
    body = json.dumps({"kind": "note", "text": f"{text} as promised"}).encode()
    headers = f"Authorization: Token {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    answer = await _ask(port, "POST", f"/api/v1/conversations/{conversation}/messages/", headers, body)
    assert b" 201 " in answer[:20], answer[:300]


async def _agent(port: int, cookie: str, opened: int, found: Found) -> None:
    headers = f"Cookie: {cookie}\r\n"
    stale, seq = asyncio.Event(), [0]
    lists = asyncio.create_task(_keep_list(port, headers, stale, found))
    thread = asyncio.Event()
    threads = asyncio.create_task(_keep_thread(port, headers, opened, thread, seq, found))
    seen: set[str] = set()
    try:
        async with connect(f"ws://127.0.0.1:{port}/ws/agent", additional_headers={"Cookie": cookie}) as socket:
            await socket.send(json.dumps({"t": "hello", "v": 1}))
            async for text in socket:
                frame = json.loads(text)
                if frame["t"] == "ping":
                    await socket.send(json.dumps({"t": "pong", "head": frame["head"]}))
                if frame["t"] != "ev":
                    continue
                stale.set()
                change = re.match(r"change-\d+-", frame["d"].get("preview") or "")
                if change and change.group() not in seen:
                    seen.add(change.group())
                    found.told.append((time.perf_counter() - found.sent_at[change.group()]) * 1000)
                if frame["conv"] == opened:
                    thread.set()
    finally:
        lists.cancel()
        threads.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(lists, threads)


async def _keep_list(port: int, headers: str, stale: asyncio.Event, found: Found) -> None:
    while True:
        await stale.wait()
        stale.clear()
        await asyncio.sleep(ROWS_AFTER)
        began = time.perf_counter()
        answer = await _ask(port, "GET", "/desk/rows/?view=reply&shown=50", f"{headers}HX-Request: true\r\n")
        assert b" 200 " in answer[:20], answer[:300]
        took = time.perf_counter() - began
        found.lists.append(took * 1000)
        await asyncio.sleep(min(took * PAUSE_TIMES, PAUSE_AT_MOST))


async def _keep_thread(
    port: int, headers: str, opened: int, stale: asyncio.Event, seq: list[int], found: Found
) -> None:
    seen: set[str] = set()
    while True:
        await stale.wait()
        stale.clear()
        await asyncio.sleep(THREAD_AFTER)
        path = f"/desk/conversations/{opened}/news/?seq={seq[0]}"
        answer = (await _ask(port, "GET", path, f"{headers}HX-Request: true\r\n")).decode(errors="replace")
        for change in set(re.findall(r"change-\d+-", answer)) - seen:
            seen.add(change)
            found.shown.append((time.perf_counter() - found.sent_at[change]) * 1000)
        last = re.search(r'data-seq="(\d+)"', answer)
        seq[0] = int(last.group(1)) if last else seq[0]
        await asyncio.sleep(THREAD_PAUSE)


async def _ask(port: int, method: str, path: str, headers: str, body: bytes = b"") -> bytes:
    """One request on a connection of its own; the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n"
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    return answer
