"""live: from a change to the pages of others, with fifty agents at work on their lists and twenty changes a second."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from bench import ground, volume
from bench.agents_page import AgentsPage, Found, Web
from bench.children import answers, child, free_port, wait_until
from bench.meters import Meter, Use
from bench.rounds import Figure, Row, percentile
from bench.sizes import Sizes
from helpdesk.conversations.models import Conversation
from helpdesk.customers import actions as customers
from helpdesk.customers.models import User

AGENTS = 50
CHANGES_A_SECOND = 20
AIM_MS = 500.0
CONVERSATIONS = 10_000
# So many agents look at each conversation that is worked on.
LOOKERS = 2
# Pages come one after the other, and the first work is not counted: a server that has just started is another question.
ARRIVAL_SECONDS, WARM_SECONDS = 0.05, 4
# What is done: notes mostly, replies, priorities, which change what stands beside a thread and in a row, and statuses,
# by which conversations leave everybody's list and come back to it.
MIX = ("note", "note", "note", "outbound", "priority", "status")
MOVING = 15


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    volume.grow(CONVERSATIONS, messages=3)
    seconds = sizes.of(30, 12)
    cookies = [_logged_in(number) for number in range(AGENTS)]
    token = customers.create_token(User.objects.get(email="ada@demo.example"), at=timezone.now())
    # What is worked on is what is due next: it stands in everybody's list.
    due = Conversation.objects.filter(status__in=("new", "open"), is_spam=False).order_by("next_due_at", "pk")
    first = list(due.values_list("pk", flat=True)[: AGENTS // LOOKERS + MOVING])
    worked_on, moving = first[MOVING:], first[:MOVING]
    connection.close()
    port = free_port()
    # As docker-compose.yml runs it.
    serving = ["-m", "uvicorn", "helpdesk.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    serving += ["--workers", "2", "--no-access-log", "--lifespan", "off", "--log-level", "error"]
    serving += ["--ws-per-message-deflate", "false"]
    found = Found()
    with child(serving, PORT=str(port)) as server:
        alive = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
        wait_until(lambda: answers(port, alive, rb"HTTP/1\.[01] 200"), "the server's start")
        cost = asyncio.run(_Morning(port, token, worked_on, moving, found).run(cookies, seconds, server.pid))
    each = 1000 / (seconds * CHANGES_A_SECOND)
    remark = (
        f"{AGENTS} agents, {CHANGES_A_SECOND} changes a second for {seconds} s; processors busy: server "
        f"{cost.use.application / cost.use.seconds:.2f}, database {cost.use.database / cost.use.seconds:.2f}, "
        f"the load itself {cost.load / cost.use.seconds:.2f}; "
        f"a second: news unasked {found.pushed / seconds:.1f}, {_requests(found, seconds)}"
    )
    for name, values in (
        ("sockets", found.told),
        ("threads", found.threads),
        ("rows", found.rows),
        ("lists", found.moves),
    ):
        value, p95 = percentile(values, 0.5), percentile(values, 0.95)
        use = (cost.use.application * each, cost.use.database * each, cost.use.foreign)
        figure = Figure(value, (value, value), p95, *use)
        note = remark if name == "lists" else ""
        yield Row(f"live, change to others' {name}", "ms", {"ours": figure}, AIM_MS, note, aims_p95=True)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of the measured seconds: what the product used, and seconds of processor time of the load itself."""

    use: Use
    load: float


def _requests(found: Found, seconds: int) -> str:
    """Of each kind how many a second, and how long they took."""
    parts = []
    for what, took in sorted(found.took.items()):
        parts.append(
            f"{what} {len(took) / seconds:.1f} ({percentile(took, 0.5):.0f} / {percentile(took, 0.95):.0f} ms)"
        )
    return ", ".join(parts)


def _logged_in(number: int) -> str:
    user = User.objects.create_user(f"agent{number}@demo.example", None, name=f"Agent {number}")
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class _Morning:
    """Agents come one after the other and look on while changes are made."""

    def __init__(self, port: int, token: str, worked_on: list[int], moving: list[int], found: Found) -> None:
        self._port, self._worked_on, self._moving, self._found = port, worked_on, moving, found
        self._turns = 0
        headers = f"Authorization: Token {token}\r\nContent-Type: application/json\r\n"
        self._webs = [Web(port, headers) for _ in worked_on]

    async def run(self, cookies: list[str], seconds: int, server: int) -> _Cost:
        async with AsyncExitStack() as pages:
            for number, cookie in enumerate(cookies):
                opened = self._worked_on[number % len(self._worked_on)]
                await pages.enter_async_context(AgentsPage(self._port, cookie, opened, self._found).open())
                await asyncio.sleep(ARRIVAL_SECONDS)
            await self._change(WARM_SECONDS, "")
            meter, load = Meter((server,)), time.process_time()
            await self._change(seconds, "change")
            cost = _Cost(meter.stop(), time.process_time() - load)
            await asyncio.sleep(2)
        for web in self._webs:
            web.close()
        return cost

    async def _change(self, seconds: int, name: str) -> None:
        changes = []
        began = time.perf_counter()
        for number in range(seconds * CHANGES_A_SECOND):
            changes.append(asyncio.create_task(self._one(number, f"{name}-{number}-" if name else "")))
            await asyncio.sleep(max(0.0, began + (number + 1) / CHANGES_A_SECOND - time.perf_counter()))
        await asyncio.gather(*changes)

    async def _one(self, number: int, mark: str) -> None:
        place = random.randrange(len(self._worked_on))
        path = f"/api/v1/conversations/{self._worked_on[place]}/"
        kind = MIX[number % len(MIX)]
        if kind == "status":
            moved, is_in = self._moving[self._turns % MOVING], self._turns // MOVING % 2 == 1
            self._turns += 1
            body, method = {"status": "open" if is_in else "resolved"}, "PATCH"
            path = f"/api/v1/conversations/{moved}/"
            if mark:
                self._found.sent_away[moved] = (time.perf_counter(), is_in)
        elif kind == "priority":
            body, method = {"priority": random.choice(("low", "normal", "high", "urgent"))}, "PATCH"
        else:
            # Answered and left open, so that it stays in everybody's list.
            body, method = {"kind": kind, "text": f"{mark} as promised", "status": "open"}, "POST"
            path += "messages/"
            if mark:
                self._found.sent_at[mark] = time.perf_counter()
        status, answer = await self._webs[place].ask(method, path, json.dumps(body).encode())
        assert status in (200, 201), (status, answer[:300])
