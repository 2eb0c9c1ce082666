"""The benchmarks still run: one of them, tiny, on a database of its own beside the tests'."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_filing_benchmark_prints_its_row(tmp_path: Path) -> None:
    # Where the tests were given a database, there is no embedded server to share.
    data_dir = settings.DATA_DIR if settings.EMBEDDED else tmp_path
    command = [sys.executable, "-m", "bench", "file", "--quick", "--rows", "8", "--no-peers"]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (row,) = [line for line in ran.stdout.splitlines() if line.startswith("file, one worker")]
    ours, bare = (float(cell.replace(",", "")) for cell in row.split("mails/s")[1].split()[:2])
    assert ours > 0 and bare > 0


def test_an_unknown_benchmark_is_named() -> None:
    command = [sys.executable, "-m", "bench", "fly"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert "there is no benchmark fly" in ran.stderr
