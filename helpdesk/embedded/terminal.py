"""Lines for the operator that never make anybody wait: who does not read them loses them, and is told how many."""

import os
import select
from typing import Final

_CHUNK: Final = 4096  # POSIX: a pipe that is ready for writing takes PIPE_BUF bytes without blocking


class Terminal:
    """Writes whole lines to a descriptor, as long as it takes them.

    A supervisor that waits for its reader makes its children wait, then the mail: so it never does.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._unread = 0
        self._closed = False

    def say(self, text: str, *, name: str = "") -> None:
        """One or several lines, each under the name of the child that said it."""
        for line in text.splitlines() or [""]:
            self._write(f"{name:<13} | {line}\n" if name else f"{line}\n")

    def _write(self, line: str) -> None:
        if self._unread and self._send(f"({self._unread} lines not shown: nobody read them)\n"):
            self._unread = 0
        if self._unread or not self._send(line):
            self._unread += 1

    def _send(self, line: str) -> bool:
        if self._closed:
            return False
        data = line.encode(errors="replace")[:_CHUNK]
        if not any(event & select.POLLOUT for _descriptor, event in self._poll.poll(0)):
            return False
        try:
            os.write(self._descriptor, data)
        except OSError:  # the reader has gone; the helpdesk goes on
            self._closed = True
            return False
        return True
