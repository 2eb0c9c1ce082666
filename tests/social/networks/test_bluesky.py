"""Bluesky over a local server that speaks the AT Protocol."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from social import accounts, moderating
from social.models import Account, Arrival, ModerationAction, Post
from tests.fixtures.company import Company
from tests.fixtures.providers.bluesky import PASSWORD, US, BlueskyServer
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def bluesky(settings: object) -> Iterator[BlueskyServer]:
    with BlueskyServer() as server:
        settings.SOCIAL_BASE_URLS = {"bluesky": server.url}  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def account(bluesky: BlueskyServer, company: Company, at: datetime) -> Account:
    accounts.forget_connections()
    account = Account.objects.create(
        network=Account.Network.BLUESKY,
        name="Demo on Bluesky",
        handle="demo.bsky.example",
        secrets=accounts.close({"app_password": PASSWORD}),
        state=Account.State.CONNECTED,
        created_at=at,
    )
    accounts.probe(account, at=at)
    # The server's clock is the real one; the test's is not.
    Account.objects.update(token_expires_at=at)
    account.refresh_from_db()
    return account


def test_a_mention_is_answered_below_it_once(
    account: Account, bluesky: BlueskyServer, company: Company, at: datetime
) -> None:
    uri = bluesky.notify("maria", "@demo.bsky.example is web14 down?", at)
    bluesky.notify("otto", "likes us", at, reason="like")
    poll_all(at + timedelta(minutes=1))
    poll_all(at + timedelta(minutes=2))
    conversation = Conversation.objects.get(channel="bluesky")
    words = "We are on it, @maria.bsky.example: https://status.demo.example"
    reply = conversations.reply(conversation.pk, company.ada, words, at=at)
    bluesky.cut_next()
    outbox.drain(at + timedelta(minutes=3))
    outbox.drain(at + timedelta(minutes=30))
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT, reply.error
    [(key, record)] = bluesky.records.items()
    assert record["reply"]["parent"] == {"uri": uri, "cid": f"cid-of-{uri[-1]}"}
    assert [one["features"][0]["$type"].rpartition("#")[2] for one in record["facets"]] == ["mention", "link"]
    assert Post.objects.get(message=reply).external_id == f"at://{US}/app.bsky.feed.post/{key}"


def test_an_answer_lost_on_the_way_back_is_put_under_the_same_key(
    account: Account, bluesky: BlueskyServer, company: Company, at: datetime
) -> None:
    bluesky.notify("maria", "hello?", at)
    poll_all(at)
    reply = conversations.reply(Conversation.objects.get(channel="bluesky").pk, company.ada, "Hi!", at=at)
    seen = len(bluesky.received)
    bluesky.fail_next(200, {"posts": [{"uri": bluesky.notifications[0]["uri"], "cid": "c"}]})
    bluesky.cut_next(process=True)
    outbox.drain(at)
    assert len(bluesky.received) == seen + 2
    reply.refresh_from_db()
    assert (reply.delivery, len(bluesky.records)) == (Message.Delivery.PENDING, 1)
    outbox.drain(at + timedelta(minutes=10))
    reply.refresh_from_db()
    assert (reply.delivery, len(bluesky.records)) == (Message.Delivery.SENT, 1)


def test_a_post_that_is_gone_is_not_answered(
    account: Account, bluesky: BlueskyServer, company: Company, at: datetime
) -> None:
    bluesky.gone.add(bluesky.notify("maria", "hello?", at))
    poll_all(at)
    reply = conversations.reply(Conversation.objects.get(channel="bluesky").pk, company.ada, "Hi!", at=at)
    outbox.drain(at)
    reply.refresh_from_db()
    assert (reply.delivery, bluesky.records) == (Message.Delivery.FAILED, {})
    assert "gone" in reply.error


def test_pages_are_read_back_to_what_is_known(account: Account, bluesky: BlueskyServer, at: datetime) -> None:
    bluesky.page_size = 5
    bluesky.notify("maria", "0", at)
    poll_all(at)
    for number in range(1, 18):
        bluesky.notify("maria", str(number), at + timedelta(seconds=number // 2))
    poll_all(at + timedelta(minutes=1))
    assert [arrival.body["text"] for arrival in Arrival.objects.order_by("pk")] == [str(n) for n in range(18)]
    assert not Arrival.objects.exclude(state=Arrival.State.FILED).exists()


def test_sessions_are_kept_refreshed_and_made_anew(account: Account, bluesky: BlueskyServer, at: datetime) -> None:
    poll_all(at)
    poll_all(at + timedelta(minutes=1))
    assert bluesky.sign_ins == 2, "one to see who we are, one that is kept"
    Account.objects.update(token_expires_at=at)
    poll_all(at + timedelta(minutes=2))
    assert bluesky.sign_ins == 2, "it was refreshed"
    bluesky.access = bluesky.refresh = "ended before its time"
    bluesky.notify("maria", "still there?", at)
    poll_all(at + timedelta(minutes=3))
    assert Conversation.objects.filter(channel="bluesky").count() == 1
    bluesky.access, bluesky.password = "ended again", "another one"
    poll_all(at + timedelta(minutes=4))
    account.refresh_from_db()
    assert account.state == Account.State.REAUTH_REQUIRED
    bluesky.password = PASSWORD
    accounts.probe(account, at=at)
    account.refresh_from_db()
    assert account.state == Account.State.CONNECTED


def test_private_messages_both_ways(account: Account, bluesky: BlueskyServer, company: Company, at: datetime) -> None:
    bluesky.direct("maria", "my invoice is wrong", at)
    poll_all(at)
    conversation = Conversation.objects.get(channel="bluesky")
    conversations.reply(conversation.pk, company.ada, "We look into it.", at=at)
    outbox.drain(at + timedelta(minutes=1))
    assert bluesky.directs == [("convo1", "We look into it.")]
    bluesky.direct("us", "From the phone", at + timedelta(minutes=2))
    poll_all(at + timedelta(minutes=3))
    texts = list(conversation.messages.order_by("pk").values_list("text", flat=True))
    assert texts == ["my invoice is wrong", "We look into it.", "From the phone"]


def test_muting_reporting_and_too_many_calls(
    account: Account, bluesky: BlueskyServer, company: Company, at: datetime
) -> None:
    uri = bluesky.notify("maria", "thieves!", at)
    poll_all(at)
    post = Post.objects.get(external_id=uri)
    moderating.act(ModerationAction.Kind.MUTE, company.ada, "insult", at=at, person=post.person)
    told = {"words": "sells followers", "post": post}
    moderating.act(ModerationAction.Kind.REPORT, company.ada, "spam", at=at, **told)  # type: ignore[arg-type]
    bluesky.fail_next(429, {"error": "RateLimitExceeded"}, {"retry-after": "30"})
    moderating.carry_out_due(at=at)
    moderating.carry_out_due(at=at + timedelta(minutes=20))
    assert sorted(bluesky.done) == [("mute", "did:plc:maria"), ("report", uri)]
    assert (bluesky.reported["reasonType"], bluesky.reported["reason"]) == (
        "com.atproto.moderation.defs#reasonSpam",
        "sells followers",
    )
    assert set(ModerationAction.objects.values_list("state", flat=True)) == {ModerationAction.State.DONE}


def test_a_block_is_a_record_that_is_found_again(
    account: Account, bluesky: BlueskyServer, company: Company, at: datetime
) -> None:
    bluesky.notify("maria", "Buy followers", at)
    poll_all(at + timedelta(minutes=1))
    person = Post.objects.get().person
    assert person is not None
    block = moderating.act(ModerationAction.Kind.BLOCK, company.ada, "spam", at=at, person=person)
    for _twice in range(2):
        ModerationAction.objects.update(due_at=at, state=ModerationAction.State.WANTED)
        moderating.carry_out_due(at=at)
    [record] = bluesky.records.values()
    assert (record["$type"], record["subject"]) == ("app.bsky.graph.block", "did:plc:maria")
    moderating.reverse(block.pk, company.ada, "mistake", at=at)
    moderating.carry_out_due(at=at + timedelta(minutes=1))
    assert bluesky.records == {}


def test_what_is_gone_is_forgotten_when_it_is_missing_twice(
    account: Account, bluesky: BlueskyServer, at: datetime
) -> None:
    uri = bluesky.notify("maria", "Is web14 down?", at)
    poll_all(at + timedelta(minutes=1))
    bluesky.gone.add(uri)
    for minutes, is_gone in ((2, False), (7, False), (13, True)):
        poll_all(at + timedelta(minutes=minutes))
        assert (Post.objects.get().deleted_at is not None) is is_gone, minutes
