"""restart: seconds from `manage.py up` to web and mail answering, with data, beside starting PostgreSQL alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
from django.db import connection

from bench import ground
from bench.children import PATIENCE, answers, free_port, wait_until
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk.embedded.postgres import start_postgres, stop_postgres

AIM = 5.0
# What points at the benchmark's database; `up` makes its own.
_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL")
_NOTES = """
CREATE TABLE IF NOT EXISTS bench_weight AS
SELECT i, repeat(md5(i::text), 30) AS body FROM generate_series(1, %s) i
"""


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    folder = ground.data_dir() / "restart"
    _up(folder)
    _weigh_down(folder, sizes.of(200_000, 20_000))
    figures = compare(
        {"ours": Contender(lambda _number: Sample(_up(folder), 1)), "bare": Contender(lambda _number: _bare(folder))}
    )
    yield Row("restart with data", "s", figures, AIM)


def _up(folder: Path) -> float:
    """Seconds until web and mail answer; then everything is stopped again."""
    web, mail = free_port(), free_port()
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    given = {"DATA_DIR": str(folder), "PORT": str(web), "SMTP_PORT": str(mail)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"], cwd=ground.ROOT, env={**kept, **given}, stdout=subprocess.DEVNULL
    )
    try:
        alive = b"GET /healthz/ready HTTP/1.0\r\nHost: localhost\r\n\r\n"
        wait_until(lambda: answers(web, alive, rb"HTTP/1\.[01] 200") and answers(mail, b"", b"220"), "manage.py up")
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _weigh_down(folder: Path, rows: int) -> None:
    try:
        with closing(psycopg2.connect(start_postgres(folder).url)) as plain, plain, plain.cursor() as cursor:
            cursor.execute(_NOTES, [rows])
    finally:
        stop_postgres(folder)


def _bare(folder: Path) -> Sample:
    began = time.perf_counter()
    try:
        with closing(psycopg2.connect(start_postgres(folder).url)) as plain, plain.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Sample(time.perf_counter() - began, 1)
    finally:
        stop_postgres(folder)
