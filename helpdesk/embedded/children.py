"""The supervisor's children: each in its own process group, its words passed on, started again when it ends."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from helpdesk.embedded.processes import die_with_parent, running_processes
from helpdesk.embedded.terminal import Terminal

_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 30.0
_STEADY_SECONDS: Final = 30.0
_LONGEST_LINE: Final = 3900


class Child:
    """One command that shall always run."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.start_at = 0.0
        self._command = list(command)
        self._environment = dict(environment)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._started_at = 0.0
        self._delay = _FIRST_DELAY

    @property
    def pid(self) -> int | None:
        """Its process id, which is its process group's too, while it runs."""
        return self._process.pid if self._process else None

    @property
    def output(self) -> int | None:
        """The descriptor its words come from, while it runs."""
        return self._process.stdout.fileno() if self._process and self._process.stdout else None

    def start(self) -> None:
        """Starts it now. Call from the main thread: on Linux it dies with the thread that started it."""
        supervisor = os.getpid()

        def tie_to_supervisor() -> None:
            die_with_parent()
            if os.getppid() != supervisor:
                os._exit(1)  # it died before we were tied to it

        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment,
            process_group=0,
            preexec_fn=tie_to_supervisor,
        )
        self._started_at = time.monotonic()
        if self._process.stdout:
            os.set_blocking(self._process.stdout.fileno(), False)

    def pass_on(self, terminal: Terminal) -> bool | None:
        """Says what it said since: True when it said something, None when nothing yet, False when nothing will come."""
        descriptor = self.output
        if descriptor is None:
            return False
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (not data or len(self._rest) > _LONGEST_LINE):
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            terminal.say(line[:_LONGEST_LINE].decode(errors="replace"), name=self.name)
        return bool(data)

    def ended(self, terminal: Terminal) -> str | None:
        """How it ended, once it has; what it started is ended too and `start_at` (time.monotonic) is set."""
        if self._process is None or self._process.poll() is None:
            return None
        self.kill()
        while self.pass_on(terminal):
            continue
        if self._process.stdout:
            self._process.stdout.close()
        code = self._process.returncode
        self._process = None
        now = time.monotonic()
        if now - self._started_at >= _STEADY_SECONDS:
            self._delay = _FIRST_DELAY
        self.start_at = now + self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY)
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def terminate(self) -> None:
        """Asks it to end: itself alone, for what it started is its own to end in order."""
        self._send(signal.SIGTERM, group=False)

    def kill(self) -> None:
        """Ends it and everything in its process group."""
        self._send(signal.SIGKILL, group=True)

    def _send(self, number: signal.Signals, *, group: bool) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number) if group else os.kill(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # already gone; macOS says PermissionError for a group of zombies


def remember_children(path: Path, children: Iterable[Child]) -> None:
    """Writes down the process groups, for a start after a kill -9 of the supervisor."""
    groups = {child.name: child.pid for child in children if child.pid}
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(groups))
    fresh.replace(path)


def end_forgotten_children(path: Path, program: str) -> list[str]:
    """Ends what a killed supervisor left behind, and names it.

    Only processes of a group that was written down and that run `program` (a path): group ids are used again.
    """
    try:
        groups = {group: name for name, group in json.loads(path.read_text()).items()}
    except (OSError, ValueError):
        return []
    left = [process for process in running_processes() if process.group in groups and program in process.command]
    for process in left:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    path.unlink(missing_ok=True)
    return sorted({groups[process.group] for process in left})
