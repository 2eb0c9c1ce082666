"""Subscribers that are called: webhooks behind the guard, signed and confirmed; channels of Slack and Telegram."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from helpdesk import limits
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.secrets import decrypt
from status import distributing, incidents, subscribing
from status.incidents import Opening, Words
from status.models import Incident, Notice, Subscriber
from status.subscribing import NotAnAddress, Wishes
from tests.events.test_webhooks import Receiver, verified
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.providers import ProviderServer, Received, Reply, SlackServer
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber, tell

pytestmark = pytest.mark.django_db


class Telegram(ProviderServer):
    """Telegram's Bot API, as far as sendMessage."""

    def answer(self, request: Received) -> Reply:
        if request.path != "/bot1:x/sendMessage":
            return Reply(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        return Reply(200, {"ok": True, "result": {"message_id": len(self.received)}})


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    limits.forget()
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
    with Receiver() as server:
        yield server


def _publish(company: Company, at: datetime, body: str = "We look.") -> Incident:
    web = component("web14", at)
    words = Words("investigating", body, {web.pk: "major_outage"})
    incident = incidents.open_incident(Opening("Disks <gone>", words), company.ada, at=at)
    settle(at)
    return incident


def _hooked(receiver: Receiver, at: datetime) -> Subscriber:
    ours = subscribing.add("webhook", f"{receiver.url}/in", Wishes(), is_confirmed=True, actor=CUSTOMER, at=at)
    return ours


def test_a_webhook_subscribes_itself(company: Company, at: datetime, receiver: Receiver, client: Client) -> None:
    with time_machine.travel(at, tick=False):
        asked = client.post("/status/subscribe/", {"url": f"{receiver.url}/in"})
        assert asked.status_code == 302
        settle(at)
        (call,) = receiver.received
        assert call.json()["type"] == "subscription.confirmation"
        _publish(company, at)
        tell(at)
        assert len(receiver.received) == 1, "nothing is told before it is confirmed"

        link = call.json()["data"]["confirm_url"].partition("/status/")[2]
        page = client.get(f"/status/{link}")
        assert page.status_code == 200 and Subscriber.objects.get().status == "pending"
        done = client.post(f"/status/{link}", {"which": "all"})
        known = Subscriber.objects.get()
        secret = decrypt(known.secret)
        assert known.status == "active" and secret.encode() in done.content
        assert secret.encode() not in client.get(f"/status/{link}", follow=True).content
        verified(secret, call, at)

        later = at + timedelta(minutes=5)
    with time_machine.travel(later, tick=False):
        _publish(company, later)
        tell(later)
    said = verified(secret, receiver.received[-1], later)
    assert said["type"] == "incident.published"
    incident = said["data"]["incident"]
    assert (incident["name"], incident["status"], incident["impact"]) == ("Disks <gone>", "investigating", "critical")
    assert [one["body"] for one in incident["incident_updates"]] == ["We look."]
    (public,) = [
        one for one in client.get("/status/api/v2/incidents.json").json()["incidents"] if one["id"] == incident["id"]
    ]
    (part,), (update,) = incident["components"], incident["incident_updates"]
    assert part.items() <= public["components"][0].items() and part["status"] == "major_outage"
    for name in ("created_at", "started_at", "monitoring_at", "resolved_at", "shortlink", "updated_at"):
        assert name in incident and (incident[name] is None) == (public[name] is None), name
    shown = public["incident_updates"][0]
    assert all(update[name] == shown[name] for name in ("id", "status", "body", "incident_id"))
    assert "/status/unsubscribe/" in said["data"]["meta"]["unsubscribe"]


def test_a_webhook_is_tried_again_under_the_same_id(company: Company, at: datetime, receiver: Receiver) -> None:
    _hooked(receiver, at)
    _publish(company, at)
    receiver.fail_next(503)
    tell(at)
    assert Notice.objects.get().status == "pending"
    tell(at + timedelta(minutes=2))
    assert Notice.objects.get().status == "sent"
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 1 and len(receiver.received) == 2
    assert Subscriber.objects.get().failing_since is None
    assert not distributing.is_going_on()


def test_a_webhook_that_is_gone_or_fails_for_days_is_let_be(company: Company, at: datetime, receiver: Receiver) -> None:
    known = _hooked(receiver, at)
    _publish(company, at)
    receiver.fail_next(410)
    tell(at)
    known.refresh_from_db()
    assert known.status == "suspended" and "410" in known.trouble
    assert Notice.objects.get().status == "failed"

    Subscriber.objects.update(status="active", failing_since=at - timedelta(days=6))
    receiver.fail_next(500)
    later = at + timedelta(days=1)
    incidents.open_incident(Opening("Again", Words("investigating", "x")), company.ada, at=later)
    settle(later)
    tell(later)
    known.refresh_from_db()
    assert known.status == "suspended"


def test_a_redirect_is_not_followed(company: Company, at: datetime, receiver: Receiver) -> None:
    _hooked(receiver, at)
    _publish(company, at)
    receiver.fail_next(302, headers={"Location": f"{receiver.url}/inside"})
    tell(at)
    assert [call.path for call in receiver.received] == ["/in"]
    notice = Notice.objects.get()
    assert notice.status == "pending" and "redirects are not followed" in notice.error


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "http://93.184.216.34/", "https://93.184.216.34:22/", "https://u:p@93.184.216.34/",
        "ftp://x.example/", "javascript:alert(1)", "https://localhost/", "https://2130706433/", "https://0x7f.1/", "x",
    ],
)  # fmt: skip
def test_the_inside_is_never_called(
    company: Company, at: datetime, client: Client, settings: Settings, url: str
) -> None:
    limits.forget()
    settings.WEBHOOK_ALLOW_PRIVATE = ""
    with pytest.raises(NotAnAddress):
        subscribing.checked("webhook", url)
    assert client.post("/status/subscribe/", {"url": url}).status_code == 422
    assert not Subscriber.objects.exists()


def test_what_has_moved_inside_since_is_not_called_either(
    company: Company, at: datetime, settings: Settings, receiver: Receiver
) -> None:
    known = _hooked(receiver, at)
    settings.WEBHOOK_ALLOW_PRIVATE = ""
    _publish(company, at)
    tell(at)
    assert receiver.received == []
    assert Notice.objects.get(subscriber=known).status == "failed"


def test_a_channel_of_slack(company: Company, at: datetime, settings: Settings, slack_server: SlackServer) -> None:
    settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL = slack_server.token, slack_server.base_url
    channel = next(iter(slack_server.channels.values()))
    subscriber(channel, at, kind="slack")
    _publish(company, at, body="<!channel> look & see")
    tell(at)
    posted = json.loads(slack_server.received[-1].body)
    assert posted["channel"] == channel
    assert "Disks &lt;gone&gt;" in posted["text"] and "&lt;!channel&gt; look &amp; see" in posted["text"]
    assert Notice.objects.get().status == "sent"


def test_a_chat_of_telegram(company: Company, at: datetime, settings: Settings) -> None:
    with Telegram() as telegram:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL = "1:x", telegram.url
        subscriber("-100123", at, kind="telegram")
        _publish(company, at, body="x" * 50_000)
        telegram.fail_next(429, {"ok": False, "parameters": {"retry_after": 90}})
        tell(at)
        tell(at + timedelta(seconds=80))
        assert len(telegram.received) == 1
        tell(at + timedelta(seconds=100))
        said: Any = telegram.received[-1].json()
    assert said["chat_id"] == "-100123" and len(said["text"]) <= 4096 and "/incidents/" in said["text"][-60:]
    assert Notice.objects.get().status == "sent"


def test_what_is_not_connected_is_not_planned(company: Company, at: datetime) -> None:
    subscriber("C0123456", at, kind="slack")
    subscriber("-100123", at, kind="telegram")
    _publish(company, at)
    tell(at)
    assert not Notice.objects.exists() and not distributing.is_going_on()
    assert distributing.announced_on() == {"x": False, "facebook": False, "mastodon": False, "bluesky": False}
