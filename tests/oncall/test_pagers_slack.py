"""The Slack pager against a local server speaking the Web API: what is posted, edited, and what each answer means."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.oncall.pagers import Pager, configured_pagers
from tests.fixtures.notices import nobody_listens, notice, refused, send
from tests.fixtures.providers import SlackServer


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


def slack_pager(url: str, token: str = "xoxb-test-token", channel: str = "#oncall") -> Pager:
    return configured_pagers({"SLACK_BOT_TOKEN": token, "SLACK_CHANNEL": channel, "SLACK_BASE_URL": url})["slack"]


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
