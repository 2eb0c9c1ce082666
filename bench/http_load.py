"""The same request again and again over a few connections that stay open: how many answers a second."""

import asyncio
import time


class _Asking(asyncio.Protocol):
    """One connection: asks, counts the bytes of the answer, asks again."""

    def __init__(self, request: bytes, length: int, count: int) -> None:
        self._request, self._length, self._left = request, length, count
        self._missing = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing == 0:
            self._left -= 1
            self._ask()
        elif self._missing < 0:
            self._end(ValueError("an answer was longer than the first one"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server has hung up"))

    def _ask(self) -> None:
        if self._left:
            self._missing = self._length
            self._transport.write(self._request)
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)
            self._transport.close()


def rate(port: int, path: str, *, connections: int, count: int, headers: str = "") -> float:
    """Answers a second, of `count` in all. Every answer must be as long as the first, and that must be a 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
    return asyncio.run(_rate(port, request, connections, count))


async def _rate(port: int, request: bytes, connections: int, count: int) -> float:
    length = await _length(port, request)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Asking(request, length, count // connections), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _transport, protocol in opened))
    return count // connections * connections / (time.perf_counter() - began)


async def _length(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise ValueError(f"the first answer is {head[:200]!r}")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    writer.close()
    return len(head) + length
