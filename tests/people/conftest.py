"""What the tests of logins share: a browser at the login page, codes as an app shows them, and the outbox's mail."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk.customers.models import User
from helpdesk.events import outbox

DEMO = "demo"


def log_in(client: Client, email: str, password: str = DEMO, **more: Any) -> Any:
    """The POST of the login form, without JavaScript."""
    return client.post("/desk/login/", {"username": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def code_for(secret: str, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238, SHA-1, 30 seconds, six digits)."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def confirm(client: Client, password: str = DEMO) -> None:
    """Prove once more who it is, as changes of the login ask for."""
    assert client.post("/accounts/confirm/", {"password": password}).status_code == 302


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """An authenticator app for whoever is logged in: its secret, and the recovery codes."""
    confirm(client)
    page = client.get("/accounts/security/totp/activate/").content.decode()
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)
    assert secret is not None, page
    # A code of the step before: the present one is left for the login, since each works once.
    done = client.post("/accounts/security/totp/activate/", {"code": code_for(secret[1], time.time() - 30)})
    assert done.status_code == 302, done.content
    codes = re.findall(r"<li><code>(\d{8})</code>", client.get(done["Location"]).content.decode())
    assert len(codes) == 10
    return secret[1], codes


@pytest.fixture
def mails(settings: Settings) -> Callable[[], list[EmailMessage]]:
    """Lets the outbox work and gives the mails that left since, each with its text."""
    seen: set[Path] = set()

    def left() -> list[EmailMessage]:
        outbox.drain(at=timezone.now())
        fresh = sorted(set(Path(settings.SENT_MAIL_DIR).glob("*.eml")) - seen)
        seen.update(fresh)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in fresh]

    return left


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def link_in(mail: EmailMessage) -> str:
    """The path of the link to set a password."""
    found = re.search(r"https?://[^/\s]+(/accounts/password/reset/\S+-\S+/)", text_of(mail))
    assert found is not None, text_of(mail)
    return found[1]


def set_password(client: Client, path: str, password: str) -> Any:
    """Follow a link from a mail and set the password there; the last answer."""
    opened = client.get(path, follow=True)
    if not opened.redirect_chain:
        return opened
    return client.post(opened.redirect_chain[-1][0], {"password1": password, "password2": password})


@pytest.fixture
def browser(company: Any) -> Client:
    return Client()


@pytest.fixture
def grace_in(company: Any) -> Client:
    """Grace, logged in by her password."""
    client = Client()
    assert log_in(client, "grace@demo.example").status_code == 302
    return client


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)
