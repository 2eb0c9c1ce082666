"""Parts of the helpdesk as processes of their own, on the benchmark's database."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from bench import ground

PATIENCE = 60.0


@contextmanager
def child(arguments: Sequence[str], *, pipes: bool = False, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """`python ARGUMENTS` until the block ends; with `pipes` its standard input and output are ours."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ground.ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipes else subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Raises TimeoutError after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took more than {PATIENCE:g} s")
        time.sleep(0.01)


def answers(port: int, words: bytes, expected: bytes) -> bool:
    """Whether the server on the port answers the words with a first line of that pattern."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(words)
        return re.match(expected, connection.recv(64)) is not None
    return False
