"""Visitors' browsers as a process of its own: `python -m bench.visitor_load`, one job a line, one answer a line.

Plain protocols on uvloop, so that what is measured is the server: a client that decodes what it need not know, or
shares an event loop with who measures, adds its own milliseconds to every figure.
"""

import asyncio
import json
import re
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import uvloop

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    # As every browser asks for it: what compression costs the server belongs to the figures.
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "Sec-WebSocket-Protocol: desk.v1\r\n\r\n"
)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_PATIENCE = 60.0


class Socket(asyncio.Protocol):
    """A page's socket (RFC 6455, RFC 7692) for what servers send here: whole text frames, pings, a close. `hear` is
    given the text of each frame."""

    def __init__(self, handshake: bytes, hear: Callable[[bytes], None]) -> None:
        self._handshake, self._hear = handshake, hear
        self._rest, self.code = b"", 0
        self._inflate = zlib.decompressobj(-15)
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self.opened.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.transport.close()
                return
            self.opened.set_result(None)
        while (frame := _frame(data)) is not None:
            first, payload, data = frame
            self._take(first, payload)
        self._rest = data

    def _take(self, first: int, payload: bytes) -> None:
        kind = first & 0x0F
        if kind == _PING:
            self._write(_PONG, payload)
        elif kind == _CLOSE:
            self.code = int.from_bytes(payload[:2], "big")
            self.transport.close()
        elif kind == _TEXT:
            self._hear(self._inflate.decompress(payload + b"\x00\x00\xff\xff") if first & 0x40 else payload)

    def send(self, text: bytes) -> None:
        self._write(_TEXT, text)

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        # A mask of zeros is a mask; it hides nothing, which is no matter here.
        self.transport.write(bytes([0x80 | kind]) + length + b"\x00\x00\x00\x00" + payload)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("refused"))
        self.closed.set_result(None)


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first byte, the payload, and what follows; None while it is not whole."""
    if len(data) < 2:
        return None
    size, start = data[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    end = start + size
    return (data[0], data[start:end], data[end:]) if len(data) >= end else None


class Web(asyncio.Protocol):
    """A connection for requests, one at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._data = b""
        self._answer: asyncio.Future[bytes] | None = None

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        """The status line and all else of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if end and self._answer and len(body) >= (int(found.group(1)) if found else 0):
            answer, self._data = self._data, b""
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("gone"))


class Load:
    """One job's visitors, `[token, conversation]` each. `is_echo`: messages go over the socket and come back there,
    else they are posted and come back there.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._port, self._is_echo = int(job["port"]), bool(job.get("is_echo"))
        self._visitors: list[tuple[str, str]] = [(token, conversation) for token, conversation in job["visitors"]]
        self._sockets: list[Socket] = []
        self._idle_webs: list[Web] = []
        self._sent: dict[bytes, float] = {}
        self._took: list[float] = []
        self._heard: dict[bytes, asyncio.Future[None]] = {}
        self._all_heard = asyncio.Event()

    # What comes.

    def _hear(self, text: bytes) -> None:
        now = time.perf_counter()
        at = text.find(b"mark-")
        if at < 0 or not (self._is_echo or text.startswith(b'{"t":"msg.new"')):
            return
        mark = text[at : text.index(b".", at)]
        sent = self._sent.pop(mark, None)
        if sent is not None:
            self._took.append((now - sent) * 1000)
            if not self._sent:
                self._all_heard.set()
        waiting = self._heard.pop(mark, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # What goes.

    async def open(self, number: int) -> Socket:
        """A socket of this visitor, welcomed. Raises OSError."""
        visitor, loop = self._visitors[number % len(self._visitors)], asyncio.get_running_loop()
        welcomed: asyncio.Future[None] = loop.create_future()

        def hear(text: bytes) -> None:
            if not welcomed.done() and text.startswith(b'{"t":"welcome"'):
                welcomed.set_result(None)
            else:
                self._hear(text)

        path = "/echo" if self._is_echo else "/ws/chat"
        handshake = _HANDSHAKE.format(path=path, port=self._port).encode()
        _transport, socket = await loop.create_connection(lambda: Socket(handshake, hear), "127.0.0.1", self._port)
        await socket.opened
        if not self._is_echo:
            hello = {"t": "hello", "v": 1, "key": "pk_demo", "session": visitor[0], "conv": visitor[1], "after": 0}
            socket.send(json.dumps(hello).encode())
            await asyncio.wait({welcomed, socket.closed}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not welcomed.done():
                raise ConnectionError(f"not welcomed: {socket.code}")
        self._sockets.append(socket)
        return socket

    async def open_all(self, count: int, at_once: int = 20) -> None:
        turn = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with turn:
                await self.open(number)

        # Visitors take turns, so that each has the same number of sockets: one may have ten.
        first = len(self._sockets)
        await asyncio.gather(*(one(first + number) for number in range(count)))

    async def say(self, place: int, mark: bytes) -> None:
        """Until it is taken: acknowledged, or back again where messages go over sockets. A mark ends with a dot, so
        that none is another one's beginning.
        """
        text = mark.decode() + ". And a few words more, as people write them."
        if self._is_echo:
            self._heard[mark] = asyncio.get_running_loop().create_future()
            back = self._heard[mark]
            self._sockets[place].send(json.dumps({"cid": str(uuid4()), "text": text}).encode())
            await back
            return
        token, conversation = self._visitors[place % len(self._visitors)]
        body = json.dumps({"cid": str(uuid4()), "text": text}).encode()
        web = await self._web()
        head = (
            f"POST /chat/api/conversations/{conversation}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = await web.ask(head.encode() + body)
        assert answer[9:12] == b"201", answer[:500]
        self._idle_webs.append(web)

    async def _web(self) -> Web:
        """A connection that nobody uses: servers end those over which nothing came for a while."""
        while self._idle_webs:
            web = self._idle_webs.pop()
            if not web.transport.is_closing():
                return web
        _transport, web = await asyncio.get_running_loop().create_connection(Web, "127.0.0.1", self._port)
        return web

    # The jobs.

    async def ceiling(self, count: int, senders: int) -> dict[str, float]:
        """Messages a second, each sender's next one as soon as the last was taken."""
        if self._is_echo:
            await self.open_all(senders)

        async def send(share: int) -> None:
            for number in range(share, count, senders):
                await self.say(share if self._is_echo else number, b"mark-%d" % number)

        began = time.perf_counter()
        await asyncio.gather(*(send(share) for share in range(senders)))
        return {"rate": count / (time.perf_counter() - began)}

    async def delivery(self, seconds: int, rate: int) -> dict[str, Any]:
        """Milliseconds from saying something until it arrives at the visitor's socket, all of which are open."""
        places = len(self._visitors)
        warm, count = 2 * rate, seconds * rate
        sending, began = [], time.perf_counter()
        for number in range(warm + count):
            mark = b"mark-%d" % number
            if number == warm:
                print(json.dumps({"warm": True}), flush=True)
                load = time.process_time()
            if number >= warm:
                self._sent[mark] = time.perf_counter()
            sending.append(asyncio.create_task(self.say(number * 7 % places, mark)))
            await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
        load = time.process_time() - load
        await asyncio.gather(*sending)
        if self._sent:
            self._all_heard.clear()
            await asyncio.wait({asyncio.create_task(self._all_heard.wait())}, timeout=5)
        return {"took": self._took, "lost": len(self._sent), "load": load}

    async def back(self) -> dict[str, float]:
        """Everybody's socket, all at once and again until it is so; when the last one was welcomed."""

        async def one(number: int) -> None:
            while True:
                try:
                    await self.open(number)
                except OSError:
                    await asyncio.sleep(0.2)
                else:
                    return

        await asyncio.gather(*(one(number) for number in range(len(self._visitors))))
        return {"at": time.perf_counter()}


async def _run(job: dict[str, Any]) -> None:
    load, loop = Load(job), asyncio.get_running_loop()
    if job["do"] == "ceiling":
        answer: dict[str, Any] = await load.ceiling(job["count"], job["senders"])
    elif job["do"] == "delivery":
        await load.open_all(len(job["visitors"]))
        answer = await load.delivery(job["seconds"], job["rate"])
    elif job["do"] == "back":
        answer = await load.back()
    else:
        # Opened in two parts, so that what the first ones load is not counted as the others' size.
        for part in job["parts"]:
            await load.open_all(part)
            print(json.dumps({"open": part}), flush=True)
            await loop.run_in_executor(None, sys.stdin.readline)
        return
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(json.loads(sys.stdin.readline())))
