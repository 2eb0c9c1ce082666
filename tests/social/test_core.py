"""From a network to a conversation and back, over a real HTTP server that speaks Mastodon's protocol."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from social import arrivals, filing, moderating
from social.happenings import Batch, Edited, Removed
from social.models import Account, Arrival, ModerationAction, Post, Thread
from tests.fixtures.company import Company
from tests.fixtures.providers.mastodon import MastodonServer
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: object) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"  # type: ignore[attr-defined]


def test_a_mention_is_a_conversation_and_its_answer_stands_there_once(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    status = mastodon.mention("maria", "Is web14 down?", at)
    mastodon.like()
    poll_all(at)
    poll_all(at + timedelta(minutes=1))

    conversation = Conversation.objects.get(channel="mastodon")
    message = conversation.messages.get()
    assert (message.text, message.external_id, message.is_verified) == ("Is web14 down?", status["id"], False)
    thread = Thread.objects.get()
    assert (thread.is_public, thread.person.handle) == (True, "maria@other.example")

    reply = conversations.reply(conversation.pk, company.ada, "We are on it.", at=at)
    mastodon.cut_next(process=True)  # it arrives, the answer is lost
    outbox.drain(at)
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.PENDING, "the key makes it safe to try again"
    outbox.drain(at + timedelta(minutes=1))
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.SENT, reply.error
    assert [one["status"] for one in mastodon.statuses] == ["@maria@other.example We are on it."], "once"
    assert mastodon.statuses[0]["in_reply_to_id"] == status["id"]
    assert Post.objects.filter(message=reply, person=None).count() == 1


def test_what_comes_twice_or_in_another_order_changes_nothing(
    account: Account, mastodon: MastodonServer, at: datetime
) -> None:
    status = mastodon.mention("maria", "My passwrd is broken", at)
    edits = (
        Edited(status["id"], at + timedelta(minutes=2), "My password is broken", "2"),
        Edited(status["id"], at + timedelta(minutes=1), "My pasword is broken", "1"),
    )
    batch = Batch(tuple(("1", one) for one in edits))
    accounts = {"1": account.pk, "": account.pk}
    for _ in range(2):
        arrivals.keep(accounts, batch, at=at + timedelta(minutes=3))
        filing.file_arrivals(at + timedelta(minutes=3))
    assert Arrival.objects.filter(state=Arrival.State.WAITING).count() == 2, "the post has not come"
    poll_all(at + timedelta(minutes=3))
    filing.file_arrivals(at + timedelta(minutes=4))

    message = Message.objects.get(conversation__channel="mastodon")
    assert message.text == "My password is broken"
    post = Post.objects.get(message=message)
    assert next(one["text"] for one in post.versions) == "My passwrd is broken"
    arrivals.keep(accounts, Batch((("1", Removed(status["id"], at + timedelta(minutes=5))),)), at=at)
    filing.file_arrivals(at + timedelta(minutes=6))
    message.refresh_from_db()
    assert (message.text, message.remark) == ("", "Deleted by its author.")
    assert Arrival.objects.exclude(state__in=["filed", "ignored"]).count() == 0


def test_one_persons_words_stay_in_order_and_one_bad_item_stops_nobody(
    account: Account, mastodon: MastodonServer, at: datetime
) -> None:
    for number in range(5):
        mastodon.mention("maria", f"line {number}", at + timedelta(seconds=number))
    mastodon.mention("otto", "hello", at, created_at="yesterday")
    mastodon.notifications.reverse()
    poll_all(at + timedelta(minutes=1))
    texts = Message.objects.filter(conversation__channel="mastodon").order_by("pk").values_list("text", flat=True)
    assert list(texts) == [f"line {number}" for number in range(5)]
    quarantined = Arrival.objects.get(state=Arrival.State.QUARANTINED)
    assert "created_at" in quarantined.error
    assert Conversation.objects.filter(channel="mastodon").count() == 1


def test_a_dead_token_is_told_and_nothing_is_sent_until_it_is_good_again(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    mastodon.mention("maria", "hello", at)
    poll_all(at)
    mastodon.token = "another"
    poll_all(at + timedelta(minutes=1))
    account.refresh_from_db()
    assert account.state == Account.State.REAUTH_REQUIRED
    conversation = Conversation.objects.get(channel="mastodon")
    reply = conversations.reply(conversation.pk, company.ada, "hello", at=at)
    outbox.drain(at)
    reply.refresh_from_db()
    assert (reply.delivery, mastodon.statuses) == (Message.Delivery.PENDING, [])
    assert "connected again" in reply.error


def test_what_nobody_tells_is_looked_at_again(account: Account, mastodon: MastodonServer, at: datetime) -> None:
    """Edited and deleted there, without a word to us: found by looking, and gone only when it is missing twice."""
    kept, gone = mastodon.mention("maria", "It is downn", at), mastodon.mention("max", "never mind", at)
    poll_all(at)
    kept |= {"content": "<p>It is down</p>", "edited_at": (at + timedelta(minutes=1)).isoformat()}
    mastodon.gone.add(gone["id"])
    poll_all(at + timedelta(minutes=2))
    assert Post.objects.get(external_id=kept["id"]).text == "It is downn", "not every minute"
    for minutes, is_gone in ((6, False), (12, True)):
        poll_all(at + timedelta(minutes=minutes))
        assert (Post.objects.get(external_id=gone["id"]).deleted_at is not None) is is_gone
    post = Post.objects.select_related("message").get(external_id=kept["id"])
    assert post.message is not None
    assert (post.message.text, [one["text"] for one in post.versions]) == ("It is down", ["It is downn"])


def test_reports_name_their_author_and_steps_are_taken_back(
    account: Account, mastodon: MastodonServer, company: Company, at: datetime
) -> None:
    who = mastodon.mention("troll", "buy this", at)["account"]["id"]
    poll_all(at)
    post = Post.objects.select_related("person").get()
    moderating.act(ModerationAction.Kind.REPORT, company.ada, "spam", at=at, post=post)
    steps = [ModerationAction.Kind.MUTE, ModerationAction.Kind.BLOCK]
    done = [moderating.act(kind, company.ada, "spam", at=at, person=post.person) for kind in steps]
    for one in done:
        moderating.reverse(one.pk, company.ada, "mistake", at=at)
    moderating.carry_out_due(at=at)
    assert sorted(mastodon.done) == [(kind, who) for kind in ("block", "mute", "reports", "unblock", "unmute")]
