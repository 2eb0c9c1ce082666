"""Every pager against a local server speaking the provider's protocol: what is sent, and what each answer means."""

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from helpdesk.events.outcomes import LONGEST_WAIT, Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.oncall.pagers import Notice, Pager, configured_pagers, pagerduty_dedup_key
from helpdesk.oncall.pagers.email import message_id, page_email
from helpdesk.oncall.pagers.pagerduty import LARGEST_EVENT, routing_keys
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer, SlackServer

AT = datetime(2026, 1, 9, 18, 45, tzinfo=UTC)
SENDER = "Helpdesk <support@demo.example>"


def notice(**changes: Any) -> Notice:
    facts: dict[str, Any] = {
        "page_id": 42,
        "dedup_key": "helpdesk:conversation:7",
        "action": "trigger",
        "urgency": "high",
        "summary": "Website down: not dispatched within one business hour",
        "reasons": ("not dispatched", "first response breached"),
        "details": {"number": "7", "customer": "Gil <gil@globex.example>", "organization": "Globex", "service": "c01"},
        "url": "https://help.example/desk/7/",
        "acknowledge_url": "https://help.example/pages/42/acknowledge/?t=a&u=b",
        "occurred_at": AT,
        "recipient_name": "Grace",
    }
    return Notice(**(facts | changes))


def send(pager: Pager, told: Notice) -> str:
    async def call() -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await pager.send(client, told)

    return asyncio.run(call())


def refused(pager: Pager, told: Notice) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(pager, told)
    return caught.value


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyServer]:
    with PagerDutyServer() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


def pagerduty_pager(url: str, keys: str = ROUTING_KEY) -> Pager:
    return configured_pagers({"PAGERDUTY_ROUTING_KEY": keys, "PAGERDUTY_BASE_URL": url})["pagerduty"]


def slack_pager(url: str, token: str = "xoxb-test-token", channel: str = "#oncall") -> Pager:
    return configured_pagers({"SLACK_BOT_TOKEN": token, "SLACK_CHANNEL": channel, "SLACK_BASE_URL": url})["slack"]


def test_only_what_is_set_is_a_way_out() -> None:
    assert configured_pagers({}) == {}
    assert configured_pagers({"PAGERDUTY_ROUTING_KEY": " ", "SLACK_CHANNEL": "#oncall"}) == {}
    everything = {"PAGERDUTY_ROUTING_KEY": "k", "SLACK_BOT_TOKEN": "t", "DEFAULT_FROM_EMAIL": SENDER}
    assert list(configured_pagers(everything)) == ["pagerduty", "slack", "email"]


def test_routing_keys() -> None:
    assert routing_keys("abc") == {"default": "abc"}
    assert routing_keys("hosting=abc, default=def,") == {"hosting": "abc", "default": "def"}


class TestPagerDuty:
    def test_a_page_is_triggered_acknowledged_and_resolved(self, pagerduty: PagerDutyServer) -> None:
        pager = pagerduty_pager(pagerduty.url)
        assert send(pager, notice()) == "helpdesk:conversation:7"
        (alert,) = pagerduty.alerts
        assert (alert.status, alert.severity, len(alert.log)) == ("triggered", "critical", 1)
        send(pager, notice())
        assert len(pagerduty.alerts) == 1 and len(alert.log) == 2, "sent twice is still one alert"
        send(pager, notice(action="acknowledge"))
        assert alert.status == "acknowledged"
        send(pager, notice(action="resolve"))
        assert alert.status == "resolved"
        send(pager, notice(action="resolve"))
        assert len(pagerduty.dropped) == 1
        send(pager, notice())
        assert len(pagerduty.alerts) == 2, "after resolution a trigger is a new alert"

    def test_what_is_sent(self, pagerduty: PagerDutyServer) -> None:
        send(pagerduty_pager(pagerduty.url), notice(urgency="low", late_by=timedelta(minutes=125)))
        event = pagerduty.received[0].json()
        payload = event["payload"]
        assert payload["summary"] == ("[late by 2 h 5 min] Website down: not dispatched within one business hour")
        assert (payload["severity"], payload["source"]) == ("warning", "help.example")
        assert payload["timestamp"] == "2026-01-09T18:45:00+00:00"
        assert (payload["component"], payload["group"], payload["class"]) == ("c01", "Globex", "not dispatched")
        assert payload["custom_details"]["Customer"] == "Gil <gil@globex.example>"
        assert payload["custom_details"]["Reasons"] == "not dispatched; first response breached"
        assert event["links"] == [{"href": "https://help.example/desk/7/", "text": "Open the conversation"}]
        assert (event["client"], event["client_url"]) == ("Helpdesk", "https://help.example/desk/7/")

    def test_acknowledge_and_resolve_carry_nothing_else(self, pagerduty: PagerDutyServer) -> None:
        send(pagerduty_pager(pagerduty.url), notice(action="acknowledge"))
        assert set(pagerduty.received[0].json()) == {"routing_key", "event_action", "dedup_key"}

    def test_an_alias_chooses_the_service(self, pagerduty: PagerDutyServer) -> None:
        other = "H" * 32
        pagerduty.routing_keys.add(other)
        pager = pagerduty_pager(pagerduty.url, f"default={ROUTING_KEY},hosting={other}")
        send(pager, notice(to="hosting"))
        send(pager, notice())
        assert [alert.routing_key for alert in pagerduty.alerts] == [other, ROUTING_KEY]
        assert isinstance(refused(pager, notice(to="sales")), NeverRetry)

    @pytest.mark.parametrize(
        "changes",
        [
            {"summary": "x" * 5000},
            {"summary": "\x00\n\ud800\u202e"},
            {"dedup_key": "k" * 1000},
            {"details": {f"d{n}": "\x01" * 100_000 for n in range(200)}},
            {"url": "https://help.example/" + "a" * 600_000},
            {"url": ""},
            {"reasons": ("r" * 100_000,) * 100},
        ],
    )
    def test_any_page_fits(self, pagerduty: PagerDutyServer, changes: dict[str, Any]) -> None:
        send(pagerduty_pager(pagerduty.url), notice(**changes))
        assert len(pagerduty.received[0].body) <= LARGEST_EVENT
        assert len(pagerduty.alerts) == 1

    def test_a_refused_event_is_never_sent_again_and_says_why(self, pagerduty: PagerDutyServer) -> None:
        error = refused(pagerduty_pager(pagerduty.url, "R" * 32), notice())
        assert isinstance(error, NeverRetry)
        assert "Invalid routing key" in error.reason
        assert isinstance(refused(pagerduty_pager(pagerduty.url, "short"), notice()), NeverRetry)

    def test_the_routing_key_stays_secret(self, pagerduty: PagerDutyServer) -> None:
        pagerduty.fail_next(400, {"echo": ROUTING_KEY})
        assert ROUTING_KEY not in refused(pagerduty_pager(pagerduty.url), notice()).reason

    def test_the_rate_limit_says_when(self) -> None:
        with PagerDutyServer(events_a_minute=2, clock=lambda: 0.0) as server:
            pager = pagerduty_pager(server.url)
            send(pager, notice())
            send(pager, notice())
            error = refused(pager, notice())
        assert isinstance(error, RetryLater) and error.after == timedelta(seconds=30)

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({"Retry-After": "7"}, timedelta(seconds=7)),
            ({"Retry-After": "99999999999999"}, LONGEST_WAIT),
            ({"Retry-After": "-1"}, timedelta(seconds=30)),
            ({"Retry-After": "Fri, 09 Jan 2026 18:46:00 GMT", "X-Date": ""}, None),
        ],
    )
    def test_retry_after(self, pagerduty: PagerDutyServer, headers: dict[str, str], after: timedelta | None) -> None:
        pagerduty.fail_next(429, headers=headers)
        error = refused(pagerduty_pager(pagerduty.url), notice())
        assert isinstance(error, RetryLater)
        # A date in the past by the server's own clock means now.
        assert error.after == (timedelta(0) if after is None else after)

    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
    def test_trouble_on_their_side_passes(self, pagerduty: PagerDutyServer, status: int) -> None:
        pager = pagerduty_pager(pagerduty.url)
        pagerduty.fail_next(status)
        assert isinstance(refused(pager, notice()), RetryLater)
        assert send(pager, notice()) == "helpdesk:conversation:7"

    @pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 413])
    def test_answers_that_are_not_pagerdutys(self, pagerduty: PagerDutyServer, status: int) -> None:
        pagerduty.fail_next(status, b"<html>login</html>", {"Location": "http://127.0.0.1:9/"})
        assert isinstance(refused(pagerduty_pager(pagerduty.url), notice()), NeverRetry)

    def test_a_lost_answer_is_sent_again_and_stays_one_alert(self, pagerduty: PagerDutyServer) -> None:
        pager = pagerduty_pager(pagerduty.url)
        pagerduty.cut_next(process=True)
        assert isinstance(refused(pager, notice()), RetryLater)
        send(pager, notice())
        assert len(pagerduty.alerts) == 1

    def test_nobody_there(self) -> None:
        assert isinstance(refused(pagerduty_pager(nobody_listens()), notice()), RetryLater)

    def test_silence_ends_with_the_total_time(
        self, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("helpdesk.events.provider_calls.TOTAL_SECONDS", 0.2)
        pagerduty.hang_next()
        assert isinstance(refused(pagerduty_pager(pagerduty.url), notice()), RetryLater)

    @pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/", "http://[::1", "http://a\x00b/"])
    def test_a_base_url_that_makes_no_sense(self, url: str) -> None:
        assert isinstance(refused(pagerduty_pager(url), notice()), NeverRetry)

    @given(st.text(max_size=600))
    def test_dedup_keys_fit_and_stay_apart(self, key: str) -> None:
        fitted = pagerduty_dedup_key(key)
        assert len(fitted) <= 255
        assert pagerduty_dedup_key(fitted) == fitted
        assert pagerduty_dedup_key(key + "x" * 255) != pagerduty_dedup_key(key + "y" * 255)


class TestSlack:
    def test_a_page_is_posted_and_edited(self, slack: SlackServer) -> None:
        pager = slack_pager(slack.base_url)
        ref = send(pager, notice())
        (message,) = slack.messages
        assert ref == f"{message.channel}:{message.ts}"
        button = message.button("acknowledge_page")
        assert button is not None and button["value"] == "42"
        acknowledged = notice(action="acknowledge", provider_ref=ref, acknowledged_by="Grace <Hopper>")
        assert send(pager, acknowledged) == ref
        assert message.button("acknowledge_page") is None
        assert message.text.startswith("Acknowledged: ")
        assert "Acknowledged by Grace &lt;Hopper&gt;" in json.dumps(message.blocks)
        send(pager, notice(action="resolve", provider_ref=ref))
        assert message.text.startswith("Resolved: ")
        assert len(slack.messages) == 1

    def test_what_is_sent(self, slack: SlackServer) -> None:
        send(slack_pager(slack.url + "/api"), notice(to="#team", late_by=timedelta(days=1, hours=2)))
        (message,) = slack.messages
        assert message.channel == "C0TEAM001"
        assert message.text.startswith("[late by 1 d 2 h] Website down")
        shown = json.dumps(message.blocks, ensure_ascii=False)
        for expected in ("🚨", "*Organization*", "Gil &lt;gil@globex.example&gt;", "On call: Grace", "not dispatched"):
            assert expected in shown
        assert slack.received[0].path == "/api/chat.postMessage"

    def test_a_customer_cannot_call_the_channel(self, slack: SlackServer) -> None:
        send(slack_pager(slack.base_url), notice(summary="<!channel> <@U1> & <https://evil|x>", reasons=("<!here>",)))
        (message,) = slack.messages
        assert "<" not in message.text
        mrkdwn = [text for block in message.blocks for text in (*block.get("fields", []), *block.get("elements", []))]
        assert all("<" not in text["text"] for text in mrkdwn if text["type"] == "mrkdwn")

    @pytest.mark.parametrize(
        "changes",
        [
            {"summary": "x" * 10_000},
            {"summary": "\n\x00"},
            {"summary": "&" * 3000},
            {"details": {f"d{n}": "&" * 5000 for n in range(30)}},
            {"details": {}, "reasons": (), "recipient_name": "", "url": ""},
            {"details": {"a": "\x00", "b": " \n"}, "reasons": ("",)},
            {"url": "javascript:alert(1)"},
            {"url": "https://help.example/" + "a" * 5000},
            {"reasons": tuple("&" * 2000 for _ in range(40))},
        ],
    )
    def test_any_page_fits(self, slack: SlackServer, changes: dict[str, Any]) -> None:
        send(slack_pager(slack.base_url), notice(**changes))
        (message,) = slack.messages
        assert message.text and message.button("acknowledge_page") is not None

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            ("channel_not_found", NeverRetry),
            ("not_in_channel", NeverRetry),
            ("token_revoked", NeverRetry),
            ("something_new", NeverRetry),
            ("ratelimited", RetryLater),
            ("service_unavailable", RetryLater),
            ("fatal_error", Ambiguous),
            ("internal_error", Ambiguous),
        ],
    )
    def test_errors_of_a_new_message(self, slack: SlackServer, error: str, kind: type[DeliveryError]) -> None:
        slack.refuse_next(error)
        caught = refused(slack_pager(slack.base_url), notice())
        assert type(caught) is kind and error in caught.reason

    @pytest.mark.parametrize(
        ("error", "kind"),
        [("message_not_found", NeverRetry), ("cant_update_message", NeverRetry), ("internal_error", RetryLater)],
    )
    def test_errors_of_an_edit(self, slack: SlackServer, error: str, kind: type[DeliveryError]) -> None:
        slack.refuse_next(error)
        caught = refused(slack_pager(slack.base_url), notice(action="resolve", provider_ref="C0ONCALL1:1.1"))
        assert type(caught) is kind

    def test_the_rate_limit_says_when(self, slack: SlackServer) -> None:
        slack.limit_next(retry_after=12)
        error = refused(slack_pager(slack.base_url), notice())
        assert isinstance(error, RetryLater) and error.after == timedelta(seconds=12)

    def test_wrong_token_channel_and_address(self, slack: SlackServer) -> None:
        wrong = refused(slack_pager(slack.base_url, token="xoxb-old"), notice())
        assert isinstance(wrong, NeverRetry) and "invalid_auth" in wrong.reason
        assert isinstance(refused(slack_pager(slack.base_url), notice(to="#nowhere")), NeverRetry)
        assert isinstance(refused(slack_pager(slack.base_url, channel=""), notice()), NeverRetry)
        slack.fail_next(200, b"<html>xoxb-test-token</html>")
        page = refused(slack_pager(slack.base_url), notice())
        assert isinstance(page, NeverRetry) and "xoxb" not in page.reason

    @pytest.mark.parametrize("token", ["xoxb-s3cret\nX: y", "xoxb-s3cret-…"])
    def test_a_token_that_no_header_can_carry(self, slack: SlackServer, token: str) -> None:
        error = refused(slack_pager(slack.base_url, token=token), notice())
        assert isinstance(error, NeverRetry)
        assert "s3cret" not in error.reason

    @pytest.mark.parametrize(
        ("status", "kind"), [(500, Ambiguous), (502, Ambiguous), (503, RetryLater), (408, RetryLater)]
    )
    def test_trouble_on_their_side(self, slack: SlackServer, status: int, kind: type[DeliveryError]) -> None:
        slack.fail_next(status, b"oops")
        assert type(refused(slack_pager(slack.base_url), notice())) is kind

    def test_a_lost_answer_is_ambiguous_for_a_message_and_harmless_for_an_edit(self, slack: SlackServer) -> None:
        pager = slack_pager(slack.base_url)
        slack.cut_next(process=True)
        assert type(refused(pager, notice())) is Ambiguous
        (message,) = slack.messages
        resolved = notice(action="resolve", provider_ref=f"{message.channel}:{message.ts}")
        slack.cut_next(process=True)
        assert type(refused(pager, resolved)) is RetryLater
        send(pager, resolved)
        assert len(slack.messages) == 1

    @pytest.mark.parametrize("ref", ["", "C1", ":1.1", "C1:"])
    def test_an_edit_without_a_message(self, slack: SlackServer, ref: str) -> None:
        assert isinstance(refused(slack_pager(slack.base_url), notice(action="resolve", provider_ref=ref)), NeverRetry)
        assert slack.received == []

    def test_nobody_there(self) -> None:
        assert type(refused(slack_pager(nobody_listens()), notice())) is RetryLater


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
