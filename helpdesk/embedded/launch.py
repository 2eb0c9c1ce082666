"""Starting a server that outlives a call: in its own session, its words in a file, its end noticed."""

import os
import subprocess
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from helpdesk.embedded.processes import EmbeddedServerError

_LARGEST_LOG: Final = 10 * 1024 * 1024
# Children of this process by id: kept so that they can be reaped when they end.
_started: dict[int, subprocess.Popen[bytes]] = {}


def package_folder(package: str) -> Path:
    """Where an installed package lies, without importing it (the wheels' own Python costs 100 ms at every start)."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"The package that brings the embedded server ({package}) is not installed here. "
            "Install requirements.lock, or give DATABASE_URL and REDIS_URL."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def prepared_data_dir(data_dir: Path) -> Path:
    """The absolute data folder, created when missing. Others may pass through it to what is theirs, not list it."""
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    return data_dir


def launch(command: Sequence[str], *, log: Path, become: Callable[[], None]) -> int:
    """Starts a server in its own session, so that neither Ctrl-C nor our end reaches it, and returns its process id."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            preexec_fn=become,
        )
    finally:
        os.close(descriptor)
    _started[process.pid] = process
    return process.pid


def run_tool(command: Sequence[str], *, become: Callable[[], None], given: str = "") -> None:
    """Runs a tool of the server to its end. Raises EmbeddedServerError with what it said."""
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=_environment(),
        preexec_fn=become,
        check=False,
    )
    if done.returncode:
        raise EmbeddedServerError(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr).strip()}")


def reap(pid: int) -> bool:
    """True when `pid` was a child of ours that has ended; its remains are taken away."""
    process = _started.get(pid)
    if process is None or process.poll() is None:
        return False
    del _started[pid]
    return True


def reap_ended() -> None:
    """Takes away the remains of every server this process started that has ended since."""
    for pid in list(_started):
        reap(pid)


def last_words(log: Path, *, since: int) -> str:
    """What the server wrote after the first `since` bytes of its log, the last 4 kB of it."""
    with log.open("rb") as lines:
        lines.seek(max(since, log.stat().st_size - 4096))
        return lines.read().decode(errors="replace").strip()


def _environment() -> dict[str, str]:
    # PG* and LC_* of the caller's shell must not change what the server is; TMPDIR and PATH stay.
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
