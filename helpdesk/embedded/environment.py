"""What a command or a test in this shell needs to find the servers of a data folder, started on demand if none run."""

import atexit
import json
import os
import secrets
from pathlib import Path
from typing import Final

from helpdesk.embedded.launch import prepared_data_dir
from helpdesk.embedded.postgres import start_postgres, stop_postgres
from helpdesk.embedded.processes import take_lock
from helpdesk.embedded.valkey import start_valkey, stop_valkey

SUPERVISOR_LOCK: Final = "supervisor.lock"
_USERS_LOCK: Final = "users.lock"
_FILE: Final = "environment.json"
_held: dict[Path, int] = {}


def running_environment(data_dir: Path) -> dict[str, str]:
    """Environment variables (DATABASE_URL, REDIS_URL, SECRET_KEY, …) that reach the servers of the data folder.

    While `manage.py up` runs there, they are the ones it wrote down. Otherwise both servers are started, and stopped
    again when the last process that asked for them ends. Raises EmbeddedServerError.
    """
    data_dir = prepared_data_dir(data_dir)
    written = _written(data_dir)
    if written and supervisor_is_running(data_dir):
        return written
    stay_as_user(data_dir)
    return {
        "DATABASE_URL": start_postgres(data_dir).url,
        "REDIS_URL": start_valkey(data_dir).url,
        "SECRET_KEY": secret_key(data_dir),
    }


def supervisor_is_running(data_dir: Path) -> bool:
    """Whether `manage.py up` runs on the data folder, told by the lock that dies with it."""
    lock = take_lock(data_dir / SUPERVISOR_LOCK, shared=True)
    if lock is None:
        return True
    os.close(lock)
    return False


def secret_key(data_dir: Path) -> str:
    """The data folder's key, made at the first call and kept in `secret_key`, readable by its owner only."""
    path = data_dir / "secret_key"
    if not path.exists():
        fresh = data_dir / f"secret_key.{os.getpid()}"
        _write_private(fresh, secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # whole or not at all, and the first one wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def write_environment(data_dir: Path, values: dict[str, str]) -> None:
    """Writes down, for running_environment in other shells, what the supervisor's children were given."""
    fresh = data_dir / f"{_FILE}.{os.getpid()}"
    _write_private(fresh, json.dumps(values, indent=1))
    fresh.replace(data_dir / _FILE)


def forget_environment(data_dir: Path) -> None:
    """Takes away what write_environment wrote."""
    (data_dir / _FILE).unlink(missing_ok=True)


def stay_as_user(data_dir: Path) -> None:
    """Counts this process among the users of the servers until it ends; the last one to end normally stops them."""
    if data_dir not in _held:
        descriptor = take_lock(data_dir / _USERS_LOCK, shared=True, wait=True)
        if descriptor is not None:
            _held[data_dir] = descriptor
            atexit.register(_leave, data_dir, os.getpid())


def _leave(data_dir: Path, user: int) -> None:
    if os.getpid() != user or not data_dir.exists():
        return  # a forked child shares the lock with its parent
    os.close(_held.pop(data_dir))
    alone = take_lock(data_dir / _USERS_LOCK)
    if alone is None:
        return
    try:
        if not supervisor_is_running(data_dir):
            stop_valkey(data_dir)
            stop_postgres(data_dir)
    finally:
        os.close(alone)


def _written(data_dir: Path) -> dict[str, str]:
    try:
        return dict(json.loads((data_dir / _FILE).read_text()))
    except (OSError, ValueError):
        return {}


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
