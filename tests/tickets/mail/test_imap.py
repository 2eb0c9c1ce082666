"""IMAP against a real server: the cursor, what the server must not notice, and what must never block."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from pytest_django.fixtures import Settings

from helpdesk.events import secrets
from tests.fixtures.imap import PASSWORD, USER, ImapServer
from tests.fixtures.receiving import ROOT, database_url, wait_until
from tickets.mail import imap, imap_watch, ledger
from tickets.models import ImapAccount, InboundEmail, Mailbox

Fetch = Callable[..., Any]


def letter(number: int, size: int = 0) -> bytes:
    head = f"From: carol@acme.example\r\nSubject: {number}\r\nMessage-ID: <{number}@acme.example>\r\n\r\n"
    return head.encode() + "Grüße\r\n".encode("latin-1") + b"x" * size


@pytest.fixture
def account(imap_server: ImapServer, db: None) -> ImapAccount:
    mailbox = Mailbox.objects.create(address="support@demo.example", name="Support")
    return ImapAccount.objects.create(
        mailbox=mailbox,
        host="127.0.0.1",
        port=imap_server.port,
        use_tls=False,
        username=USER,
        secret=secrets.encrypt(PASSWORD),
    )


def append(server: ImapServer, *mails: bytes, at: datetime | None = None) -> None:
    client = server.client()
    for mail in mails:
        client.append("INBOX", mail, msg_time=at)
    client.logout()


def kept() -> list[bytes]:
    return [bytes(raw) for raw in InboundEmail.objects.order_by("pk").values_list("raw", flat=True)]


def test_new_mail_is_taken_once_and_the_server_notices_nothing(
    imap_server: ImapServer, account: ImapAccount, at: datetime
) -> None:
    append(imap_server, letter(1), letter(2))
    assert imap.poll_mailboxes(at=at) == 2
    assert imap.poll_mailboxes(at=at) == 0
    append(imap_server, letter(3))
    assert imap.poll_mailboxes(at=at) == 1
    assert kept() == [letter(1), letter(2), letter(3)]
    row = InboundEmail.objects.latest("pk")
    account.refresh_from_db()
    assert row.source == f"imap:{account.pk}"
    assert row.transport_key == f"imap:{account.pk}:{account.uid_validity}:{account.last_uid}"
    assert row.rcpt_to == ["support@demo.example"]
    assert (account.polled_at, account.error) == (at, "")
    client = imap_server.client()
    flags = client.get_flags(client.search())
    client.logout()
    assert len(flags) == 3 and not any(b"\\Seen" in flag for flag in flags.values())


def test_flags_mean_nothing(imap_server: ImapServer, account: ImapAccount, at: datetime) -> None:
    append(imap_server, letter(1), letter(2))
    client = imap_server.client()
    client.add_flags(client.search(), [b"\\Seen", b"\\Answered"])
    client.logout()
    assert imap.poll(account.pk, at=at) == 2


def test_mail_counts_from_when_it_reached_the_server(imap_server: ImapServer, account: ImapAccount) -> None:
    now = datetime.now(UTC)
    came = (now - timedelta(hours=3)).replace(microsecond=0)
    append(imap_server, letter(1), at=came)
    append(imap_server, letter(2), at=now + timedelta(days=300))
    append(imap_server, letter(3), at=datetime(1990, 1, 1, tzinfo=UTC))
    imap.poll(account.pk, at=now)
    assert list(InboundEmail.objects.order_by("pk").values_list("received_at", flat=True)) == [came, now, now]


def test_many_mails_come_in_several_commits(
    imap_server: ImapServer, account: ImapAccount, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH", 7)
    monkeypatch.setattr(imap, "BATCH_BYTES", 3 * len(letter(1)))
    append(imap_server, *(letter(number) for number in range(20)))
    assert imap.poll(account.pk, at=at) == 20
    assert kept() == [letter(number) for number in range(20)]


def test_a_folder_numbered_anew_is_looked_at_again(imap_server: ImapServer, account: ImapAccount, at: datetime) -> None:
    append(imap_server, letter(1), letter(2))
    imap.poll(account.pk, at=at)
    account.refresh_from_db()
    before = account.uid_validity
    imap_server.stop()
    imap_server.start()
    append(imap_server, letter(3))
    assert imap.poll(account.pk, at=at) == 1
    account.refresh_from_db()
    assert account.uid_validity != before
    assert kept() == [letter(1), letter(2), letter(3)]


def test_a_mail_taken_but_not_noted_is_the_same_row(
    imap_server: ImapServer, account: ImapAccount, at: datetime
) -> None:
    append(imap_server, letter(1))
    imap.poll(account.pk, at=at)
    ImapAccount.objects.update(last_uid=0)
    imap.poll(account.pk, at=at)
    assert kept() == [letter(1)]


@pytest.mark.django_db(transaction=True)
def test_mail_and_cursor_are_one_commit(
    imap_server: ImapServer, account: ImapAccount, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(imap_server, letter(1))
    store = ledger.store

    def dies_after(*arguments: Any, **named: Any) -> list[int]:
        store(*arguments, **named)
        raise OperationalError("killed")

    monkeypatch.setattr(ledger, "store", dies_after)
    with pytest.raises(OperationalError):
        imap.poll(account.pk, at=at)
    account.refresh_from_db()
    assert (account.last_uid, kept()) == (0, [])
    monkeypatch.undo()
    assert imap.poll(account.pk, at=at) == 1


def test_too_big_a_mail_leaves_its_header_and_a_note(
    imap_server: ImapServer, account: ImapAccount, at: datetime, settings: Settings
) -> None:
    settings.MAIL_SIZE_LIMIT = 10_000
    append(imap_server, letter(1), letter(2, 20_000), letter(3))
    assert imap.poll(account.pk, at=at) == 3
    first, second, third = kept()
    assert (first, third) == (letter(1), letter(3))
    assert second.startswith(b"From: carol@acme.example\r\nSubject: 2\r\n")
    assert b"The whole mail is in INBOX of support" in second
    assert len(second) < 1000


@pytest.mark.parametrize("error", [IMAPClientError("BAD parse error"), KeyError("BODY[]"), IMAPClientAbortError("bye")])
def test_one_bad_mail_never_blocks(
    imap_server: ImapServer, account: ImapAccount, at: datetime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    append(imap_server, letter(1), letter(2), letter(3))
    fetch: Fetch = IMAPClient.fetch

    def fetch_but_not_2(client: IMAPClient, uids: list[int], data: list[str], **more: Any) -> Any:
        found = fetch(client, uids, data, **more)
        if any(b"Subject: 2" in (mail.get(b"BODY[]") or b"") for mail in found.values()):
            raise error
        return found

    monkeypatch.setattr(IMAPClient, "fetch", fetch_but_not_2)
    assert imap.poll(account.pk, at=at) == 3
    rows = list(InboundEmail.objects.order_by("pk"))
    assert [row.state for row in rows] == ["accepted", "quarantined", "accepted"]
    assert "The server does not hand out this mail (INBOX of support, UID" in rows[1].error
    assert [bytes(rows[0].raw), bytes(rows[2].raw)] == [letter(1), letter(3)]
    assert imap.poll(account.pk, at=at) == 0


def test_a_mail_deleted_meanwhile_is_no_error(
    imap_server: ImapServer, account: ImapAccount, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(imap_server, letter(1), letter(2))
    fetch: Fetch = IMAPClient.fetch

    def without_the_first(client: IMAPClient, uids: list[int], data: list[str], **more: Any) -> Any:
        found = fetch(client, uids, data, **more)
        return {uid: mail for uid, mail in found.items() if uid != min(uids)} if "BODY.PEEK[]" in data else found

    monkeypatch.setattr(IMAPClient, "fetch", without_the_first)
    assert imap.poll(account.pk, at=at) == 1
    assert kept() == [letter(2)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"secret": "not encrypted"}, "enter it again"),
        ({"username": "nobody"}, "[AUTHENTICATIONFAILED] Invalid"),
        ({"folder": "Elsewhere"}, "Mailbox does not exist"),
        ({"host": "127.0.0.1", "port": 1}, "refused"),
    ],
)
def test_trouble_is_written_on_the_account(
    account: ImapAccount, at: datetime, changed: dict[str, Any], words: str
) -> None:
    ImapAccount.objects.filter(pk=account.pk).update(**changed)
    assert imap.poll_mailboxes(at=at) == 0
    account.refresh_from_db()
    assert words in account.error
    assert account.polled_at == at


def test_trouble_of_one_account_leaves_the_others_alone(
    imap_server: ImapServer, account: ImapAccount, at: datetime
) -> None:
    broken = ImapAccount.objects.create(
        mailbox=account.mailbox, host="127.0.0.1", port=1, username="x", secret=account.secret, use_tls=False
    )
    append(imap_server, letter(1))
    assert imap.poll_mailboxes(at=at) == 1
    broken.refresh_from_db()
    assert broken.error


def test_an_account_switched_off_is_left_alone(imap_server: ImapServer, account: ImapAccount, at: datetime) -> None:
    ImapAccount.objects.update(is_active=False)
    append(imap_server, letter(1))
    assert (imap.poll_mailboxes(at=at), imap.poll(account.pk, at=at)) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_poll_one_account_together(
    imap_server: ImapServer, account: ImapAccount, at: datetime
) -> None:
    append(imap_server, letter(1))
    counts: list[int] = []

    def poll_elsewhere() -> None:
        counts.append(imap.poll(account.pk, at=at))
        connection.close()

    with imap._alone(account.pk) as alone:
        assert alone
        other = threading.Thread(target=poll_elsewhere)
        other.start()
        other.join()
    assert counts == [0]
    assert imap.poll(account.pk, at=at) == 1


def test_a_server_that_says_nothing_is_given_up(
    account: ImapAccount, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ImapAccount.objects.update(port=silent.getsockname()[1])
        assert imap.poll(account.pk, at=at) == 0
    account.refresh_from_db()
    assert "imeout" in account.error or "timed out" in account.error


@pytest.mark.django_db(transaction=True)
def test_idle_hears_of_mail_at_once(
    imap_server: ImapServer, account: ImapAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll of every minute is an hour away: what comes in was heard."""
    monkeypatch.setattr(imap_watch, "POLL_SECONDS", 3600)
    monkeypatch.setattr(imap_watch, "_LISTEN_SECONDS", 1)
    append(imap_server, letter(1))
    watcher = imap_watch.Watcher(account.pk)
    run = watcher.run

    def run_and_hang_up() -> None:
        run()
        connection.close()

    monkeypatch.setattr(watcher, "run", run_and_hang_up)
    watcher.start()
    try:
        wait_until(lambda: len(kept()) == 1)
        append(imap_server, letter(2))
        wait_until(lambda: len(kept()) == 2)
    finally:
        watcher.stop.set()
        watcher.join(20)
    assert not watcher.is_alive()


@pytest.mark.django_db(transaction=True)
def test_the_command_watches_until_it_is_told_to_end(imap_server: ImapServer, account: ImapAccount) -> None:
    own = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": django_settings.SECRET_KEY,
    }
    with subprocess.Popen([sys.executable, "manage.py", "watch_mailboxes"], cwd=ROOT, env=os.environ | own) as process:
        try:
            append(imap_server, letter(1))
            wait_until(lambda: len(kept()) == 1, 40)
            process.terminate()
            assert process.wait(15) == 0
        finally:
            process.kill()


def test_secrets_are_unreadable_without_the_key(settings: Settings) -> None:
    stored = secrets.encrypt("päss")
    assert "päss" not in stored and stored != secrets.encrypt("päss")
    assert secrets.decrypt(stored) == "päss"
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt(stored)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert secrets.decrypt(stored) == "päss"
