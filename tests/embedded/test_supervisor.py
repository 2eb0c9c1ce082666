"""The real supervisor with stand-ins for its children: small programs that answer like web and mail."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.embedded.postgres import postgres_is_running, stop_postgres
from helpdesk.embedded.processes import running_process, running_processes, wait_until
from helpdesk.embedded.valkey import stop_valkey, valkey_is_running
from tests.fixtures.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
ASGI = """
async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
"""
CELERY = """
import os
from celery import Celery
app = Celery("stand-in", broker=os.environ["REDIS_URL"].replace("unix://", "redis+socket://"))
"""
MANAGE = """
import os, socket, sys, time, psycopg2
from helpdesk import supervisor
command = sys.argv[1]
if command == "up":
    sys.exit(supervisor.main())
if command == "prepare_database":
    if os.environ.get("FAIL"):
        sys.exit("no such table")
    print("prepared, demo", os.environ["HELPDESK_DEMO"])
    if "127.0.0.1" not in os.environ["DATABASE_URL"]:
        with psycopg2.connect(os.environ["DATABASE_URL"]) as connection:
            connection.cursor().execute("CREATE TABLE django_migrations (app text, name text)")
    sys.exit()
if command == "receive_mail_smtp":
    server = socket.create_server(("127.0.0.1", int(os.environ["SMTP_PORT"])))
    while True:
        server.accept()[0].send(b"220 here")
time.sleep(600)
"""


def clean_environment(data_dir: Path) -> dict[str, str]:
    unset = ("DATABASE_URL", "REDIS_URL", "HELPDESK_DEMO", "SECRET_KEY", "MAKELEVEL", "DJANGO_SETTINGS_MODULE")
    ports = {"PORT": str(free_port()), "SMTP_PORT": str(free_port())}
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    return inherited | ports | {"DATA_DIR": str(data_dir)}


class Run:
    """One `manage.py up` on a data folder, what it says, and the processes it has started."""

    def __init__(self, project: Path, data_dir: Path, said: Path, **environment: str) -> None:
        self.project, self.data_dir, self.said = project, data_dir, said
        with said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=project,
                env=clean_environment(data_dir) | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def says(self, text: str, *, times: int = 1) -> bool:
        return wait_until(lambda: self.said.read_text().count(text) >= times, seconds=60)

    def pids(self, word: str) -> list[int]:
        """Those below the stand-in project whose command holds the word."""
        return [
            process.pid
            for process in running_processes()
            if word in process.command and sys.executable in process.command and self._is_ours(process.pid)
        ]

    def _is_ours(self, pid: int) -> bool:
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(self.project)
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    project = tmp_path / "project"
    (project / "helpdesk").mkdir(parents=True)
    (project / "helpdesk" / "__init__.py").touch()
    (project / "helpdesk" / "embedded").symlink_to(PROJECT / "helpdesk" / "embedded")
    shutil.copy(PROJECT / "helpdesk" / "supervisor.py", project / "helpdesk")
    (project / "helpdesk" / "asgi.py").write_text(ASGI)
    (project / "helpdesk" / "celery.py").write_text(CELERY)
    (project / "manage.py").write_text(MANAGE)
    data_dir = tmp_path / "data"
    runs: list[Run] = []

    def start_one(**environment: str) -> Run:
        runs.append(Run(project, data_dir, tmp_path / f"said{len(runs)}", **environment))
        return runs[-1]

    yield start_one
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(60)
    stop_valkey(data_dir)
    stop_postgres(data_dir)


linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc to find the processes")


@linux_only
def test_it_restarts_what_dies_and_stops_everything_when_asked(start: Callable[..., Run]) -> None:
    run = start()
    assert run.says("Helpdesk is ready at http://127.0.0.1:")
    assert "prepared, demo 1" in run.said.read_text()
    assert "ada@demo.example" in run.said.read_text()

    (web,) = run.pids("uvicorn")
    os.kill(web, signal.SIGKILL)
    assert run.says("web was killed by SIGKILL; it starts again in 0.")
    assert wait_until(lambda: run.pids("uvicorn") not in ([], [web]), seconds=20)

    server = int((run.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(server, signal.SIGKILL)
    os.kill(int((run.data_dir / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
    assert run.says("PostgreSQL has ended; starting it again")
    assert run.says("Valkey has ended; starting it again")
    assert wait_until(lambda: postgres_is_running(run.data_dir) and valkey_is_running(run.data_dir), seconds=20)

    assert wait_until(lambda: len(run.pids("celery")) >= 4, seconds=20)  # worker, its two, beat
    assert run.stop() == 0
    assert run.pids("") == []
    assert not postgres_is_running(run.data_dir)
    assert not valkey_is_running(run.data_dir)
    assert run.said.read_text().endswith("Stopped\n")


@linux_only
def test_after_kill_9_the_children_are_gone_and_the_next_start_takes_over(start: Callable[..., Run]) -> None:
    first = start()
    assert first.says("Helpdesk is ready at ")
    first.stop(signal.SIGKILL)
    assert wait_until(lambda: first.pids("") == [], seconds=20)
    second = start()
    assert second.says("Helpdesk is ready at ")
    assert "prepared" not in second.said.read_text()  # nothing to migrate is found out without Django
    assert second.stop(signal.SIGINT) == 0


def test_a_second_one_on_the_same_data_says_so_and_leaves(start: Callable[..., Run]) -> None:
    first = start()
    assert first.says("Helpdesk is ready at ")
    second = start()
    assert second.process.wait(60) == 1
    assert f"A helpdesk already runs on {first.data_dir} (process {first.process.pid})." in second.said.read_text()
    assert first.process.poll() is None
    assert postgres_is_running(first.data_dir)


def test_a_port_asked_for_and_taken_is_said_and_nothing_starts(start: Callable[..., Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = start(PORT=str(port))
        assert run.process.wait(60) == 1
    assert f"Port {port} is in use" in run.said.read_text()
    assert not postgres_is_running(run.data_dir)


def test_a_database_that_cannot_be_prepared_ends_the_start(start: Callable[..., Run]) -> None:
    run = start(FAIL="1")
    assert run.process.wait(60) == 1
    said = run.said.read_text()
    assert "prepare       | no such table" in said
    assert "The database could not be prepared" in said
    assert not postgres_is_running(run.data_dir)


def test_given_servers_are_used_and_get_no_demo(start: Callable[..., Run]) -> None:
    run = start(DATABASE_URL="postgres://127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1/0", SECRET_KEY="given")
    assert run.says("prepared, demo 0")
    assert run.says("Helpdesk is ready at ")
    assert "ada@demo.example" not in run.said.read_text()
    assert not (run.data_dir / "postgres").exists()
    assert not (run.data_dir / "secret_key").exists()
    assert run.stop() == 0


@linux_only
def test_it_stops_when_the_make_that_started_it_is_killed(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start(FAIL="1")  # for its folder only
    run.process.wait(60)
    (tmp_path / "Makefile").write_text(f"run:\n\t@cd {run.project} && exec {sys.executable} manage.py up\n")
    with (tmp_path / "made").open("w") as output:
        make = subprocess.Popen(["make", "run"], cwd=tmp_path, env=clean_environment(run.data_dir), stdout=output)
    run.said = tmp_path / "made"
    assert run.says("Helpdesk is ready at ")
    # A child that has only just been made looks like its parent for a moment.
    assert wait_until(lambda: len(run.pids("manage.py up")) == 1, seconds=10)
    (supervisor,) = run.pids("manage.py up")
    make.kill()
    make.wait()
    assert wait_until(lambda: running_process(supervisor) is None, seconds=30)
    assert run.pids("") == []
    assert not postgres_is_running(run.data_dir)
