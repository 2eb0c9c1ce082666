import json
import os
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from helpdesk.embedded.environment import SUPERVISOR_LOCK, running_environment, secret_key, write_environment
from helpdesk.embedded.postgres import postgres_is_running
from helpdesk.embedded.processes import take_lock
from helpdesk.embedded.valkey import valkey_is_running

PROJECT = Path(__file__).resolve().parents[2]
ASK = """
import json, sys
from pathlib import Path
from helpdesk.embedded.environment import running_environment
print(json.dumps(running_environment(Path(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


def user_of(data_dir: Path) -> subprocess.Popen[str]:
    """Another process that uses the servers until its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", ASK, str(data_dir)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(user: subprocess.Popen[str]) -> dict[str, str]:
    assert user.stdout is not None
    return dict(json.loads(user.stdout.readline()))


def test_the_last_user_stops_the_servers(data_dir: Path) -> None:
    with user_of(data_dir) as first, user_of(data_dir) as second:
        environment = told(first)
        assert told(second) == environment
        assert environment.keys() == {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
        first.communicate("")
        assert postgres_is_running(data_dir)
        assert valkey_is_running(data_dir)
        with closing(psycopg2.connect(environment["DATABASE_URL"])):
            second.communicate("")
    assert (first.returncode, second.returncode) == (0, 0)
    assert not postgres_is_running(data_dir)
    assert not valkey_is_running(data_dir)


def test_while_the_supervisor_runs_its_environment_is_used_and_its_servers_stay(data_dir: Path) -> None:
    data_dir.mkdir()
    written = {"DATABASE_URL": "postgres://elsewhere/helpdesk", "SECRET_KEY": "given", "PORT": "8005"}
    write_environment(data_dir, written)
    assert stat.S_IMODE((data_dir / "environment.json").stat().st_mode) == 0o600
    lock = take_lock(data_dir / SUPERVISOR_LOCK)
    assert lock is not None
    try:
        assert running_environment(data_dir) == written
    finally:
        os.close(lock)
    with user_of(data_dir) as user:  # a file that a killed supervisor left is not believed
        assert told(user)["DATABASE_URL"] != written["DATABASE_URL"]
        user.communicate("")


def test_a_supervisor_that_came_meanwhile_keeps_the_servers(data_dir: Path) -> None:
    with user_of(data_dir) as user:
        told(user)
        lock = take_lock(data_dir / SUPERVISOR_LOCK)
        assert lock is not None
        user.communicate("")
    assert postgres_is_running(data_dir)
    assert valkey_is_running(data_dir)
    os.close(lock)


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    key = secret_key(tmp_path)
    assert len(key) >= 50
    assert secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("content", ["", "{", '{"DATABASE_URL"'])
def test_a_damaged_file_is_as_good_as_none(data_dir: Path, content: str) -> None:
    data_dir.mkdir()
    (data_dir / "environment.json").write_text(content)
    lock = take_lock(data_dir / SUPERVISOR_LOCK)
    assert lock is not None
    with user_of(data_dir) as user:
        assert "host=" in told(user)["DATABASE_URL"]
        user.communicate("")
    os.close(lock)
