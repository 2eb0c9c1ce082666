"""One agent's open page, as the server sees it: a socket, and what static/js/news.js and conversation.js ask for when
told something.

No browser: the load must leave the processors to what is measured. What is asked, when, and how long is waited
afterwards is the scripts' own.
"""

import asyncio
import html
import json
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

MARK = re.compile(r"change-\d+-")
_SHOWN = re.compile(r'<li class="item" id="c(\d+)" data-place="(-?\d+)"')
_CURSOR = re.compile(r'id="cursor"[^>]* data-query="([^"]*)"')


@dataclass(slots=True)
class Found:
    """Milliseconds from the moment a change is sent until another agent's socket tells it, until the answer arrives
    that draws it in the thread they have open, and the one that draws it in a row of their list; `moves` until a row
    has come to that list or left it. `took` are the milliseconds of requests, by what was asked for; `pushed` how many
    news came without being asked for.
    """

    sent_at: dict[str, float] = field(default_factory=dict)
    # By conversation: when it was last sent away or back, and whether it now belongs to the list.
    sent_away: dict[int, tuple[float, bool]] = field(default_factory=dict)
    moves: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    threads: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)
    took: dict[str, list[float]] = field(default_factory=dict)
    pushed: int = 0

    def since(self, mark: str) -> float | None:
        """None for changes of before the measurement."""
        sent = self.sent_at.get(mark)
        return None if sent is None else (time.perf_counter() - sent) * 1000


class Web:
    """Requests over one connection that stays, one at a time."""

    def __init__(self, port: int, headers: str) -> None:
        self._port, self._headers = port, headers
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """The status and the whole answer's body."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._headers}"
        head += f"Content-Length: {len(body)}\r\n\r\n" if body else "\r\n"
        async with self._lock:
            # As browsers do: a server may end a connection that nothing came over for a while.
            for is_last in (self._streams is None, True):
                try:
                    return await self._over_this(head.encode() + body)
                except (asyncio.IncompleteReadError, ConnectionError):
                    self.close()
                    if is_last:
                        raise
            raise AssertionError("the second attempt answers or raises")

    async def _over_this(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", lines)
        content = await reader.readexactly(int(length.group(1))) if length else b""
        return int(lines[9:12]), content

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Gathered:
    """`gathered` of static/js/news.js: a burst is one request, after which the server is left in peace for a while.

    Long waits of many pages end at different times, as if they had been open for long.
    """

    def __init__(self, ask: Callable[[], Awaitable[None]], *, after: float, times: float, longest: float) -> None:
        self._ask, self._after, self._times, self._longest = ask, after, times, longest
        self._owed = asyncio.Event()
        self._first = random.uniform(0, after) if after > 1 else after

    def soon(self) -> None:
        self._owed.set()

    async def run(self) -> None:
        while True:
            await self._owed.wait()
            self._owed.clear()
            await asyncio.sleep(self._first)
            self._first = self._after
            began = time.perf_counter()
            await self._ask()
            await asyncio.sleep(min(self._times * (time.perf_counter() - began), self._longest))


class AgentsPage:
    """A list of what needs a reply, with one conversation open beside it."""

    def __init__(self, port: int, cookie: str, opened: int, found: Found) -> None:
        headers = f"Cookie: {cookie}\r\nHX-Request: true\r\n"
        # A browser keeps several connections: a thread does not wait for a list.
        self._thread, self._list = Web(port, headers), Web(port, headers)
        self._port, self._cookie, self._opened, self._found = port, cookie, opened, found
        self._cursor = ""
        self._socket: ClientConnection | None = None
        self._shown: set[int] = set()
        self._upto = 0
        self._moved: dict[int, float] = {}
        # What was told of each row and is not drawn yet.
        self._stale: dict[int, set[str]] = {}
        self._drawn: set[str] = set()
        self._told: set[str] = set()
        self._asks = {
            "news": Gathered(self._news, after=0.0, times=0, longest=0.0),
            "rows": Gathered(self._rows, after=30.0, times=60, longest=4.0),
        }
        # An event of the open conversation that no news follow: then they are asked for.
        self._unheard: asyncio.TimerHandle | None = None
        self._is_asking = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["AgentsPage"]:
        """From the first request to the closed page; raises what any part of it raised."""
        self._see(await self._ask(self._thread, "page", f"/desk/conversations/{self._opened}/"))
        await self._rows()
        await self._ask(self._list, "numbers", "/desk/navigation/?view=reply&here=queue")
        parts = [asyncio.create_task(part.run()) for part in self._asks.values()]
        uri = f"ws://127.0.0.1:{self._port}/ws/agent"
        async with connect(uri, additional_headers={"Cookie": self._cookie}) as socket:
            self._socket = socket
            await socket.send(json.dumps({"t": "hello", "v": 1}))
            parts.append(asyncio.create_task(self._listen(socket)))
            try:
                yield self
                for part in parts:
                    if part.done():
                        part.result()
            finally:
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
                self._thread.close()
                self._list.close()

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            frame = json.loads(text)
            if frame["t"] == "ping":
                await socket.send(json.dumps({"t": "pong", "head": frame["head"]}))
            elif frame["t"] == "welcome":
                await self._tell_rows()
                await self._tell_shown()
                for ask in self._asks.values():
                    ask.soon()
            elif frame["t"] == "rows":
                self._redraw(frame["v"])
                self._move({int(number) for number in frame["v"]}, set(frame.get("left", ())))
            elif frame["t"] == "news" and frame["conv"] == self._opened:
                self._grow(frame)
            elif frame["t"] == "ev":
                self._hear(frame)

    def _hear(self, frame: dict[str, Any]) -> None:
        mark = MARK.match(str(frame["d"].get("preview") or ""))
        if mark and mark.group() not in self._told:
            self._told.add(mark.group())
            self._count(self._found.told, mark.group())
        if frame["conv"] == self._opened:
            self._heard()
            self._unheard = asyncio.get_running_loop().call_later(2, self._asks["news"].soon)
        if mark and frame["conv"] in self._shown:
            self._stale.setdefault(frame["conv"], set()).add(mark.group())
        if frame["k"] != "msg.edit":
            self._asks["rows"].soon()

    def _heard(self) -> None:
        if self._unheard is not None:
            self._unheard.cancel()

    def _grow(self, frame: dict[str, Any]) -> None:
        self._heard()
        if "html" not in frame or self._is_asking or self._cursor != frame["after"]:
            self._asks["news"].soon()
            return
        self._found.pushed += bool(self._found.sent_at)
        self._draw(frame["html"])
        self._cursor = frame["next"]

    def _draw(self, answer: str) -> None:
        for mark in set(MARK.findall(answer)) - self._drawn:
            self._drawn.add(mark)
            self._count(self._found.threads, mark)

    def _redraw(self, rows: dict[str, str]) -> None:
        """A row that comes after its event was told was drawn after it."""
        for number in rows:
            for mark in self._stale.pop(int(number), ()):
                self._count(self._found.rows, mark)

    def _move(self, told: set[int], left: set[int]) -> None:
        """Rows that came or went, each counted once for each time that it was sent away or back."""
        self._shown = (self._shown | told) - left
        for number in told | left:
            at, is_in = self._found.sent_away.get(number, (0.0, False))
            if at and is_in == (number not in left) and self._moved.get(number) != at:
                self._moved[number] = at
                self._found.moves.append((time.perf_counter() - at) * 1000)

    async def _news(self) -> None:
        path = f"/desk/conversations/{self._opened}/news/?{self._cursor}"
        self._heard()
        self._is_asking = True
        answer = await self._ask(self._thread, "news", path)
        self._is_asking = False
        self._draw(answer)
        self._see(answer)
        await self._tell_shown()

    def _see(self, answer: str) -> None:
        found = _CURSOR.search(answer)
        self._cursor = html.unescape(found.group(1)) if found else self._cursor

    async def _rows(self) -> None:
        answer = await self._ask(self._list, "rows", f"/desk/rows/?view=reply&shown={len(self._shown)}")
        rows = _SHOWN.findall(answer)
        shown = {int(number) for number, _place in rows}
        changed, self._shown, self._upto = shown != self._shown, shown, max(int(place) for _number, place in rows)
        if changed and self._socket is not None:
            await self._tell_rows()

    async def _tell_shown(self) -> None:
        assert self._socket is not None
        frame = {"t": "thread", "conv": self._opened, "after": self._cursor, "lang": "en"}
        await self._socket.send(json.dumps(frame))

    async def _tell_rows(self) -> None:
        assert self._socket is not None
        frame = {"t": "list", "rows": sorted(self._shown), "lang": "en", "view": "view=reply", "upto": self._upto}
        await self._socket.send(json.dumps(frame))

    def _count(self, values: list[float], mark: str) -> None:
        since = self._found.since(mark)
        if since is not None:
            values.append(since)

    async def _ask(self, web: Web, what: str, path: str) -> str:
        began = time.perf_counter()
        status, answer = await web.ask("GET", path)
        assert status in (200, 204), (path, status, answer[:300])
        if self._found.sent_at:
            self._found.took.setdefault(what, []).append((time.perf_counter() - began) * 1000)
        return answer.decode(errors="replace")
