"""A Facebook Page over a local server that speaks the Graph API and signs its deliveries."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events import outbox
from social import accounts, filing, media, moderating
from social.models import Account, ModerationAction, Post, Thread
from tests.fixtures.company import Company
from tests.fixtures.providers.facebook import PAGE, SECRET, TOKEN, FacebookServer, refused, sign
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def facebook(settings: Any) -> Iterator[FacebookServer]:
    with FacebookServer() as server:
        settings.SOCIAL_BASE_URLS = {"facebook": server.url}
        settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
        yield server


@pytest.fixture
def account(facebook: FacebookServer, company: Company, at: datetime) -> Account:
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.FACEBOOK,
        name="Demo on Facebook",
        handle="demohosting",
        external_id=PAGE,
        secrets=accounts.close({"page_token": TOKEN, "app_secret": SECRET, "verify_token": "hush"}),
        state=Account.State.CONNECTED,
        created_at=at,
    )


def _tell(client: Client, signed: tuple[dict[str, str], bytes]) -> int:
    headers, body = signed
    return client.post("/hooks/facebook/", body, content_type="application/json", headers=headers).status_code


def _work() -> None:
    outbox.drain(timezone.now())
    filing.file_arrivals(timezone.now())


def test_told_and_asked_for_is_one_conversation_answered_once(
    account: Account, facebook: FacebookServer, company: Company, client: Client, at: datetime
) -> None:
    post = facebook.post("Our new data centre", at - timedelta(hours=1))
    comment = facebook.comment(post, "7", "Is web14 down?", at)
    told = facebook.deliver(facebook.change(comment, post, at))
    assert [_tell(client, told), _tell(client, told)] == [200, 200]
    _work()
    poll_all(at + timedelta(minutes=1))
    conversation = Conversation.objects.get(channel="facebook")
    assert conversation.messages.get().text == "Is web14 down?"
    reply = conversations.reply(conversation.pk, company.ada, "We are on it.", at=at)
    facebook.cut_next(process=True)  # it arrives, the answer is lost: it is looked up
    outbox.drain(at + timedelta(minutes=2))
    outbox.drain(at + timedelta(minutes=10))
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT, reply.error
    [ours] = facebook.comments
    assert (ours["below"], ours["message"]) == (comment["id"], "We are on it.")
    echo = {**ours, "from": {"id": PAGE, "name": "Demo Hosting"}}
    _tell(client, facebook.deliver(facebook.change(echo, post, at, parent_id=comment["id"])))
    elsewhere = {**echo, "id": "11_99", "message": "Written on the page itself"}
    _tell(client, facebook.deliver(facebook.change(elsewhere, post, at, parent_id=comment["id"])))
    _work()
    said = list(conversation.messages.order_by("pk").values_list("kind", "text"))
    assert said == [
        ("inbound", "Is web14 down?"),
        ("outbound", "We are on it."),
        ("outbound", "Written on the page itself"),
    ]


def test_many_comments_below_one_post_are_all_read(account: Account, facebook: FacebookServer, at: datetime) -> None:
    post = facebook.post("News", at - timedelta(hours=2))
    first = facebook.comment(post, "7", "the first of all", at - timedelta(minutes=90))
    for number in range(230):
        comment = facebook.comment(post, f"8{number}", f"comment {number}", at - timedelta(seconds=3000 - number))
    for number in range(120):
        facebook.comment(comment, f"9{number}", f"answer {number}", at - timedelta(seconds=2000 - number))
    poll_all(at)
    found = set(Post.objects.exclude(person=None).values_list("text", flat=True)) - {"the first of all"}
    assert found == {f"comment {number}" for number in range(230)} | {f"answer {number}" for number in range(120)}
    # What was read before is not asked for again, page by page.
    facebook.received.clear()
    facebook.comment(post, "7", "one more", at + timedelta(minutes=20))
    facebook.comment(first, "8", "below the oldest of them", at + timedelta(minutes=20))
    poll_all(at + timedelta(minutes=21))
    late = Post.objects.get(text="below the oldest of them")
    assert (Post.objects.filter(text="one more").exists(), late.parent) == (True, first["id"])
    assert not [one for one in facebook.received if "/comments" in one.path and "after=" in one.path]


def test_the_same_words_again_are_another_comment(
    account: Account, facebook: FacebookServer, company: Company, client: Client, at: datetime
) -> None:
    post = facebook.post("News", at)
    _tell(client, facebook.deliver(facebook.change(facebook.comment(post, "7", "Down?", at), post, at)))
    _work()
    conversation = Conversation.objects.get(channel="facebook")
    for minutes in (1, 10):
        reply = conversations.reply(conversation.pk, company.ada, "We are on it.", at=at + timedelta(minutes=minutes))
        facebook.cut_next()  # it never arrives: what stands there is the first one's
        for more in (0, 1, 3):
            outbox.drain(at + timedelta(minutes=minutes + more))
        reply.refresh_from_db()
        assert reply.delivery == Message.Delivery.SENT, reply.error
    assert [one["message"] for one in facebook.comments] == ["We are on it."] * 2


def test_the_signature_and_the_handshake_fail_closed(
    account: Account, facebook: FacebookServer, client: Client
) -> None:
    _headers, body = facebook.deliver({"id": PAGE})
    assert [_tell(client, ({}, body)), _tell(client, sign(body, "")), _tell(client, sign(body, "x"))] == [403] * 3
    asked = {"hub.mode": "subscribe", "hub.verify_token": "hush", "hub.challenge": "42"}
    answer = client.get("/hooks/facebook/", asked)
    assert (answer.status_code, answer.content) == (200, b"42")
    assert client.get("/hooks/facebook/", {**asked, "hub.verify_token": "h"}).status_code == 403


def test_edits_hiding_and_deletion_are_followed(
    account: Account, facebook: FacebookServer, client: Client, at: datetime
) -> None:
    post = facebook.post("News", at)
    comment = facebook.comment(post, "7", "My pasword is broken", at)
    edited = {**comment, "message": "My password is broken"}
    _tell(client, facebook.deliver(facebook.change(edited, post, at + timedelta(seconds=9), verb="edited")))
    _tell(client, facebook.deliver(facebook.change(comment, post, at)))
    _work()
    kept = Post.objects.get(external_id=comment["id"])
    assert kept.text == "My password is broken"
    _tell(client, facebook.deliver(facebook.change(comment, post, at + timedelta(seconds=20), verb="hide")))
    _work()
    kept.refresh_from_db()
    assert kept.hidden_at is not None
    _tell(client, facebook.deliver(facebook.change(comment, post, at + timedelta(seconds=30), verb="remove")))
    _work()
    kept.refresh_from_db()
    assert kept.deleted_at is not None
    assert kept.message is not None


def test_nested_comments_are_found_by_asking_and_a_full_page_is_read_on(
    account: Account, facebook: FacebookServer, at: datetime
) -> None:
    post = facebook.post("News", at - timedelta(days=2))
    first = facebook.comment(post, "7", "First!", at)
    facebook.comment(first, "8", "Second, below it", at + timedelta(seconds=1))
    facebook.comment(first, PAGE, "Ours", at + timedelta(seconds=2))
    for number in range(60):
        facebook.post(f"More {number}", at - timedelta(days=1))
    poll_all(at + timedelta(minutes=1))
    poll_all(at + timedelta(minutes=6))
    texts = set(Message.objects.filter(conversation__channel="facebook", kind="inbound").values_list("text", flat=True))
    assert texts == {"First!", "Second, below it"}
    assert Message.objects.filter(kind="outbound", text="Ours").count() == 1
    account.refresh_from_db()
    assert account.state == Account.State.CONNECTED


def test_messenger_both_ways_its_echo_and_what_became_of_it(
    account: Account, facebook: FacebookServer, company: Company, client: Client
) -> None:
    at = timezone.now().replace(microsecond=0)
    _tell(client, facebook.deliver(facebook.message("7", "My invoice is wrong", at)))
    _work()
    conversation = Conversation.objects.get(channel="facebook")
    reply = conversations.reply(conversation.pk, company.ada, "We look into it.", at=at)
    outbox.drain(at + timedelta(minutes=1))
    [sent] = facebook.directs
    assert (sent["recipient"], sent["message"]["text"]) == ({"id": "7"}, "We look into it.")
    assert sent["messaging_type"] == "RESPONSE"
    mid = Post.objects.get(message=reply).external_id
    _tell(client, facebook.deliver(facebook.message("7", "We look into it.", at, is_echo=True, mid=mid)))
    _tell(client, facebook.deliver(facebook.message("7", "From the phone", at, is_echo=True)))
    watermark = {"watermark": int(at.timestamp() * 1000) + 5000}
    _tell(
        client,
        facebook.deliver(facebook.event({"sender": {"id": "7"}, "recipient": {"id": PAGE}, "delivery": watermark})),
    )
    _work()
    texts = list(conversation.messages.order_by("pk").values_list("text", flat=True))
    assert texts == ["My invoice is wrong", "We look into it.", "From the phone"]
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.DELIVERED


def test_after_a_day_a_person_answers_and_after_seven_nobody(
    account: Account, facebook: FacebookServer, company: Company, client: Client
) -> None:
    at = timezone.now() - timedelta(days=2)
    _tell(client, facebook.deliver(facebook.message("7", "hello", at)))
    _work()
    conversation = Conversation.objects.get(channel="facebook")
    conversations.reply(conversation.pk, company.ada, "Hi!", at=at + timedelta(days=2))
    outbox.drain(at + timedelta(days=2, minutes=1))
    assert facebook.directs[0]["tag"] == "HUMAN_AGENT"
    late = conversations.reply(conversation.pk, company.ada, "Still there?", at=at + timedelta(days=8))
    outbox.drain(at + timedelta(days=8))
    late.refresh_from_db()
    assert (late.delivery, len(facebook.directs)) == (Message.Delivery.FAILED, 1)
    assert "over" in late.error


@pytest.mark.parametrize("code", [190, 4, 10, 551])
def test_errors_are_told_apart_by_their_code(
    account: Account, facebook: FacebookServer, company: Company, client: Client, code: int
) -> None:
    at = timezone.now()
    _tell(client, facebook.deliver(facebook.message("7", "hello", at)))
    _work()
    reply = conversations.reply(Conversation.objects.get(channel="facebook").pk, company.ada, "Hi!", at=at)
    error = refused(code, "Something went wrong", subcode=2018278 if code == 10 else None)
    facebook.fail_next(error.status, error.body)
    outbox.drain(at + timedelta(minutes=1))
    reply.refresh_from_db()
    account.refresh_from_db()
    person = Thread.objects.get().person
    assert reply.delivery == (Message.Delivery.PENDING if code == 4 else Message.Delivery.FAILED)
    assert (account.state == Account.State.REAUTH_REQUIRED) == (code == 190)
    assert (person.unreachable_at is not None) == (code == 551)
    assert facebook.directs == []


def test_hiding_blocking_and_what_there_is_no_call_for(
    account: Account, facebook: FacebookServer, company: Company, client: Client, at: datetime
) -> None:
    post = facebook.post("News", at)
    comment = facebook.comment(post, "7", "You thieves", at)
    _tell(client, facebook.deliver(facebook.change(comment, post, at)))
    _work()
    kept = Post.objects.get(external_id=comment["id"])
    assert kept.person is not None
    hidden = moderating.act(ModerationAction.Kind.HIDE, company.ada, "insult", at=at, post=kept)
    moderating.act(ModerationAction.Kind.BLOCK, company.ada, "insult", at=at, person=kept.person)
    muted = moderating.act(ModerationAction.Kind.MUTE, company.ada, "insult", at=at, person=kept.person)
    facebook.fail_next(500, {"error": {"code": 2, "message": "temporary"}})
    for minutes in (0, 1, 2):
        moderating.carry_out_due(at=at + timedelta(minutes=minutes))
    assert sorted(facebook.done) == [("block", "7"), ("hide", comment["id"])]
    assert muted.state == ModerationAction.State.BY_HAND
    moderating.reverse(hidden.pk, company.ada, "a mistake", at=at)
    moderating.carry_out_due(at=at + timedelta(minutes=3))
    assert facebook.done[-1] == ("unhide", comment["id"])


def test_pictures_are_fetched_through_the_guard(
    account: Account, facebook: FacebookServer, client: Client, settings: Any
) -> None:
    at = timezone.now()
    facebook.files["/picture.png"] = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    pictures = [
        {"type": "image", "payload": {"url": f"{facebook.url}/picture.png"}},
        {"type": "image", "payload": {"url": "http://169.254.169.254/latest/"}},
    ]
    _tell(client, facebook.deliver(facebook.message("7", "", at, attachments=pictures)))
    _work()
    media.fetch_due(at=at + timedelta(seconds=1))
    assert Attachment.objects.get(message__conversation__channel="facebook").size == 58
    states = [one.get("state", "") for one in Post.objects.get(person__isnull=False).media]
    assert states[0] == "fetched"
    assert states[1] != "fetched"
    assert len(facebook.received) == 1
