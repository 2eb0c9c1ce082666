"""X over a local server that speaks its API v2."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from helpdesk.events.models import Hook
from social import accounts, connecting, filing, spending
from social.counting import on_x
from social.models import Account, Arrival, Post, Spending
from social.network import TokenDead
from social.networks.x import X
from tests.fixtures.company import Company
from tests.fixtures.providers.x import CONSUMER_SECRET, TOKEN, US, XServer, sign
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def x(settings: object) -> Iterator[XServer]:
    with XServer() as server:
        settings.SOCIAL_BASE_URLS = {"x": server.url}  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def account(x: XServer, company: Company, at: datetime) -> Account:
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.X,
        name="Demo on X",
        handle="@demo",
        external_id=US,
        secrets=accounts.close(
            {"access_token": TOKEN, "consumer_secret": CONSUMER_SECRET, "refresh_token": "refresh-1", "client_id": "c"}
        ),
        state=Account.State.CONNECTED,
        created_at=at,
    )


def _tell(client: Client, headers: dict[str, str], body: bytes) -> int:
    return client.post("/hooks/x/", body, content_type="application/json", headers=headers).status_code


def _work() -> None:
    """What a webhook brought came at this moment, whatever time the test has."""
    outbox.drain(timezone.now())
    filing.file_arrivals(timezone.now())


def test_webhook_and_poll_tell_the_same_once(account: Account, x: XServer, client: Client, at: datetime) -> None:
    x.user("7", "maria")
    post = x.mention("7", "@demo is web14 down?", at)
    for _ in range(2):
        assert _tell(client, *x.event("post.mention.create", post)) == 200
    _work()
    poll_all(at + timedelta(minutes=1))
    conversation = Conversation.objects.get(channel="x")
    assert conversation.messages.get().text == "@demo is web14 down?"
    assert Hook.objects.filter(provider="social.x").count() == 1
    assert Spending.objects.get(what="read_public").amount == 1000


def test_signature_and_handshake_fail_closed(account: Account, x: XServer, client: Client, at: datetime) -> None:
    headers, body = x.event("post.mention.create", x.mention("7", "@demo hi", at))
    assert _tell(client, headers, body + b" ") == 403
    assert _tell(client, {}, body) == 403
    assert _tell(client, *sign(body, "")) == 403
    answer = client.get("/hooks/x/", {"crc_token": "abc"})
    assert (answer.status_code, answer.json()["response_token"][:7]) == (200, "sha256=")
    assert client.get("/hooks/x/").status_code == 403
    Account.objects.update(secrets=accounts.close({"access_token": TOKEN}))
    accounts.forget_connections()
    assert client.get("/hooks/x/", {"crc_token": "abc"}).status_code == 403
    assert not Hook.objects.filter(provider="social.x").exists()


def test_an_answer_lost_on_the_way_back_is_looked_up(
    account: Account, x: XServer, company: Company, at: datetime
) -> None:
    x.user("7", "maria")
    post = x.mention("7", "@demo is web14 down?", at)
    poll_all(at)
    conversation = Conversation.objects.get(channel="x")
    reply = conversations.reply(conversation.pk, company.ada, "We are on it.", at=at)
    Message.objects.filter(pk=reply.pk).update(delivery=Message.Delivery.SENDING)
    x.posts.append({"id": "9000", "text": "@maria We are on it.", "answers": post["id"], "author_id": US})
    outbox.drain(at)
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT
    assert len(x.posts) == 1, "it was not said twice"
    assert Post.objects.get(message=reply).external_id == "9000"


def test_who_has_not_summoned_us_is_not_answered_by_api(
    account: Account, x: XServer, company: Company, client: Client, at: datetime
) -> None:
    x.user("7", "maria")
    post = {**x.mention("7", "demo hosting is slow", at), "entities": {}}
    _tell(client, *x.event("post.reply.create", post))
    _work()
    conversation = Conversation.objects.get(channel="x")
    reply = conversations.reply(conversation.pk, company.ada, "Sorry!", at=at)
    outbox.drain(at)
    reply.refresh_from_db()
    assert (reply.delivery, x.posts) == (Message.Delivery.FAILED, [])
    assert "mentioned" in reply.error


def test_private_messages_both_ways_and_our_own_from_elsewhere(
    account: Account, x: XServer, company: Company, client: Client, at: datetime
) -> None:
    x.user("7", "maria", receives_your_dm=True)
    x.direct("7", "my invoice is wrong", at)
    poll_all(at)
    conversation = Conversation.objects.get(channel="x")
    conversations.reply(conversation.pk, company.ada, "We look into it.", at=at)
    outbox.drain(at)
    assert [one["text"] for one in x.directs] == ["We look into it."]
    echo = {**x.direct(US, "Answered from the phone", at + timedelta(minutes=1)), "dm_conversation_id": f"{US}-7"}
    _tell(client, *x.event("dm.sent", echo, "2"))
    own = {**x.direct(US, "We look into it.", at), "id": x.directs[0]["id"], "dm_conversation_id": f"{US}-7"}
    _tell(client, *x.event("dm.sent", own, "3"))
    _work()
    said = list(conversation.messages.order_by("pk").values_list("kind", "text"))
    assert said == [
        ("inbound", "my invoice is wrong"),
        ("outbound", "We look into it."),
        ("outbound", "Answered from the phone"),
    ]


def test_a_token_about_to_end_is_renewed_once_and_kept(account: Account, x: XServer, at: datetime) -> None:
    Account.objects.update(token_expires_at=at + timedelta(minutes=1))
    account.refresh_from_db()
    assert accounts.fresh(account, at=at).secrets["access_token"] == f"{TOKEN}+"
    account.refresh_from_db()
    kept = accounts.opened(account)
    assert (kept.secrets["refresh_token"], kept.secrets["consumer_secret"]) == ("refresh-1+", CONSUMER_SECRET)
    assert TOKEN not in repr(kept)


def test_the_days_cap_pauses_the_account_until_tomorrow(account: Account, x: XServer, at: datetime) -> None:
    Account.objects.update(daily_cap=15_000)
    account.refresh_from_db()
    spending.note(account, X().costs("publish", "hello"), at=at)
    account.refresh_from_db()
    assert account.state == Account.State.PAUSED
    # Whatever was asked before the pause and answered after it does not lift it.
    accounts.failed(account, TokenDead("401"), at=at)
    stale = Account(pk=account.pk, network="x", state=Account.State.DEGRADED, secrets=account.secrets)
    accounts.probe(stale, at=at)
    accounts.worked(stale, at=at)
    account.refresh_from_db()
    assert account.state == Account.State.PAUSED
    assert spending.resume(at=at) == 0
    assert spending.resume(at=at + timedelta(days=1)) == 1


def test_a_lower_cap_holds_at_once(account: Account, x: XServer, at: datetime) -> None:
    spending.note(account, X().costs("publish", "hello"), at=at)
    drawn = Account.objects.get()
    Account.objects.update(cursor={"read": "meanwhile"})
    connecting.keep(drawn, {"daily_cap": 10_000}, secrets={}, options={}, at=at)
    account.refresh_from_db()
    assert (account.state, account.cursor) == (Account.State.PAUSED, {"read": "meanwhile"})


def test_nothing_hostile_raises(at: datetime) -> None:
    bodies = [b"", b"null", b"[]", b"[1,2]", b'{"data":null}', b'{"data":{"event_type":"post.mention.create"}}']
    bodies += [
        b'{"data":[{"event_type":"dm.received","filter":{"user_id":1},"payload":{"id":1}}]}',
        b"[" * 5000,
        b"\xff",
    ]
    for body in bodies:
        batch = X().read(body, {}, at=at)
        assert not batch.happenings
    events = [{"event_type": kind, "filter": {"user_id": "1"}} for kind in ("x.y", "oauth.revoke")]
    batch = X().read(json.dumps({"data": events}).encode(), {}, at=at)
    assert (len(batch.happenings), len(batch.ignored)) == (1, 1)


def test_a_page_of_hundreds_is_read_to_its_end(account: Account, x: XServer, at: datetime) -> None:
    x.user("7", "maria")
    first = x.mention("7", "@demo 0", at)
    poll_all(at)
    for number in range(1, 131):
        x.mention("7", f"@demo {number}", at + timedelta(seconds=number), thread=first["id"])
    poll_all(at + timedelta(minutes=10))
    texts = list(Message.objects.filter(conversation__channel="x").order_by("pk").values_list("text", flat=True))
    assert texts == [f"@demo {number}" for number in range(131)]
    assert not Arrival.objects.filter(state="accepted").exists()


def test_long_texts_are_counted_quickly() -> None:
    assert on_x("Hello, world! 👋") == 16
    assert on_x("a" * 1_000_000) > 280
    assert X().count("https://example.com/" + "a" * 200, is_public=True).length == 23
