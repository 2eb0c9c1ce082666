"""What we ask of the operating system about processes, and locks that die with their holder."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG: Final = 1
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be created, started or stopped; the text says why in words for the operator."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A live process (zombies are not listed): its id, its process group and its command line."""

    pid: int
    group: int
    command: str


def running_process(pid: int) -> RunningProcess | None:
    """The process `pid`, or None when there is none or it is only waiting to be reaped."""
    if not LINUX:
        return next((process for process in _ps("-p", str(pid))), None)
    folder = Path("/proc") / str(pid)
    try:
        # The name in parentheses may itself hold spaces and parentheses: what follows the last one is regular.
        state, _parent, group = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else RunningProcess(pid, int(group), command.strip())


def running_processes() -> Iterator[RunningProcess]:
    """Every live process this user may see."""
    if not LINUX:
        yield from _ps("-ax")
        return
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := running_process(int(name))):
            yield process


def _ps(*selection: str) -> Iterator[RunningProcess]:
    listing = subprocess.run(
        ["ps", *selection, "-o", "pid=,pgid=,stat=,command="], capture_output=True, text=True, check=False
    )
    for line in listing.stdout.splitlines():
        pid, group, state, *command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield RunningProcess(int(pid), int(group), " ".join(command))


def working_folder(pid: int) -> Path | None:
    """The current folder of a process; None when it is gone or the system does not tell (macOS)."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """True as soon as the condition holds, False when it did not within that many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


def end_process(pid: int, *signals: signal.Signals, seconds_each: float) -> bool:
    """Sends the signals one after the other, waiting after each; True once the process is gone."""
    for number in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_until(lambda: running_process(pid) is None, seconds=seconds_each):
            return True
    return False


def die_with_parent() -> None:
    """Run in a child before exec: the kernel kills it when the thread that started it dies, be it by kill -9.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere the next start ends what was left behind.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def follow_parent(number: signal.Signals) -> None:
    """Asks the kernel to send this process `number` when its parent dies (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def take_lock(path: Path, *, shared: bool = False, wait: bool = False) -> int | None:
    """Takes a lock that ends with this process, however it ends.

    Returns the descriptor that holds it (close it to let go), or None when somebody else holds it and `wait` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock for the block, waiting for whoever has it."""
    descriptor = take_lock(path, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
