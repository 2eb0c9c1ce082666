"""What an SMTP client sends, cut into commands and mails, in bounded memory.

Own buffering instead of StreamReader.readuntil: a mail is looked through once and not line by line, lines may have any
length, and what was sent ahead (RFC 2920) stays where it is.
"""

import asyncio
from collections.abc import Callable
from typing import Final

CHUNK: Final = 256 * 1024
# Only this ends a mail (RFC 5321 §4.1.1.4). Anything more generous (LF.LF, CR.CR …) is SMTP smuggling, CVE-2023-51766.
_END: Final = b"\r\n.\r\n"
# After this many times the limit, whoever still sends is cut off.
_PATIENCE: Final = 4


class Disconnected(Exception):
    """The client is gone, or has to go."""


class MailTooBig(Exception):
    """The mail was read to its end and thrown away."""


class NoMemory(Exception):
    """All mails being received together are too big; this one was read to its end and thrown away."""


class Memory:
    """A number of bytes that all connections share for the mails they are receiving."""

    def __init__(self, total: int) -> None:
        self._free = total

    def take(self, size: int) -> bool:
        """Whether that much was still free; it is taken then."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def give_back(self, size: int) -> None:
        self._free += size


class Input:
    """One connection's input. `alive` is called for each piece of a mail and may raise Disconnected."""

    def __init__(self, reader: asyncio.StreamReader, memory: Memory, alive: Callable[[], None]) -> None:
        self._reader = reader
        self._memory = memory
        self._alive = alive
        self._buffer = bytearray()
        self.held = 0

    async def command(self, limit: int) -> bytes | None:
        """The next line without its end, or None when it is longer than `limit` bytes. Raises Disconnected."""
        too_long = False
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            if len(self._buffer) > limit:
                too_long = True
                self._buffer.clear()
            start = len(self._buffer)
            self._buffer += await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return None if too_long or len(line) > limit else line.rstrip(b"\r")

    async def mail(self, limit: int) -> bytes:
        """The mail up to its end, dots undone (RFC 5321 §4.5.2). Raises MailTooBig, NoMemory, Disconnected.

        Its bytes count in `held` until `release`.
        """
        refusal: Exception | None = None
        mail, self._buffer = self._buffer, bytearray()
        mail[:0] = b"\r\n"  # so that an end or a dot at the very start is seen like any other
        read = start = 0
        while True:
            if refusal is None and not self._hold(len(mail) - self.held):
                refusal = NoMemory()
            end = mail.find(_END, start)
            if end >= 0:
                break
            if len(mail) > limit + 2 * len(_END):
                refusal = refusal or MailTooBig()
            if refusal:
                self.release()
                del mail[: -len(_END)]
            start = max(0, len(mail) - len(_END) + 1)
            piece = await self._more()
            read += len(piece)
            if read > _PATIENCE * limit:
                raise Disconnected
            self._alive()
            mail += piece
        self._buffer = mail[end + len(_END) :]
        if refusal or end > limit:
            self.release()
            raise refusal or MailTooBig
        del mail[end + 2 :]
        if b"\r\n." in mail:
            mail = mail.replace(b"\r\n.", b"\r\n")
        return bytes(memoryview(mail)[2:])

    def discard(self) -> None:
        """Forget what was sent ahead."""
        self._buffer.clear()

    def release(self) -> None:
        """The mail read last is needed no longer."""
        self._memory.give_back(self.held)
        self.held = 0

    def _hold(self, size: int) -> bool:
        if size <= 0:
            return True
        if not self._memory.take(size):
            return False
        self.held += size
        return True

    async def _more(self) -> bytes:
        piece = await self._reader.read(CHUNK)
        if not piece:
            raise Disconnected
        return piece
