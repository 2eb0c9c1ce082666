"""Any forum or blog that has a feed: read for what names us, answered there by hand."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import feedparser

from helpdesk.events.outcomes import NeverRetry, RetryLater
from social import calls, files
from social.happenings import Batch, Media
from social.network import CannotTell, Connection, Cost, Count, Need, Outgoing, Polled, Probe, Renewed, Sent, Why
from social.networks.feed_reading import LONGEST, read_items

POLL_SECONDS: Final = 300.0


class Feed:
    """One address. `options.words` are the words that make an item ours; without any, every item is."""

    name = "feed"
    title = "Feed"
    can: frozenset[str] = frozenset()
    needs: Sequence[Need] = (
        Need("base_url", "Address of the feed", is_secret=False),
        Need(
            "words", "Words", is_secret=False, is_required=False, help_text="Only items with one of these, by commas."
        ),
    )
    polls = True
    forgets_deleted = False

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        return False

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return None

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        return read_items(body, (), at=at)

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(len(text), LONGEST)

    def fit(self, text: str, link: str) -> str:
        return text

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        return None

    def deep_link(self, outgoing: Outgoing) -> str:
        return outgoing.answers if outgoing.answers.startswith("http") else ""

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        asked = {"Accept": "application/feed+json, application/atom+xml, application/rss+xml, */*;q=0.5"}
        asked |= {"If-None-Match": str(cursor["etag"])} if cursor.get("etag") else {}
        asked |= {"If-Modified-Since": str(cursor["modified"])} if cursor.get("modified") else {}
        answer = calls.get(connection, "", (), asked)
        if answer.status == 304:
            return Polled(Batch(), dict(cursor), POLL_SECONDS)
        if 300 <= answer.status < 400:
            raise NeverRetry(f"the feed has moved: enter {answer.headers.get('location', '')[:200]}")
        if answer.status in (404, 410):
            raise NeverRetry(f"the feed is not there any more: {answer.status}")
        if answer.status != 200:
            raise RetryLater(f"the feed's host answered {answer.status}")
        batch = read_items(answer.body, _words(connection), at=at, base=connection.base_url)
        if not batch.happenings and not batch.ignored and batch.unread:
            raise NeverRetry(f"what answers there is no feed that can be read: {batch.unread[0].error}")
        kept = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
        return Polled(batch, kept, POLL_SECONDS)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        raise NeverRetry("a feed cannot be answered: open the post, answer there and mark it as posted")

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        raise CannotTell("a feed cannot be answered")

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        raise NeverRetry("a feed has no calls")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def probe(self, connection: Connection) -> Probe:
        answer = calls.get(connection, "")
        if answer.status != 200:
            raise RetryLater(f"the feed's host answered {answer.status}")
        title = str(feedparser.parse(BytesIO(answer.body)).feed.get("title", ""))[:120]
        return Probe(hashlib.sha256(connection.base_url.encode()).hexdigest()[:32], title, title)


def _words(connection: Connection) -> list[str]:
    given = connection.options.get("words", "")
    words = given if isinstance(given, list) else str(given).split(",")
    return [str(word).strip().lower() for word in words if str(word).strip()]
