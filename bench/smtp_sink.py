"""An SMTP server that takes everything and keeps nothing: `python -m bench.smtp_sink PORT`. As lean as one can be, so
that the sender is what is measured.
"""

import asyncio
import sys

_REPLIES = {b"EHLO": b"250-sink\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Sink(asyncio.Protocol):
    """One connection: lines are answered at once, content is thrown away up to the line with a dot."""

    def __init__(self) -> None:
        self._buffer, self._is_content = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            if self._is_content:
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    self._buffer = self._buffer[-4:]
                    return
                self._buffer, self._is_content = self._buffer[end + 5 :], False
                self._transport.write(b"250 taken\r\n")
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                return
            self._buffer, verb = rest, line[:4].upper()
            self._is_content = verb == b"DATA"
            self._transport.write(_REPLIES.get(verb, b"250 fine\r\n"))


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
