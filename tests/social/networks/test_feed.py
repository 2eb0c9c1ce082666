"""Any feed, over a local host; and a set of feeds as broken as those that stand on the web."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from social import accounts
from social.happenings import Said
from social.models import Account, Post
from social.networks.feed_reading import read_items
from tests.fixtures.company import Company
from tests.fixtures.providers.feed import FeedServer
from tests.social.talk import poll_all

pytestmark = pytest.mark.django_db


def _item(number: int, title: str) -> str:
    return (
        f"<item><guid>tag:{number}</guid><title>{title}</title><link>https://forum.example/{number}</link>"
        f"<description>&lt;p&gt;Words &amp;amp; more&lt;/p&gt;</description><author>maria</author>"
        f"<pubDate>Mon, 12 Jan 2026 07:5{number}:00 GMT</pubDate></item>"
    )


def _rss(*items: str) -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{"".join(items)}</channel></rss>'.encode()


@pytest.fixture
def host(settings: Any) -> Iterator[FeedServer]:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"
    with FeedServer(_rss(_item(2, "Demo Hosting is slow"), _item(1, "Cats"))) as server:
        yield server


@pytest.fixture
def account(host: FeedServer, company: Company, at: datetime) -> Account:
    return Account.objects.create(
        network=Account.Network.FEED,
        name="A forum",
        external_id="f1",
        base_url=f"{host.url}/feed",
        options={"words": "demo hosting, example.org"},
        secrets="",
        state=Account.State.CONNECTED,
        created_at=at,
    )


def test_what_names_us_becomes_a_conversation_once(account: Account, host: FeedServer, at: datetime) -> None:
    poll_all(at)
    poll_all(at + timedelta(minutes=5))
    assert host.not_modified == 1
    host.body = _rss(_item(3, "About example.org"), _item(2, "Demo Hosting is slow"), _item(1, "Cats"))
    poll_all(at + timedelta(minutes=10))
    texts = list(Message.objects.filter(conversation__channel="feed").order_by("pk").values_list("text", flat=True))
    assert texts == ["Demo Hosting is slow\n\nWords & more", "About example.org\n\nWords & more"]
    assert Post.objects.order_by("pk").first().url == "https://forum.example/2"  # type: ignore[union-attr]


def test_it_is_answered_by_hand(account: Account, company: Company, at: datetime) -> None:
    poll_all(at)
    reply = conversations.reply(Conversation.objects.get(channel="feed").pk, company.ada, "Hi!", at=at)
    outbox.drain(at)
    reply.refresh_from_db()
    assert reply.delivery == Message.Delivery.FAILED
    assert "mark it as posted" in reply.error


def test_a_feed_that_moved_is_gone_or_breaks_says_so(account: Account, host: FeedServer, at: datetime) -> None:
    Account.objects.update(base_url=f"{host.url}/moved")
    poll_all(at)
    account.refresh_from_db()
    assert (account.state, "moved" in account.state_detail) == (Account.State.DEGRADED, True)
    Account.objects.update(base_url=f"{host.url}/feed")
    poll_all(at + timedelta(minutes=5))
    account.refresh_from_db()
    assert account.state == Account.State.CONNECTED
    host.fail_next(500)
    poll_all(at + timedelta(minutes=10))
    account.refresh_from_db()
    assert account.state == Account.State.CONNECTED, "once is nothing"
    Account.objects.update(base_url="http://169.254.169.254/feed")
    poll_all(at + timedelta(minutes=15))
    account.refresh_from_db()
    assert account.state == Account.State.DEGRADED
    accounts.forget_connections()


def test_json_feed_is_read_with_its_items_that_cannot_be(at: datetime) -> None:
    items = [
        {"id": "2", "content_html": "<p>Two</p>", "date_published": "2026-01-12T07:00:00Z", "author": {"name": "M"}},
        {"id": "1", "content_text": "One", "url": "https://forum.example/1"},
        {"id": "0", "content_text": "Zero", "date_published": "when it was dark"},
        7,
    ]
    batch = read_items(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode(), (), at=at)
    said = [happening for _account, happening in batch.happenings if isinstance(happening, Said)]
    assert [(one.id, one.text) for one in said] == [("0", "Zero"), ("1", "One"), ("2", "Two")]
    assert [one.raw for one in batch.unread] == ["7"]


def test_broken_feeds_give_what_can_be_read_of_them(at: datetime) -> None:
    whole = _rss(_item(1, "Hello"))
    broken = {
        "cut off": whole[: whole.index(b"</item>")],
        "an entity nobody declared": whole.replace(b"Hello", b"Hello &nbsp; &uuml;"),
        "an ampersand": whole.replace(b"Hello", b"Hello & you"),
        "latin-1 called utf-8": whole.replace(b"Hello", b"Hello \xfcber"),
        "words before it": b"\n\n<!-- hi -->" + whole[whole.index(b"<rss") :],
        "no namespace": whole.replace(b"<author>", b"<dc:creator>").replace(b"</author>", b"</dc:creator>"),
        "control characters": whole.replace(b"Hello", b"Hello \x0b\x00"),
        "a date of its own": whole.replace(b"Mon, 12 Jan 2026 07:51:00 GMT", b"yesterday"),
        "html as text": whole.replace(b"Hello", b"<![CDATA[Hello <b>you</b><script>x()</script>]]>"),
    }
    for what, body in broken.items():
        batch = read_items(body, (), at=at)
        [(_account, said)] = batch.happenings
        assert isinstance(said, Said), what
        assert said.text.startswith("Hello"), what
        assert said.at <= at, what
        assert "script" not in said.text, what
    bomb = (
        b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    )
    for body in (bomb + whole.replace(b"Hello", b"&c;" * 100), b"<html><body>no feed</body></html>", b"", b"\x00\xff"):
        batch = read_items(body, (), at=at)
        assert all(len(one.text) < 30_000 for _account, one in batch.happenings if isinstance(one, Said))
