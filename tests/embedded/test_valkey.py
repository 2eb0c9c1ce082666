import os
import signal
from pathlib import Path

import redis

from helpdesk.embedded.processes import running_process, wait_until
from helpdesk.embedded.valkey import start_valkey, stop_valkey, valkey_is_running


def server_process(data_dir: Path) -> int:
    return int((data_dir / "valkey" / "valkey.pid").read_text())


def test_it_answers_on_a_private_socket_only(data_dir: Path) -> None:
    address = start_valkey(data_dir)
    with redis.from_url(address.url) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
    assert Path(address.url.removeprefix("unix://")).stat().st_mode & 0o077 == 0
    assert valkey_is_running(data_dir)


def test_a_second_start_uses_the_running_server(data_dir: Path) -> None:
    address = start_valkey(data_dir)
    with redis.from_url(address.url) as client:
        client.set("here", "1")
        assert start_valkey(data_dir) == address
        assert client.get("here") == b"1"


def test_it_starts_again_after_kill_9(data_dir: Path) -> None:
    address = start_valkey(data_dir)
    pid = server_process(data_dir)
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: running_process(pid) is None, seconds=10)
    assert not valkey_is_running(data_dir)
    assert start_valkey(data_dir) == address
    with redis.from_url(address.url) as client:
        assert client.ping()


def test_a_server_that_hangs_is_replaced(data_dir: Path) -> None:
    address = start_valkey(data_dir)
    pid = server_process(data_dir)
    os.kill(pid, signal.SIGSTOP)
    start_valkey(data_dir)
    assert running_process(pid) is None
    with redis.from_url(address.url) as client:
        assert client.ping()


def test_stopping_is_complete_and_may_be_repeated(data_dir: Path) -> None:
    stop_valkey(data_dir)
    start_valkey(data_dir)
    pid = server_process(data_dir)
    stop_valkey(data_dir)
    stop_valkey(data_dir)
    assert running_process(pid) is None
    assert not valkey_is_running(data_dir)
