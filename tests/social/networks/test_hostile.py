"""Whatever comes, no network's reading raises, and every item of a batch is kept: understood, ignored or unread."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from helpdesk.conversations.models import Message
from social import arrivals, filing
from social.happenings import Author, Batch, Said, from_json, to_json
from social.models import Account, Arrival
from social.network import network
from social.networks.bluesky_reading import read_notifications as read_bluesky
from social.networks.feed_reading import read_items
from social.networks.mastodon import read_notifications as read_mastodon
from social.networks.telegram_reading import read_updates

AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
_NAMES = (
    "id entry changes field value item verb comment_id post_id created_time from message messaging sender recipient"
    " timestamp mid messages type text metadata statuses notifications reason record author uri indexedAt post username"
    " post_number topic_id created_at raw items title data event_type payload update_id chat date status account"
    " content visibility feed comment add is_echo delivery watermark read mention revoke edit errors failed"
).split()
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*_NAMES, "9" * 400, "0001-01-01T00:00:00+14:00", "\x00", "\\u0000", "2026-01-12T08:00:00Z"])
)
_ANY = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=25,
)


def _is_sound(batch: Batch) -> None:
    for _account, happening in batch.happenings:
        assert happening.at.tzinfo is not None
        assert from_json(json.loads(json.dumps(to_json(happening)))) == happening
    for item in batch.unread:
        assert item.error


@run(max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_by_every_network(body: bytes) -> None:
    for name in settings.SOCIAL_NETWORKS:
        _is_sound(network(name).read(body, {}, at=AT))


@run(max_examples=120)
@given(_ANY)
def test_any_json_is_read_by_every_network(found: Any) -> None:
    body = json.dumps(found).encode()
    wrapped = [body, json.dumps({"entry": [{"id": "1", "changes": [{"field": "feed", "value": found}]}]}).encode()]
    for name in settings.SOCIAL_NETWORKS:
        for one in wrapped:
            _is_sound(network(name).read(one, {}, at=AT))


@run(max_examples=60)
@given(st.lists(_ANY, max_size=6))
def test_every_item_of_a_page_is_kept(found: list[Any]) -> None:
    for read in (read_bluesky, read_mastodon, read_updates):
        batch = read(found)
        _is_sound(batch)
        assert len(batch.happenings) + len(batch.unread) + len(batch.ignored) >= len(found)
    feed = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": found}).encode()
    batch = read_items(feed, (), at=AT)
    assert len(batch.happenings) + len(batch.unread) + len(batch.ignored) == len(found)


def test_depth_and_length_are_bounded() -> None:
    bodies = [b"[" * 100_000, b'{"entry":' * 50_000, b"<rss><channel>" + b"<item>" * 5_000, b"9" * 100_000]
    for name in settings.SOCIAL_NETWORKS:
        for body in bodies:
            _is_sound(network(name).read(body, {}, at=AT))


@pytest.mark.django_db
def test_what_a_database_cannot_hold_is_kept_all_the_same(account: Account, at: datetime) -> None:
    """NUL, half a surrogate pair, a text that spells an escape, a year before the first: each beside what is well."""
    texts = ["plain", "a\x00b", "half \ud800 pair", "spelt \\u0000 out", "\\", "x" * 300_000]
    times = [at, datetime.fromisoformat("0001-01-01T00:00:00+14:00"), datetime.max.replace(tzinfo=UTC)]
    batch = Batch(
        tuple(
            (
                "",
                Said(
                    f"{n}\x00", times[n % 3], Author(f"7\ud800{n}", f"@{text[:5]}", text[:500]), text, "post", f"t{n}"
                ),
            )
            for n, text in enumerate(texts)
        )
    )
    assert arrivals.keep({"": account.pk}, batch, at=at) == len(texts)
    assert arrivals.keep({"": account.pk}, batch, at=at) == 0
    filing.file_arrivals(at)
    assert not Arrival.objects.exclude(state=Arrival.State.FILED).exists()
    kept = list(Message.objects.filter(conversation__channel="mastodon").order_by("pk"))
    assert len(kept) == len(texts)
    assert "spelt \\u0000 out" in [message.text for message in kept]
    assert all(message.at <= at for message in kept)


@pytest.mark.django_db
def test_what_cannot_be_read_is_quarantined_once_however_often_it_is_asked_for(account: Account, at: datetime) -> None:
    batch = read_mastodon([{"type": "mention"}, {"type": "mention", "status": 7}])
    for _ in range(3):
        arrivals.keep({"": account.pk}, batch, at=datetime.now(UTC))
    assert Arrival.objects.filter(state=Arrival.State.QUARANTINED).count() == 2
