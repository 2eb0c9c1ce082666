"""Webhooks: signed, tried again, switched off, replayed; and what they are told of private teams."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import AuditEntry, Team
from helpdesk.events import webhook_calls, webhooks
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.events.outgoing import RefusedTarget
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.providers import ProviderServer, Received, Reply

pytestmark = pytest.mark.django_db
TOLERANCE = 300


class Receiver(ProviderServer):
    """Somebody's own server."""

    def answer(self, request: Received) -> Reply:
        return Reply(200, {"ok": True})


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
    with Receiver() as server:
        yield server


def verified(secret: str, request: Received, now: datetime) -> Any:
    """What the receivers' libraries do (standardwebhooks, `Webhook.verify`), written from the specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    number, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(stamp) - now.timestamp()) < TOLERANCE
    expected = hmac.new(key, f"{number}.{stamp}.".encode() + request.body, hashlib.sha256).digest()
    given = [one.partition(",") for one in request.headers["webhook-signature"].split(" ")]
    assert any(
        version == "v1" and hmac.compare_digest(expected, base64.b64decode(value)) for version, _, value in given
    )
    return json.loads(request.body)


def hook(receiver: Receiver, at: datetime, **fields: Any) -> tuple[Webhook, str]:
    given = {"name": "Room", "url": receiver.url + "/in", "kinds": ["conversation.opened"], **fields}
    webhook = Webhook(created_at=at, **given)
    secret = webhooks.give_secret(webhook, at=at)
    webhook.save()
    return webhook, secret


def ask(company: Company, at: datetime, **words: Any) -> Conversation:
    given = {"subject": "Shop is slow", "text": "Our shop is slow.", **words}
    message = conversations.receive_message(
        conversations.Inbound(channel="email", customer=company.carol, at=at, **given)
    )
    settle(at)
    return Conversation.objects.get(pk=message.conversation_id)


def test_an_event_is_told_signed_with_the_conversation_as_the_api_shows_it(
    company: Company, receiver: Receiver, at: datetime
) -> None:
    _, secret = hook(receiver, at)
    conversation = ask(company, at)
    assert webhooks.deliver(at) == 1
    (request,) = receiver.received
    told = verified(secret, request, at)
    assert (request.method, request.path) == ("POST", "/in")
    assert request.headers["content-type"] == "application/json"
    assert told["type"] == "conversation.opened" and told["timestamp"] == "2026-01-12T08:00:00Z"
    assert told["data"]["conversation"]["number"] == conversation.number
    assert told["data"]["conversation"]["customer"]["email"] == "carol@acme.example"
    assert (
        told["data"]["message"]["text"] == "Our shop is slow." and told["data"]["event"]["actor"]["kind"] == "customer"
    )
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 1)
    assert delivery.response == '{"ok": true}' and delivery.due_at is None
    with pytest.raises(AssertionError):
        verified(webhooks.new_secret(), request, at)


def test_each_event_once_and_only_what_was_asked_for(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at, kinds=["conversation.assigned", "note.written"])
    hook(receiver, at, kinds=["note.written"], is_active=False)
    conversation = ask(company, at)
    conversations.note(conversation.pk, company.grace, "Look.", at=at)
    settle(at)
    assert webhooks.deliver(at) == 1 and webhooks.deliver(at) == 0
    assert [request.json()["type"] for request in receiver.received] == ["note.written"]


def test_private_teams_stay_private_unless_an_admin_says_so(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at, name="Public")
    hook(receiver, at, name="Private", includes_private=True)
    board = Team.objects.create(name="Board", is_private=True)
    ask(company, at, team_id=board.pk)
    assert list(WebhookDelivery.objects.values_list("webhook__name", flat=True)) == ["Private"]


def test_a_long_text_is_cut(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at)
    ask(company, at, text="é" * 400_000)
    webhooks.deliver(at)
    message = receiver.received[0].json()["data"]["message"]
    assert len(message["text"]) == 20_000 and message["is_cut"] is True and "html" not in message


def test_what_fails_is_tried_again_with_the_same_bytes(company: Company, receiver: Receiver, at: datetime) -> None:
    webhook, secret = hook(receiver, at)
    ask(company, at)
    receiver.fail_next(500, {"sorry": 1})
    receiver.cut_next()
    receiver.fail_next(302, headers={"Location": "http://169.254.169.254/latest/"})
    now = at
    for number, wait in enumerate(webhooks.BACKOFF_SECONDS[:3], 1):
        assert webhooks.deliver(now) == 1
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.attempts) == ("pending", number) and delivery.error
        assert delivery.due_at == now + timedelta(seconds=wait)
        assert webhooks.deliver(now + timedelta(seconds=wait - 1)) == 0
        now += timedelta(seconds=wait)
    webhook = Webhook.objects.get()
    assert webhook.failing_since == at and "redirects are not followed" in webhook.trouble
    assert webhooks.deliver(now) == 1
    webhook = Webhook.objects.get()
    assert webhook.failing_since is None and webhook.trouble == "" and webhook.is_active
    assert len({request.body for request in receiver.received}) == 1
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    verified(secret, receiver.received[-1], now)


def test_a_silent_receiver_is_left_and_tried_again(
    company: Company, receiver: Receiver, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(receiver, at)
    ask(company, at)
    receiver.hang_next()
    call_all = webhook_calls.call_all
    monkeypatch.setattr(webhook_calls, "call_all", lambda calls: call_all(calls, 0.3))
    assert webhooks.deliver(at) == 1
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "pending" and "Timeout" in delivery.error and delivery.status is None


def test_a_receiver_may_ask_us_to_wait(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at)
    ask(company, at)
    receiver.fail_next(429, headers={"Retry-After": "120"})
    webhooks.deliver(at)
    assert WebhookDelivery.objects.get().due_at == at + timedelta(seconds=120)


def test_410_switches_it_off_at_once(company: Company, receiver: Receiver, at: datetime) -> None:
    webhook, _ = hook(receiver, at)
    ask(company, at)
    ask(company, at, subject="Another")
    receiver.fail_next(410, times=2)
    webhooks.deliver(at)
    webhook = Webhook.objects.get()
    assert not webhook.is_active and "410" in webhook.trouble
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}
    entry = AuditEntry.objects.get(kind="webhook")
    assert (entry.action, entry.actor, entry.after["is_active"]) == ("switched_off", None, False)
    ask(company, at, subject="A third")
    assert WebhookDelivery.objects.count() == 2


def test_five_days_of_failures_switch_it_off(company: Company, receiver: Receiver, at: datetime) -> None:
    webhook, _ = hook(receiver, at)
    receiver.fail_next(500, times=50)
    ask(company, at)
    webhooks.deliver(at)
    ask(company, at + timedelta(days=4))
    webhooks.deliver(at + timedelta(days=4))
    webhook = Webhook.objects.get()
    assert webhook.is_active and webhook.failing_since == at
    ask(company, at + timedelta(days=5, hours=1))
    webhooks.deliver(at + timedelta(days=5, hours=1))
    webhook = Webhook.objects.get()
    assert not webhook.is_active and "5 days" in webhook.trouble


def test_it_gives_up_in_the_open(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at)
    ask(company, at)
    receiver.fail_next(500, times=50)
    now = at
    for wait in (*webhooks.BACKOFF_SECONDS, 0):
        Webhook.objects.update(failing_since=None)  # so that it is the attempts that end it
        assert webhooks.deliver(now) == 1
        now += timedelta(seconds=wait)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("failed", len(webhooks.BACKOFF_SECONDS) + 1)
    replayed = webhooks.replay(delivery.pk, at=now)
    assert (replayed.state, replayed.attempts) == ("pending", 0)
    with pytest.raises(webhooks.StillWaiting):
        webhooks.replay(delivery.pk, at=now)


def test_a_lost_worker_leaves_a_lease(company: Company, receiver: Receiver, at: datetime) -> None:
    """Killed between claim and record: the lease ends and it goes out again under the same id."""
    hook(receiver, at)
    ask(company, at)
    (claimed,) = webhooks._claim(at, at)
    assert webhooks.deliver(at) == 0
    assert webhooks.deliver(at + webhooks.LEASE) == 1
    assert receiver.received[0].headers["webhook-id"] == webhooks.number_of(claimed)


def test_a_secret_is_rotated_without_a_gap(company: Company, receiver: Receiver, at: datetime) -> None:
    webhook, old = hook(receiver, at)
    new = webhooks.give_secret(webhook, at=at)
    webhook.save()
    ask(company, at)
    webhooks.deliver(at)
    verified(old, receiver.received[0], at)
    verified(new, receiver.received[0], at)
    later = at + timedelta(hours=25)
    ask(company, later)
    webhooks.deliver(later)
    verified(new, receiver.received[1], later)
    with pytest.raises(AssertionError):
        verified(old, receiver.received[1], later)
    assert old not in webhook.secret + webhook.old_secret and new not in webhook.secret + webhook.old_secret


def test_a_lost_secret_key_is_told(company: Company, receiver: Receiver, at: datetime) -> None:
    webhook, _ = hook(receiver, at)
    Webhook.objects.filter(pk=webhook.pk).update(secret="not what we wrote")
    ask(company, at)
    webhooks.deliver(at)
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "failed" and "SECRET_KEY" in delivery.error and not receiver.received


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://169.254.169.254/latest/", "https://10.0.0.1/", "http://93.184.216.34/"]
)
def test_the_inside_is_never_called(company: Company, at: datetime, settings: Settings, url: str) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = ""
    with pytest.raises(RefusedTarget):
        webhook_calls.check(url)
    webhook = Webhook(name="x", url=url, kinds=["conversation.opened"], created_at=at)
    webhooks.give_secret(webhook, at=at)
    webhook.save()
    ask(company, at)
    webhooks.deliver(at)
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "failed" and delivery.status is None and delivery.error


def test_a_hanging_receiver_does_not_hold_the_others(
    company: Company, receiver: Receiver, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as silent:
        hook(silent, at, name="Silent")
        hook(receiver, at, name="Good")
        for number in range(6):
            ask(company, at, subject=f"Question {number}")
        silent.hang_next(times=50)
        call_all = webhook_calls.call_all
        monkeypatch.setattr(webhook_calls, "call_all", lambda calls: call_all(calls, 0.3))
        webhooks.deliver(at)
    assert len(receiver.received) == 6
    good = WebhookDelivery.objects.filter(webhook__name="Good")
    assert set(good.values_list("state", flat=True)) == {"delivered"}


def test_a_hostile_answer_is_bounded(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at)
    ask(company, at)
    receiver.fail_next(200, b"\x00\xff" * 4_100)
    webhooks.deliver(at)
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "delivered" and len(delivery.response) <= webhook_calls.LONGEST_RESPONSE


def test_old_deliveries_are_forgotten(company: Company, receiver: Receiver, at: datetime) -> None:
    hook(receiver, at)
    ask(company, at)
    assert webhooks.forget(at + timedelta(days=1)) == 0  # still waiting
    webhooks.deliver(at)
    assert webhooks.forget(at) == 0 and webhooks.forget(at + timedelta(days=1)) == 1
