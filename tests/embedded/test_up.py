"""The whole helpdesk as a stranger starts it: `manage.py up` on an empty folder, used from a second shell, stopped."""

import os
import re
import signal
import smtplib
import subprocess
import sys
import urllib.request
from pathlib import Path

from helpdesk.embedded.postgres import postgres_is_running
from helpdesk.embedded.processes import wait_until
from helpdesk.embedded.valkey import valkey_is_running
from tests.fixtures.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 120


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    unset = ("DATABASE_URL", "REDIS_URL", "HELPDESK_DEMO", "SECRET_KEY", "MAKELEVEL", "PORT", "SMTP_PORT", "PUBLIC_URL")
    return {name: value for name, value in os.environ.items() if name not in unset} | {"DATA_DIR": str(data_dir)} | more


def test_an_empty_folder_becomes_a_helpdesk_and_stays_one(data_dir: Path, tmp_path: Path) -> None:
    ports = {"PORT": str(free_port()), "SMTP_PORT": str(free_port())}
    assert "Preparing the database" in _run(data_dir, tmp_path / "first", ports)
    assert "Preparing the database" not in _run(data_dir, tmp_path / "second", ports)


def _run(data_dir: Path, said: Path, ports: dict[str, str]) -> str:
    """One run from start to stop; what it said."""
    with said.open("w") as output:
        run = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=PROJECT,
            env=environment(data_dir, **ports),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "is ready at" in said.read_text() or run.poll() is not None, seconds=_READY_SECONDS)
        assert f"Helpdesk is ready at http://127.0.0.1:{ports['PORT']}/" in said.read_text()
        _use(data_dir, int(ports["PORT"]), int(ports["SMTP_PORT"]))
    finally:
        run.send_signal(signal.SIGTERM)
        code = run.wait(60)
    assert code == 0
    assert not postgres_is_running(data_dir)
    assert not valkey_is_running(data_dir)
    return said.read_text()


def _use(data_dir: Path, web: int, mail: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/healthz/live", timeout=20) as answer:
        assert answer.status == 200
    with smtplib.SMTP("127.0.0.1", mail, timeout=20) as sender:
        assert sender.noop()[0] == 250
    second_shell = subprocess.run(
        [sys.executable, "manage.py", "create_token", "ada@demo.example"],
        cwd=PROJECT,
        env=environment(data_dir),
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"\S{20,}\n", second_shell.stdout)
    request = urllib.request.Request(f"http://127.0.0.1:{web}/api/v1/conversations/")
    request.add_header("Authorization", f"Token {second_shell.stdout.strip()}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
