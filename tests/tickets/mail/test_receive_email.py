"""`manage.py receive_email` as a mail server's pipe runs it."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings

from tests.fixtures.receiving import ROOT, database_url
from tickets.models import InboundEmail

MAIL = "From: carol@acme.example\nSubject: Grüße\n\nHello\n".encode("latin-1")
pytestmark = pytest.mark.django_db(transaction=True)


def receive(raw: bytes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    own = {"DATABASE_URL": database_url(), "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": settings.SECRET_KEY}
    return subprocess.run(
        [sys.executable, "manage.py", "receive_email", *arguments],
        cwd=ROOT,
        env=os.environ | own | environment,
        input=raw,
        capture_output=True,
        check=False,
    )


def test_a_mail_is_kept_with_envelope_and_time() -> None:
    done = receive(MAIL, "--to", "support@demo.example", "--at", "2026-01-12T09:00:00+01:00")
    assert done.returncode == 0, done.stderr
    row = InboundEmail.objects.get()
    assert (bytes(row.raw), row.source, row.rcpt_to) == (MAIL, "pipe", ["support@demo.example"])
    assert row.received_at == datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
    assert row.state == "accepted" and row.due_at is not None and row.due_at > row.received_at


def test_the_same_mail_again_is_the_same_row() -> None:
    assert [receive(MAIL).returncode for _ in range(2)] == [0, 0]
    assert InboundEmail.objects.get().rcpt_to == []


@pytest.mark.parametrize("raw", [b"", b" \r\n\n"])
def test_nothing_is_a_data_error(raw: bytes) -> None:
    assert receive(raw).returncode == 65
    assert not InboundEmail.objects.exists()


def test_bytes_that_are_no_mail_are_kept_too() -> None:
    raw = bytes(range(256))
    assert receive(raw).returncode == 0
    assert bytes(InboundEmail.objects.get().raw) == raw


@pytest.mark.parametrize(
    "environment",
    [
        {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        {"DATABASE_URL": "nonsense://"},
        {"PORT": "not a number"},
    ],
)
def test_our_own_trouble_is_try_again(environment: dict[str, str]) -> None:
    done = receive(MAIL, **environment)
    assert done.returncode == 75
    assert done.stderr


@pytest.mark.parametrize("arguments", [("--at", "yesterday"), ("--nonsense",), ("--to",)])
def test_a_mistyped_option_loses_no_mail(arguments: tuple[str, ...]) -> None:
    assert receive(MAIL, *arguments).returncode == 75


def test_too_big_a_mail_leaves_its_header_and_a_note() -> None:
    raw = (
        MAIL.replace(b"\nSubject", b"\nContent-Type: multipart/mixed;\n boundary=x\nSubject")
        + b"x" * settings.MAIL_SIZE_LIMIT
    )
    assert receive(raw).returncode == 0
    kept = bytes(InboundEmail.objects.get().raw)
    assert kept.startswith(b"From: carol@acme.example\nSubject: ")
    assert b"boundary" not in kept
    assert b"[This mail has 35.0 MB" in kept
