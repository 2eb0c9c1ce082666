"""The real listener says yes only for what is committed, whatever dies meanwhile."""

import smtplib
import subprocess
import sys
import threading

import pytest
from django.db import connection, transaction

from tests.fixtures.receiving import ROOT, Listener, wait_until
from tests.tickets.mail.smtp_talk import SENDER, SUPPORT, kept, letter, session, talk

pytestmark = pytest.mark.usefixtures("support_mailbox")


def lock_the_ledger() -> None:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tickets_inboundemail IN SHARE ROW EXCLUSIVE MODE")


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def refuses(listener: Listener) -> bool:
    try:
        listener.raw().close()
    except ConnectionError:
        return True
    return False


def test_a_client_that_vanishes_leaves_nothing(listener: Listener) -> None:
    with listener.raw() as client:
        client.sendall(session(letter())[: -len(b"QUIT\r\n")])
    assert b"2.0.0 Kept" in talk(listener, session(letter(2) + b".\r\n"))
    assert kept() == [letter(2)]


def test_without_a_database_every_answer_is_later(listener: Listener) -> None:
    with listener.smtp() as client:
        client.sendmail(SENDER, [SUPPORT], letter(1))
        client.ehlo()
        client.mail(SENDER)
        assert client.rcpt(SUPPORT)[0] == 250
        listener.cable.cut()
        assert client.data(letter(2))[0] == 451
        # An address we do not know may have been made a moment ago: no lasting "no" without asking.
        client.mail(SENDER)
        wait_until(lambda: client.rcpt("nobody@demo.example")[0] == 451)
        listener.cable.mend()
        client.rset()
        client.sendmail(SENDER, [SUPPORT], letter(2))
    assert kept() == [letter(1), letter(2)]


def test_a_database_that_restarts_is_not_noticed(listener: Listener) -> None:
    with listener.smtp() as client:
        client.sendmail(SENDER, [SUPPORT], letter(1))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        client.sendmail(SENDER, [SUPPORT], letter(2))
    assert len(kept()) == 2


def test_no_yes_before_the_commit(listener: Listener) -> None:
    """While another transaction holds the table, nothing is answered; and what waited goes in with the next commits."""
    answers: list[int] = []

    def send(number: int) -> None:
        with listener.smtp() as client:
            client.sendmail(SENDER, [SUPPORT], letter(number))
        answers.append(number)

    threads = [threading.Thread(target=send, args=[number]) for number in range(10)]
    with transaction.atomic():
        lock_the_ledger()
        for thread in threads:
            thread.start()
        wait_until(somebody_waits)
        assert answers == []
    for thread in threads:
        thread.join()
    assert len(kept()) == 10


def test_killed_at_any_moment_nothing_is_lost_or_doubled(listener: Listener) -> None:
    """Four clients send 200 mails each, as often as it takes, while the listener is killed again and again."""
    confirmed: set[int] = set()
    ended = threading.Event()

    def deliver(numbers: range) -> None:
        for number in numbers:
            while number not in confirmed:
                try:
                    with listener.smtp() as client:
                        client.sendmail(SENDER, [SUPPORT], letter(number))
                    confirmed.add(number)
                except (OSError, smtplib.SMTPException):
                    ended.wait(0.05)

    threads = [threading.Thread(target=deliver, args=[range(start, 800, 4)]) for start in range(4)]
    for thread in threads:
        thread.start()
    for goal in (100, 300, 500):
        wait_until(lambda goal=goal: len(confirmed) >= goal, 60)
        listener.kill()
        listener.start()
    for thread in threads:
        thread.join(60)
    assert len(confirmed) == 800
    assert sorted(kept()) == sorted(letter(number) for number in range(800))


def test_sigterm_answers_for_what_was_taken(listener: Listener) -> None:
    with listener.raw() as client:
        with transaction.atomic():
            lock_the_ledger()
            client.sendall(session(letter() + b".\r\n")[: -len(b"QUIT\r\n")])
            wait_until(somebody_waits)
            listener.process.terminate()
            # It takes no new connection, and still owes an answer for this mail.
            wait_until(lambda: refuses(listener))
            assert listener.process.poll() is None
        heard = b""
        while data := client.recv(4096):
            heard += data
    assert heard.endswith(b"250 2.0.0 Kept\r\n")
    assert listener.process.wait(10) == 0
    assert kept() == [letter()]


def test_a_taken_port_is_said_clearly(listener: Listener) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "receive_mail_smtp"],
        cwd=ROOT,
        env=listener.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"cannot listen for mail on 127.0.0.1:{listener.port}" in second.stderr
