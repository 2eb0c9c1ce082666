"""The product as `manage.py up` runs it, on a data folder of its own, and what kills it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2

from tests.fixtures.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent

# What a process of the product is called in its command line.
VICTIMS = {
    "listener": "receive_mail_smtp",
    "worker": "helpdesk.celery worker",
    "promises": "keep_promises",
    "postgres": "postgres",
    "valkey": "valkey-server",
    "web": "helpdesk.asgi",
    "tree": "",
}


class Product:
    """`manage.py up` on a data folder of its own, started again whenever it was killed."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir, self.smtp_port, self.port = data_dir, free_port(), free_port()
        self.log = data_dir.parent / "up.log"
        self.env = os.environ | {
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "SMTP_PORT": str(self.smtp_port),
            "HELPDESK_DEMO": "1",
            **environment,
        }
        self.up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.up = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def keep_running(self) -> None:
        if self.up is None or self.up.poll() is not None:
            self.start()

    def kill(self, name: str) -> int:
        """SIGKILL every process of that name; how many died."""
        pids = self._pids(VICTIMS[name])
        if name == "tree" and self.up is not None:
            pids = [self.up.pid, *pids]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if name == "tree" and self.up is not None:
            self.up.wait()
        return len(pids)

    def _pids(self, word: str) -> list[int]:
        mark, found = str(self.data_dir).encode(), []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            is_ours = mark in command or f"DATA_DIR={self.data_dir}".encode() in environment
            if is_ours and word.encode() in command:
                found.append(int(entry.name))
        return found

    def database(self) -> "psycopg2.extensions.connection":
        url = json.loads((self.data_dir / "environment.json").read_text())["DATABASE_URL"]
        return psycopg2.connect(url)

    def stop(self) -> None:
        if self.up is not None and self.up.poll() is None:
            self.up.send_signal(signal.SIGTERM)
            try:
                self.up.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill("tree")
