"""A Discourse forum over a local server that speaks its API and signs its webhook."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from social import accounts, announcing, filing, moderating
from social.models import Account, Announcement, AnnouncementPost, Arrival, ModerationAction, Post
from tests.fixtures.company import Company
from tests.fixtures.providers.discourse import KEY, SECRET, US, DiscourseServer, sign
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db
ANSWER = "We are on it and say so here."


@pytest.fixture
def forum(settings: Any) -> Iterator[DiscourseServer]:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
    with DiscourseServer() as server:
        yield server


@pytest.fixture
def account(forum: DiscourseServer, company: Company, at: datetime) -> Account:
    accounts.forget_connections()
    return Account.objects.create(
        network=Account.Network.DISCOURSE,
        name="Demo's forum",
        handle=US,
        external_id="forum.example",
        base_url=forum.url,
        secrets=accounts.close({"api_key": KEY, "webhook_secret": SECRET}),
        state=Account.State.CONNECTED,
        created_at=at,
    )


def _tell(client: Client, signed: tuple[dict[str, str], bytes]) -> int:
    headers, body = signed
    return client.post("/hooks/discourse/", body, content_type="application/json", headers=headers).status_code


def _work() -> None:
    outbox.drain(timezone.now())
    filing.file_arrivals(timezone.now())


def test_told_and_asked_for_is_one_conversation_answered_once(
    account: Account, forum: DiscourseServer, company: Company, client: Client, at: datetime
) -> None:
    post = forum.write("maria", "Is web14 down for everybody?", at)
    assert _tell(client, forum.event(post)) == 200
    _work()
    poll_all(at + timedelta(minutes=1))
    conversation = Conversation.objects.get(channel="discourse")
    assert Post.objects.get().url == f"{forum.url}/t/a-topic/{post['topic_id']}/1"
    reply = conversations.reply(conversation.pk, company.ada, ANSWER, at=at)
    forum.cut_next(process=True)  # it arrives, the answer is lost: it is looked up
    outbox.drain(at + timedelta(minutes=2))
    outbox.drain(at + timedelta(minutes=10))
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT, reply.error
    [ours] = [one for one in forum.posts if one["username"] == US]
    assert (ours["topic_id"], ours["reply_to_post_number"]) == (post["topic_id"], 1)
    elsewhere = forum.write(US, "Written in the forum itself", at, topic=post["topic_id"], answers=1)
    for echo in (ours, elsewhere):
        _tell(client, forum.event(echo))
    _work()
    poll_all(at + timedelta(minutes=20))
    said = list(conversation.messages.order_by("pk").values_list("kind", "text"))
    assert [text for _kind, text in said] == ["Is web14 down for everybody?", ANSWER, "Written in the forum itself"]
    assert [kind for kind, _text in said] == ["inbound", "outbound", "outbound"]
    assert Conversation.objects.filter(channel="discourse").count() == 1


def test_signatures_fail_closed(account: Account, forum: DiscourseServer, client: Client, at: datetime) -> None:
    _headers, body = forum.event(forum.write("maria", "hello", at))
    assert [_tell(client, ({}, body)), _tell(client, sign(body, "")), _tell(client, sign(body, "x"))] == [403] * 3


def test_edits_and_deletions_are_followed_in_any_order(
    account: Account, forum: DiscourseServer, client: Client, at: datetime
) -> None:
    post = forum.write("maria", "My pasword is broken", at)
    later = (at + timedelta(minutes=1)).isoformat()
    edited = {**post, "raw": "My password is broken", "version": 2, "updated_at": later}
    for told in (edited, post, edited):
        _tell(client, forum.event(told))
    _work()
    kept = Post.objects.get()
    assert kept.text == "My password is broken"
    _tell(client, forum.event({**edited, "deleted_at": (at + timedelta(minutes=2)).isoformat()}))
    _work()
    kept.refresh_from_db()
    assert kept.deleted_at is not None
    headers, body = forum.event({**edited, "deleted_at": None, "deleted_by": None})
    _tell(client, ({**headers, "x-discourse-event": "post_recovered"}, body))
    _work()
    [text] = Post.objects.filter(deleted_at=None).values_list("message__text", flat=True)
    assert text == "My password is broken", "it was brought back"


def test_pages_are_read_back_to_what_is_known(account: Account, forum: DiscourseServer, at: datetime) -> None:
    forum.page_size = 5
    topic = forum.write("maria", "0", at)["topic_id"]
    poll_all(at)
    for number in range(1, 18):
        forum.write("maria", str(number), at + timedelta(seconds=number), topic=topic)
    forum.write("system", "This topic was closed", at, topic=topic, post_type=3)
    poll_all(at + timedelta(minutes=1))
    assert [arrival.body["text"] for arrival in Arrival.objects.order_by("pk")] == [str(n) for n in range(18)]
    account.refresh_from_db()
    assert account.cursor == {"post": 19}


def test_a_dead_key_and_too_many_posts(
    account: Account, forum: DiscourseServer, company: Company, at: datetime
) -> None:
    forum.write("maria", "Is web14 down for everybody?", at)
    poll_all(at)
    reply = conversations.reply(Conversation.objects.get(channel="discourse").pk, company.ada, ANSWER, at=at)
    forum.fail_next(429, {"errors": ["too many"], "extras": {"wait_seconds": 40}})
    outbox.drain(at)
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.PENDING
    forum.key = "another"
    outbox.drain(at + timedelta(seconds=41))
    reply.refresh_from_db()
    account.refresh_from_db()
    assert (reply.delivery, account.state) == (Message.Delivery.FAILED, Account.State.REAUTH_REQUIRED)


def test_flags_and_deletions(account: Account, forum: DiscourseServer, company: Company, at: datetime) -> None:
    post = forum.write("maria", "thieves, all of them", at)
    poll_all(at)
    kept = Post.objects.get()
    moderating.act(ModerationAction.Kind.REPORT, company.ada, "insult", at=at, post=kept)
    moderating.act(ModerationAction.Kind.DELETE, company.ada, "insult", at=at, post=kept)
    moderating.carry_out_due(at=at)
    assert sorted(forum.done) == [("delete", post["id"]), ("report", post["id"])]


def test_later_news_of_a_series_stand_in_the_topic_of_the_first(
    account: Account, forum: DiscourseServer, at: datetime
) -> None:
    for number, text in enumerate(("web14 is down, we are looking.", "web14 is back, we are sorry.")):
        news = Announcement.objects.create(
            kind=Announcement.Kind.STATUS,
            text=text,
            series="incident:1",
            source=f"update:{number}",
            state=Announcement.State.SCHEDULED,
            at=at,
            publish_at=at,
        )
        AnnouncementPost.objects.create(announcement=news, account=account, text=text, client_id=UUID(int=number + 1))
        announcing.announce_due(at=at + timedelta(minutes=number))
        announcing.announce_due(at=at + timedelta(minutes=number))
    assert set(AnnouncementPost.objects.values_list("state", flat=True)) == {AnnouncementPost.State.SENT}
    assert len({one["topic_id"] for one in forum.posts}) == 1
