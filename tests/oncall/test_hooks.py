"""What PagerDuty and Slack tell us: only with their signature, each word once, in any order, answered at once."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from helpdesk.conversations.models import Message
from helpdesk.customers.models import User
from helpdesk.events import outbox
from helpdesk.events.models import Event, Hook
from helpdesk.oncall import deliveries, feeds, notices, paging
from helpdesk.oncall.models import Page, Schedule
from tests.fixtures.company import Company
from tests.fixtures.pages import after, page, request
from tests.fixtures.providers import PagerDutyServer, SlackMessage, SlackServer

DATA = Path(__file__).parents[3] / "shared" / "data" / "integrations"
PAGERDUTY, INTERACTIVITY, EVENTS = "/hooks/pagerduty/", "/hooks/slack/interactivity/", "/hooks/slack/events/"


@pytest.fixture
def at() -> datetime:
    """Now, because Slack's requests are good for five minutes."""
    return timezone.now()


@pytest.fixture
def pagerduty(settings: Settings, pagerduty_server: PagerDutyServer) -> PagerDutyServer:
    settings.PAGERDUTY_WEBHOOK_SECRET = pagerduty_server.webhook_secret
    return pagerduty_server


@pytest.fixture
def slack(settings: Settings, slack_server: SlackServer) -> SlackServer:
    settings.SLACK_SIGNING_SECRET = slack_server.signing_secret
    return slack_server


def post(client: Client, path: str, told: tuple[dict[str, str], bytes]) -> int:
    headers, raw = told
    content_type = headers.get("Content-Type", "application/json")
    return client.post(path, data=raw, content_type=content_type, headers=headers).status_code


def message(found: Page) -> SlackMessage:
    button = {"type": "button", "action_id": "acknowledge_page", "value": str(found.pk)}
    return SlackMessage("C0ONCALL1", "1.2", "x", [{"type": "actions", "elements": [button]}])


def signed(secret: str, raw: bytes) -> dict[str, str]:
    return {"X-PagerDuty-Signature": "v1=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}


class TestTheDoor:
    def test_pagerduty_is_shut_without_the_right_signature(
        self, db: None, client: Client, pagerduty: PagerDutyServer, settings: Settings, at: datetime
    ) -> None:
        headers, raw = pagerduty.webhook("incident.acknowledged", "test:1", at)
        assert post(client, PAGERDUTY, ({}, raw)) == 400
        assert post(client, PAGERDUTY, (headers, b"")) == 400
        assert post(client, PAGERDUTY, (headers, raw + b" ")) == 403
        assert client.get(PAGERDUTY).status_code == 405
        settings.PAGERDUTY_WEBHOOK_SECRET = ""
        assert post(client, PAGERDUTY, (headers, raw)) == 403, "without a secret nobody can be believed"
        assert not Hook.objects.exists()

    def test_slack_is_shut_without_the_right_signature(
        self, db: None, client: Client, slack: SlackServer, settings: Settings, at: datetime
    ) -> None:
        shown = SlackMessage(
            "C", "1", "", [{"elements": [{"type": "button", "action_id": "acknowledge_page", "value": "1"}]}]
        )
        headers, raw = slack.press(shown, at)
        for path in (INTERACTIVITY, EVENTS):
            assert post(client, path, ({}, raw)) == 403
            assert post(client, path, (headers, raw + b" ")) == 403
            assert post(client, path, slack.press(shown, at - timedelta(minutes=6))) == 403, "old news may be replayed"
        settings.SLACK_SIGNING_SECRET = ""
        assert post(client, INTERACTIVITY, (headers, raw)) == 403
        assert not Hook.objects.exists()

    def test_the_recorded_pagerduty_call(self, db: None, client: Client, settings: Settings) -> None:
        path = DATA / "vectors" / "pagerduty_v3.json"
        if not path.exists():
            pytest.skip("the shared test data is not here: pagerduty_v3.json")
        vectors = json.loads(path.read_text())
        settings.PAGERDUTY_WEBHOOK_SECRET = vectors["secret"]
        for case in vectors["vectors"]:
            status = post(client, PAGERDUTY, ({"X-PagerDuty-Signature": case["header"]}, vectors["body"].encode()))
            assert status == 202 if case["valid"] else status in (400, 403)
        assert Hook.objects.get().external_id == "01BWDWL3NYY7LUFPZCC28QUCMK", "without a webhook id, the event's"

    def test_slack_verifies_the_address(self, db: None, client: Client, slack: SlackServer, at: datetime) -> None:
        raw = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
        stamp = str(int(at.timestamp()))
        base = b"v0:" + stamp.encode() + b":" + raw
        signature = "v0=" + hmac.new(slack.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        answer = client.post(EVENTS, data=raw, content_type="application/json", headers=headers)
        assert answer.json() == {"challenge": "3eZbrw1aB"} and not Hook.objects.exists()

    def test_every_recorded_payload_gets_in(self, db: None, client: Client, settings: Settings) -> None:
        folder = DATA / "pagerduty" / "webhooks_v3"
        if not folder.exists():
            pytest.skip("the shared test data is not here: pagerduty/webhooks_v3")
        settings.PAGERDUTY_WEBHOOK_SECRET = "s"
        bodies = [path.read_bytes() for path in sorted(folder.rglob("*.json"))]
        assert {post(client, PAGERDUTY, (signed("s", raw), raw)) for raw in bodies} == {202}
        outbox.drain(timezone.now())
        assert not Hook.objects.filter(state="accepted").exists()

    def test_too_large_a_body_is_not_read(self, db: None, client: Client) -> None:
        answer = client.post(PAGERDUTY, data=b"x", content_type="application/json", CONTENT_LENGTH="99999999999")
        assert answer.status_code == 413

    def test_what_cannot_be_read_is_quarantined_and_can_be_replayed(
        self, db: None, client: Client, settings: Settings
    ) -> None:
        settings.PAGERDUTY_WEBHOOK_SECRET = "s"
        assert post(client, PAGERDUTY, (signed("s", b"{garbage"), b"{garbage")) == 202
        hook = Hook.objects.get()
        assert (hook.state, hook.error) == ("quarantined", "not JSON")
        call_command("replay_hook", str(hook.pk))
        outbox.drain(timezone.now())
        hook.refresh_from_db()
        assert hook.state == "quarantined", "still unreadable, still visible"
        Hook.objects.update(body=b'{"event": {"event_type": "pagey.ping"}}')
        call_command("replay_hook", str(hook.pk))
        outbox.drain(timezone.now())
        hook.refresh_from_db()
        assert hook.state == "done"
        with pytest.raises(CommandError, match="Only a quarantined"):
            call_command("replay_hook", str(hook.pk))
        with pytest.raises(CommandError, match="no hook"):
            call_command("replay_hook", "0")


class TestPagerDuty:
    def tell(self, client: Client, pagerduty: PagerDutyServer, kind: str, at: datetime, **details: Any) -> Page:
        assert post(client, PAGERDUTY, pagerduty.webhook(f"incident.{kind}", "test:1", at, **details)) == 202
        outbox.drain(timezone.now())
        return Page.objects.order_by("pk").last()  # type: ignore[return-value]

    def test_acknowledged_and_resolved_there_is_so_here(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        page(at=at)
        found = self.tell(client, pagerduty, "acknowledged", after(at, seconds=1))
        assert (found.state, found.acknowledged_by) == ("acknowledged", company.grace)
        assert found.acknowledged_via == "PagerDuty (Grace Hopper)"
        assert self.tell(client, pagerduty, "resolved", after(at, seconds=2)).state == "resolved"
        assert set(Hook.objects.values_list("state", flat=True)) == {"done"}

    def test_somebody_we_do_not_know_counts_too(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        page(at=at)
        found = self.tell(client, pagerduty, "acknowledged", at, agent="Somebody Else")
        assert (found.state, found.acknowledged_by) == ("acknowledged", None)

    def test_a_repeated_call_is_kept_once(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        page(at=at)
        told = pagerduty.webhook("incident.acknowledged", "test:1", at, webhook_id="w1")
        assert [post(client, PAGERDUTY, told) for _ in range(3)] == [202, 202, 202]
        assert Hook.objects.count() == Event.objects.filter(kind="hook.pagerduty").count() == 1

    @pytest.mark.parametrize("order", [("acknowledged", "resolved"), ("resolved", "acknowledged")])
    def test_the_order_of_arrival_does_not_matter(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime, order: tuple[str, str]
    ) -> None:
        page(at=at)
        said_at = {"acknowledged": after(at, seconds=1), "resolved": after(at, seconds=2)}
        for kind in order:
            found = self.tell(client, pagerduty, kind, said_at[kind])
        assert found.state == "resolved"

    def test_older_words_change_nothing(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        page(at=at)
        self.tell(client, pagerduty, "unacknowledged", after(at, minutes=2))
        found = self.tell(client, pagerduty, "acknowledged", after(at, minutes=1))
        assert found.state == "triggered"

    def test_unacknowledged_there_calls_again_here(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        found = page(at=at)
        paging.acknowledge(found.pk, at=at, user=company.grace)
        found = self.tell(client, pagerduty, "unacknowledged", after(at, minutes=1))
        assert (found.state, found.round) == ("triggered", 1)
        assert found.deliveries.filter(action="trigger", state="pending").count() == 1
        found = self.tell(client, pagerduty, "unacknowledged", after(at, minutes=1))
        assert found.round == 1

    def test_words_about_an_earlier_page_do_not_touch_the_next(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        first = page(at=after(at, minutes=-5))
        paging.resolve(first.pk, at=after(at, minutes=-1))
        page(at=at)
        assert self.tell(client, pagerduty, "resolved", after(at, minutes=-1)).state == "triggered"
        echo = self.tell(client, pagerduty, "resolved", after(at, seconds=1), agent="")
        assert echo.state == "triggered", "PagerDuty repeats our own resolution of the first one"

    def test_a_key_that_was_shortened_is_found(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        found = page("k" * 255, at=at)
        assert post(client, PAGERDUTY, pagerduty.webhook("incident.resolved", found.dedup_key, at)) == 202
        outbox.drain(timezone.now())
        found.refresh_from_db()
        assert found.state == "resolved"

    def test_an_unknown_incident_is_nobodys_business(
        self, company: Company, client: Client, pagerduty: PagerDutyServer, at: datetime
    ) -> None:
        assert post(client, PAGERDUTY, pagerduty.webhook("incident.resolved", "of another system", at)) == 202
        outbox.drain(timezone.now())
        assert Hook.objects.get().state == "done"


class TestSlack:
    def test_the_button_acknowledges(self, company: Company, client: Client, slack: SlackServer, at: datetime) -> None:
        found = page(at=at)
        told = slack.press(message(found), at)
        assert [post(client, INTERACTIVITY, told) for _ in range(2)] == [200, 200]
        outbox.drain(timezone.now())
        found.refresh_from_db()
        assert (found.state, found.acknowledged_by) == ("acknowledged", company.grace)
        assert Hook.objects.get().state == "done"

    def test_a_button_of_no_page_is_quarantined(
        self, company: Company, client: Client, slack: SlackServer, at: datetime
    ) -> None:
        assert post(client, INTERACTIVITY, slack.press(message(Page(pk=999_999)), at)) == 200
        outbox.drain(timezone.now())
        assert Hook.objects.get().error == "there is no page 999999"

    def test_the_whole_circle(
        self, company: Company, client: Client, slack: SlackServer, settings: Settings, at: datetime
    ) -> None:
        settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = slack.token, "#oncall"
        settings.SLACK_BASE_URL = slack.base_url
        page(at=at)
        deliveries.deliver(at)
        assert post(client, INTERACTIVITY, slack.press(slack.messages[0], at)) == 200
        outbox.drain(timezone.now())
        deliveries.deliver(timezone.now())
        assert slack.messages[0].text.startswith("Acknowledged")
        assert slack.messages[0].button("acknowledge_page") is None

    def test_only_agents_may_press(
        self, company: Company, client: Client, slack: SlackServer, settings: Settings, at: datetime
    ) -> None:
        settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = slack.token, "#oncall"
        settings.SLACK_BASE_URL = slack.base_url
        found = page(at=at)
        deliveries.deliver(at)

        def pressed_by(user: str) -> tuple[str, User | None, str]:
            assert post(client, INTERACTIVITY, slack.press(slack.messages[0], timezone.now(), user=user)) == 200
            outbox.drain(timezone.now())
            found.refresh_from_db()
            return found.state, found.acknowledged_by, found.acknowledged_via

        slack.hire("eve", "eve@elsewhere.example")
        slack.hire("ada", "ada@demo.example", team="T2")  # another company's Ada, in a channel both share
        slack.hire("linus", "linus@demo.example", deleted=True)
        for stranger in ("eve", "ada", "linus"):
            assert pressed_by(stranger) == ("triggered", None, ""), stranger
        assert [user for user, words in slack.whispers if "goes on calling" in words] == ["U0EVE", "U0ADA", "U0LINUS"]
        assert not Hook.objects.exclude(state="done").exists(), "it is told once, and nothing is left to do"
        # Whom Slack does not name counts all the same, or nobody could answer without the scope.
        slack.refuse_next("missing_scope")
        assert pressed_by("night") == ("acknowledged", None, "Slack (night)")

    def test_the_address_says_who_it_is_and_not_the_name(
        self, company: Company, client: Client, slack: SlackServer, settings: Settings, at: datetime
    ) -> None:
        settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL = slack.token, slack.base_url
        found = page(at=at)
        slack.hire("grace", "Linus@demo.example")
        assert post(client, INTERACTIVITY, slack.press(message(found), at, user="grace")) == 200
        outbox.drain(timezone.now())
        found.refresh_from_db()
        assert found.acknowledged_by == company.linus


class TestTheLinkInTheMail:
    def url(self, found: Page, user_id: int | None) -> str:
        return notices.acknowledge_url(found, user_id).removeprefix("http://127.0.0.1:8000")

    @pytest.fixture
    def link(self, company: Company, at: datetime, settings: Settings) -> tuple[str, Page]:
        settings.PUBLIC_URL = "http://127.0.0.1:8000"
        conversation = request(company.carol, at)
        found = page(f"helpdesk:conversation:{conversation.pk}", at=at, conversation_id=conversation.pk)
        return self.url(found, company.grace.pk), found

    def test_looking_changes_nothing(self, link: tuple[str, Page], client: Client) -> None:
        url, found = link
        shown = client.get(url)
        assert shown.status_code == 200 and b"Summary of helpdesk:conversation" in shown.content
        assert shown["Referrer-Policy"] == "no-referrer" and "no-store" in shown["Cache-Control"]
        found.refresh_from_db()
        assert found.state == "triggered"

    def test_the_button_acknowledges(self, link: tuple[str, Page], company: Company) -> None:
        url, found = link
        assert Client(enforce_csrf_checks=True).post(url).status_code == 200
        found.refresh_from_db()
        assert (found.state, found.acknowledged_by) == ("acknowledged", company.grace)
        assert not Message.objects.filter(kind="outbound").exists()

    def test_words_reach_the_customer_once(self, link: tuple[str, Page], client: Client, company: Company) -> None:
        url, found = link
        for _ in range(2):
            assert client.post(url, {"handling": "I restart it now."}).status_code == 200
        said = Message.objects.get(kind="outbound")
        assert (said.text, said.agent) == ("I restart it now.", company.grace)
        found.refresh_from_db()
        assert found.state == "acknowledged"
        said.conversation.refresh_from_db()
        assert (said.conversation.assignee, said.conversation.status) == (company.grace, "open")

    def test_a_wrong_link_says_so(self, link: tuple[str, Page], client: Client, company: Company) -> None:
        url, _ = link
        assert client.get(url[:-3] + "x/").status_code == 403
        for told, status in (({"page": 0}, 404), (7, 403), ({}, 403)):
            token = signing.dumps(told, salt=notices.SALT)
            assert client.get(reverse("acknowledge_page", args=[token])).status_code == status
        company.grace.is_active = False
        company.grace.save()
        assert client.post(url).status_code == 403

    def test_an_expired_link(self, link: tuple[str, Page], client: Client, time_machine: Any) -> None:
        url, found = link
        time_machine.move_to(timezone.now() + timedelta(days=8))
        answer = client.post(url)
        assert answer.status_code == 403 and b"older than seven days" in answer.content
        found.refresh_from_db()
        assert found.state == "triggered"


class TestTheFeed:
    def test_it_opens_with_its_token_or_a_session(self, company: Company, client: Client, settings: Settings) -> None:
        settings.PUBLIC_URL = "http://127.0.0.1:8000"
        schedule = Schedule.objects.get()
        path = reverse("schedule_feed", args=[schedule.pk])
        assert client.get(path).status_code == 403
        assert client.get(path, {"token": "nonsense"}).status_code == 403
        url = feeds.feed_url(schedule, company.grace).removeprefix("http://127.0.0.1:8000")
        feed = client.get(url)
        assert feed["Content-Type"].startswith("text/calendar") and b"On call: Grace Hopper" in feed.content
        other = Schedule.objects.create(name="Other", timezone="Europe/Berlin", fallback=company.ada)
        assert client.get(url.replace(path, reverse("schedule_feed", args=[other.pk]))).status_code == 403
        client.force_login(company.ada)
        assert client.get(path).status_code == 200
        client.logout()
        company.grace.is_active = False
        company.grace.save()
        assert client.get(url).status_code == 403, "who has left reads no more"
