"""Any forum or blog that has a feed: read for what names us, answered there by hand.

RSS, Atom and RDF are read by feedparser, which never fetches itself here; JSON Feed (jsonfeed.org, 1.1) by hand.
"""

import hashlib
import json
from calendar import timegm
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any, Final

import feedparser
import inscriptis

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.payloads import as_dict, as_list
from social import calls, files
from social.happenings import Author, Batch, Happening, Media, Said, Unread
from social.network import CannotTell, Connection, Cost, Count, Need, Outgoing, Polled, Probe, Renewed, Sent
from social.networks.gathering import Gathering

POLL_SECONDS: Final = 300.0
MOST_ITEMS: Final = 200
LONGEST: Final = 20_000


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
        batch = read_items(answer.body, _words(connection), at=at)
        kept = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
        return Polled(batch, kept, POLL_SECONDS)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        raise NeverRetry("a feed cannot be answered: open the post, answer there and mark it as posted")

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        raise CannotTell("a feed cannot be answered")

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str) -> None:
        raise NeverRetry("a feed has no calls")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def probe(self, connection: Connection) -> Probe:
        answer = calls.get(connection, "")
        if answer.status != 200:
            raise RetryLater(f"the feed's host answered {answer.status}")
        title = str(feedparser.parse(BytesIO(answer.body)).feed.get("title", ""))[:120]
        return Probe(hashlib.sha256(connection.base_url.encode()).hexdigest()[:32], title, title)


def read_items(body: bytes, words: Sequence[str], *, at: datetime) -> Batch:
    """The items that hold one of the words, oldest first. Never raises."""
    try:
        items = _items(body)
    except Exception as error:  # noqa: BLE001 - feedparser reads what no parser should, and it is kept unread
        return Batch(unread=(Unread(f"{type(error).__name__}: {error}"[:300], body.decode("utf-8", "replace")),))
    gathered = Gathering()
    for item in reversed(items[:MOST_ITEMS]):
        gathered.take(item, partial(_said, item, words, at))
    return gathered.done()


def _items(body: bytes) -> list[Any]:
    if body.lstrip()[:1] == b"{":
        return as_list(as_dict(json.loads(body)).get("items"))
    # Without response headers it neither fetches nor trusts anything but the bytes.
    return list(feedparser.parse(BytesIO(body), sanitize_html=True, resolve_relative_uris=False).entries)


def _said(item: Mapping[str, Any], words: Sequence[str], at: datetime) -> list[tuple[str, Happening]] | str:
    title, text = _plain(str(item.get("title") or "")[:1000]), _text(item)
    if words and not any(word in f"{title} {text}".lower() for word in words):
        return "it does not name us"
    url = str(item.get("link") or item.get("url") or "")
    said_at = _time(item) or at
    found = str(item.get("id") or url) or hashlib.sha256(f"{title}{text}".encode()).hexdigest()
    writer = item.get("author") if isinstance(item.get("author"), str) else as_dict(item.get("author")).get("name")
    name = str(writer or "unknown")[:120]
    said = Said(
        id=found[:250],
        at=min(said_at, at),
        author=Author(id=f"feed:{name.lower()}", name=name),
        text=f"{title}\n\n{text}".strip()[:LONGEST],
        kind="post",
        thread=f"item:{hashlib.sha256(found.encode()).hexdigest()[:40]}",
        root=found[:250],
        url=url[:1000],
        names_us=False,
    )
    return [("", said)]


def _text(item: Mapping[str, Any]) -> str:
    content = item.get("content")
    found = as_dict(content[0]).get("value") if isinstance(content, list) and content else None
    found = found or item.get("content_html") or item.get("content_text") or item.get("summary") or ""
    return _plain(str(found)[: LONGEST * 4])


def _plain(text: str) -> str:
    return inscriptis.get_text(f"<div>{text}</div>").strip() if "<" in text else text.strip()


def _time(item: Mapping[str, Any]) -> datetime | None:
    parsed = item.get("published_parsed") or item.get("updated_parsed")
    if parsed:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    written = item.get("date_published")
    if not isinstance(written, str):
        return None
    moment = datetime.fromisoformat(written[:40])
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _words(connection: Connection) -> list[str]:
    given = connection.options.get("words", "")
    words = given if isinstance(given, list) else str(given).split(",")
    return [str(word).strip().lower() for word in words if str(word).strip()]
