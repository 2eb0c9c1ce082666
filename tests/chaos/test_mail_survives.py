"""Everything is killed at random while mail comes in over real SMTP: nothing is lost, nothing happens twice.

CHAOS_MAILS and CHAOS_KILLS make it the long run (2000 and 60); the suite has a short one.
"""

import os
import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.chaos.product import Product
from tests.fixtures.ports import free_port

MAILS = int(os.environ.get("CHAOS_MAILS", "120"))
KILLS = int(os.environ.get("CHAOS_KILLS", "6"))
SENDERS = 4
PATIENCE = 240.0
VICTIMS_OF_MAIL = ("listener", "postgres", "promises", "tree", "valkey", "worker")

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes to kill in /proc")


class Sink:
    """The world's mail server: remembers whom it got mail for."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.update(envelope.rcpt_tos)
        return "250 kept"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    port = free_port()
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    yield sink, port
    controller.stop()


@pytest.fixture
def product(tmp_path: Path, sink: tuple[Sink, int]) -> Iterator[Product]:
    product = Product(tmp_path / "data", EMAIL_URL=f"smtp://127.0.0.1:{sink[1]}")
    product.start()
    yield product
    product.stop()


def mail(number: int) -> bytes:
    return (
        f"From: Person {number} <p@d{number}.example>\r\nTo: support@demo.example\r\nSubject: Chaos {number}\r\n"
        f"Message-ID: <chaos-{number}@d{number}.example>\r\nDate: Mon, 16 Nov 2026 10:00:00 +0100\r\n\r\n"
        f"Text {number}.\r\n"
    ).encode()


def send_until_taken(product: Product, number: int, give_up_at: float) -> None:
    """As every mail server does: anything but a 250 means trying again."""
    while time.monotonic() < give_up_at:
        try:
            with smtplib.SMTP("127.0.0.1", product.smtp_port, timeout=20) as smtp:
                smtp.sendmail(f"p@d{number}.example", ["support@demo.example"], mail(number))
                return
        except (OSError, smtplib.SMTPException):
            time.sleep(0.2)
    raise AssertionError(f"mail {number} was never taken")


def send_all(product: Product) -> None:
    give_up_at = time.monotonic() + PATIENCE + MAILS
    numbers = iter(range(MAILS))
    lock, failures = threading.Lock(), []

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                send_until_taken(product, number, give_up_at)
            except AssertionError as error:
                failures.append(error)
                return

    senders = [threading.Thread(target=work) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    killer = random.Random(7)
    killed: Counter[str] = Counter()
    while any(sender.is_alive() for sender in senders) or sum(killed.values()) < KILLS:
        product.keep_running()
        time.sleep(killer.uniform(0.3, 1.5))
        if sum(killed.values()) < KILLS:
            name = killer.choice(VICTIMS_OF_MAIL)
            killed[name] += bool(product.kill(name))
    for sender in senders:
        sender.join()
    assert not failures
    assert sum(killed.values()) >= KILLS


def counts(product: Product) -> dict[str, int]:
    questions = {
        "rows": "SELECT count(*) FROM tickets_inboundemail",
        "waiting": "SELECT count(*) FROM tickets_inboundemail WHERE state = 'accepted'",
        "filed": "SELECT count(*) FROM tickets_inboundemail WHERE state = 'filed'",
        "conversations": "SELECT count(*) FROM helpdesk_conversation",
        "inbound": "SELECT count(*) FROM helpdesk_message WHERE kind = 'inbound'",
        "replies": "SELECT count(*) FROM helpdesk_message WHERE kind = 'outbound'",
        "unsent": "SELECT count(*) FROM helpdesk_message WHERE delivery IN ('pending', 'sending')",
        "undone": "SELECT count(*) FROM helpdesk_outboxentry WHERE done_at IS NULL AND gave_up_at IS NULL",
        "gave_up": "SELECT count(*) FROM helpdesk_outboxentry WHERE gave_up_at IS NOT NULL",
    }
    connection = product.database()
    try:
        with connection.cursor() as cursor:
            found = {}
            for name, question in questions.items():
                cursor.execute(question)
                (found[name],) = cursor.fetchall()[0]
            return found
    finally:
        connection.close()


def settled(product: Product) -> dict[str, int]:
    """The counts once nothing is waiting any more."""
    give_up_at = time.monotonic() + PATIENCE + MAILS / 5
    latest: dict[str, int] = {}
    while time.monotonic() < give_up_at:
        product.keep_running()
        try:
            latest = counts(product)
        except (psycopg2.Error, OSError, KeyError, ValueError):
            latest = {}
        if latest and not (latest["waiting"] or latest["unsent"] or latest["undone"]) and latest["replies"] >= MAILS:
            return latest
        time.sleep(0.5)
    raise AssertionError(f"still not settled: {latest}\n{product.log.read_text(errors='replace')[-3000:]}")


def test_nothing_is_lost_and_nothing_happens_twice(product: Product, sink: tuple[Sink, int]) -> None:
    send_all(product)
    once = settled(product)
    assert {key: once[key] for key in ("rows", "filed", "conversations", "inbound", "replies")} == dict.fromkeys(
        ("rows", "filed", "conversations", "inbound", "replies"), MAILS
    )
    assert once["gave_up"] == 0
    doubled = {address: n for address, n in sink[0].received.items() if n > 1 and address.startswith("p@")}
    assert not doubled
    # Sent again, every mail is known.
    for number in range(MAILS):
        send_until_taken(product, number, time.monotonic() + 60)
    assert settled(product) == once
