"""What a feed says, whatever its format and however badly it is made. Never raises, keeps every item.

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
from urllib.parse import urljoin

import feedparser

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Edited, Said, Unread
from social.html_text import plain
from social.networks.gathering import Found, Gathering

MOST_ITEMS: Final = 200
LONGEST: Final = 20_000


def read_items(body: bytes, words: Sequence[str], *, at: datetime, base: str = "") -> Batch:
    """The items that hold one of the words, oldest first; links are completed by `base`, the feed's own address."""
    try:
        items = _items(body)
    except Exception as error:  # noqa: BLE001 - feedparser reads what no parser should, and it is kept unread
        return Batch(unread=(Unread(f"{type(error).__name__}: {error}"[:300], body.decode("utf-8", "replace")),))
    gathered, names = Gathering(), _Names()
    for item in reversed(items[:MOST_ITEMS]):
        gathered.take(item, partial(_read, item, words, names, base, at))
    return gathered.done()


def _items(body: bytes) -> list[Any]:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return as_list(as_dict(json.loads(body.decode("utf-8-sig"))).get("items"))
    # Without response headers it neither fetches nor trusts anything but the bytes.
    found = feedparser.parse(BytesIO(body), sanitize_html=True, resolve_relative_uris=False)
    if not found.entries and not found.get("version"):
        raise ValueError("it is no feed")
    return list(found.entries)


class _Names:
    """What items are known by. Some feeds give all of them the same id: then what they say tells them apart."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, given: str, content: str) -> str:
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
        name = (given if len(given) <= 200 else hashlib.sha256(given.encode()).hexdigest()) or digest
        if self._known.setdefault(name, digest) != digest:
            name = f"{name}#{digest[:16]}"
        return name


def _read(item: Mapping[str, Any], words: Sequence[str], names: _Names, base: str, at: datetime) -> Found:
    title, text = _title(item), _text(item)
    url = _url(item, base)
    given = item.get("id")
    found = names.of(str(url if given is None or given == "" else given), f"{title}\n{text}\n{url}")
    if words and not any(word in f"{title} {text}".lower() for word in words):
        return "it does not name us"
    written = _time(item, "published_parsed", "date_published")
    changed = _time(item, "updated_parsed", "date_modified")
    said_at = min(written or changed or at, at)
    name = _author(item)
    said = Said(
        id=found,
        at=said_at,
        author=Author(id=f"feed:{name.lower()}", name=name),
        text=f"{title}\n\n{text}".strip()[:LONGEST],
        kind="post",
        thread=f"item:{hashlib.sha256(found.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}",
        root=found,
        url=url,
        names_us=False,
    )
    if changed is None or changed <= said_at:
        return [("", said)]
    return [("", said), ("", Edited(found, min(changed, at), said.text, changed.isoformat(), said.author.id))]


def _url(item: Mapping[str, Any], base: str) -> str:
    link = str(item.get("link") or item.get("url") or item.get("external_url") or "")[:1000]
    try:
        return urljoin(base, link)[:1000] if link else ""
    except ValueError:
        return ""  # http://[ and the like lead nowhere


def _author(item: Mapping[str, Any]) -> str:
    """By name; the address that stands in its place in some feeds is shown as far as it is one."""
    given = item.get("author")
    first = as_dict((as_list(item.get("authors")) or [None])[0]).get("name")
    name = given if isinstance(given, str) else as_dict(given).get("name")
    return str(name or first or "unknown").strip()[:120] or "unknown"


def _title(item: Mapping[str, Any]) -> str:
    title = str(item.get("title") or "")[:1000]
    # Only what feedparser read is HTML; a JSON Feed's title is plain text.
    return plain(title) if "title_detail" in item else title.strip()


def _text(item: Mapping[str, Any]) -> str:
    if isinstance(item.get("content_text"), str) and not item.get("content_html"):
        return str(item["content_text"])[:LONGEST].strip()
    content = item.get("content")
    found = as_dict(content[0]).get("value") if isinstance(content, list) and content else None
    found = found or item.get("content_html") or item.get("summary") or ""
    return plain(str(found)[: LONGEST * 4])


def _time(item: Mapping[str, Any], parsed: str, written: str) -> datetime | None:
    """A time that makes no sense is none: what was said matters more than when."""
    try:
        if item.get(parsed):
            return datetime.fromtimestamp(timegm(item[parsed]), UTC)
        if not isinstance(item.get(written), str):
            return None
        moment = datetime.fromisoformat(item[written][:40])
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
