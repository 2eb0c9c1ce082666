"""The e-mail pager against a local SMTP server and a mail service: the mail, its identity, and what answers mean."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.oncall.pagers import Pager, configured_pagers
from helpdesk.oncall.pagers.email import message_id, page_email
from tests.fixtures.notices import nobody_listens, notice, refused, send
from tests.fixtures.providers import PagerDutyServer

SENDER = "Helpdesk <support@demo.example>"


class Post:
    """An SMTP server's mind: keeps what it took, or answers RCPT and DATA as told."""

    def __init__(self) -> None:
        self.rcpt = self.data = "250 OK"
        self.taken: list[EmailMessage] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data.startswith("cut") and server.transport is not None:
            server.transport.close()
            return "421 bye"
        if self.data.startswith("2"):
            assert isinstance(envelope.content, bytes)
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.taken.append(parsed)
        return self.data


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    mind = Post()
    port = int(nobody_listens().rpartition(":")[2])
    controller = Controller(mind, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield mind
    controller.stop()


def email_pager() -> Pager:
    return configured_pagers({"DEFAULT_FROM_EMAIL": SENDER})["email"]


class TestEmail:
    def test_a_page_by_mail(self, post: Post) -> None:
        ref = send(email_pager(), notice(to="grace@demo.example"))
        (mail,) = post.taken
        assert mail["Message-ID"] == ref and ref.endswith("@demo.example>")
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
        assert (mail["To"], mail["Importance"]) == ("grace@demo.example", "high")
        assert mail["Subject"] == "[URGENT] Website down: not dispatched within one business hour"
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None and html is not None
        assert "Acknowledge: https://help.example/pages/42/acknowledge/?t=a&u=b" in text.get_content()
        assert "Customer: Gil <gil@globex.example>" in text.get_content()
        assert 'href="https://help.example/pages/42/acknowledge/?t=a&amp;u=b"' in html.get_content()
        assert "Gil &lt;gil@globex.example&gt;" in html.get_content()

    def test_acknowledgement_and_resolution_follow_in_the_thread(self, post: Post) -> None:
        pager = email_pager()
        first = send(pager, notice(to="grace@demo.example"))
        for action in ("acknowledge", "resolve"):
            told = notice(to="grace@demo.example", action=action, provider_ref=first, acknowledged_by="Linus")
            assert send(pager, told) != first
        later = post.taken[1:]
        assert [mail["References"] for mail in later] == [first, first]
        assert all("Acknowledge:" not in str(mail.get_body(("plain",))) for mail in later)
        assert all("Acknowledged by: Linus" in str(mail.get_body(("plain",))) for mail in later)

    def test_the_message_id_is_stable_across_attempts_only(self) -> None:
        def identity(**changes: Any) -> str:
            return message_id(notice(to="grace@demo.example", **changes), SENDER)

        assert identity() == identity(attempt=3, summary="other", late_by=timedelta(hours=1))
        others = [identity(round=2), identity(action="resolve"), identity(page_id=43)]
        assert len({identity(), *others, message_id(notice(to="linus@demo.example"), SENDER)}) == 5

    @pytest.mark.parametrize(
        "to", ["", "grace", "grace@demo.example, eve@evil.example", "grace@demo.example\r\nBcc: eve@evil.example"]
    )
    def test_addresses_that_are_none(self, to: str) -> None:
        assert isinstance(refused(email_pager(), notice(to=to)), NeverRetry)

    def test_hostile_text_stays_text(self) -> None:
        summary = "down\r\nBcc: eve@evil.example\x00\ud800<script>alert(1)</script>"
        mail = page_email(notice(to="grace@demo.example", summary=summary, reasons=("<b>",)), SENDER)
        raw = mail.message().as_bytes()
        assert b"\nBcc:" not in raw.split(b"\n\n")[0]
        assert "\n" not in mail.subject
        assert "<script>" not in str(mail.alternatives[0][0])

    @pytest.mark.parametrize(
        ("rcpt", "data", "kind"),
        [
            ("450 mailbox busy", "250 OK", RetryLater),
            ("550 no such user", "250 OK", NeverRetry),
            ("250 OK", "451 try later", RetryLater),
            ("250 OK", "554 spam", NeverRetry),
            ("250 OK", "cut", Ambiguous),
        ],
    )
    def test_what_the_server_answers(self, post: Post, rcpt: str, data: str, kind: type[DeliveryError]) -> None:
        post.rcpt, post.data = rcpt, data
        assert type(refused(email_pager(), notice(to="grace@demo.example"))) is kind

    def test_no_server_there(self, post: Post, settings: Settings) -> None:
        settings.EMAIL_PORT = int(nobody_listens().rpartition(":")[2])
        assert type(refused(email_pager(), notice(to="grace@demo.example"))) is RetryLater

    def test_mail_that_is_not_set_up(self, settings: Settings, tmp_path: Path) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        (tmp_path / "file").touch()
        settings.EMAIL_FILE_PATH = str(tmp_path / "file")
        assert type(refused(email_pager(), notice(to="grace@demo.example"))) is NeverRetry

    def test_a_server_that_takes_too_long(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("helpdesk.oncall.pagers.email.TOTAL_SECONDS", 0.0)
        assert type(refused(email_pager(), notice(to="grace@demo.example"))) is Ambiguous

    def test_mail_services_by_http(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": nobody_listens()}
        assert type(refused(email_pager(), notice(to="grace@demo.example"))) is RetryLater
        with PagerDutyServer() as service:
            settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": service.url}
            for status, kind in ((500, RetryLater), (429, RetryLater), (401, NeverRetry)):
                service.fail_next(status)
                assert type(refused(email_pager(), notice(to="grace@demo.example"))) is kind
            service.cut_next()
            assert type(refused(email_pager(), notice(to="grace@demo.example"))) is Ambiguous
