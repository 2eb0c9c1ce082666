"""Rich text as AT Protocol wants it: links and mentions named by the bytes they stand at; and ids made of a time.

Sources: atproto.com/specs/tid, docs.bsky.app/docs/advanced-guides/post-richtext (facets, UTF-8 byte offsets).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import regex

from social.counting import LONGEST

_MENTION: Final = regex.compile(r"(?:^|\s|\()(@)([a-zA-Z0-9.-]+)(?=\b)", regex.MULTILINE)
_LINK: Final = regex.compile(
    r"(?:^|\s|\()((?:https?://\S+)|(?:(?P<domain>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+)\S*))",
    regex.IGNORECASE | regex.MULTILINE,
)
_ALPHABET: Final = "234567abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a text, by bytes of its UTF-8: a link's address, a mention's handle."""

    kind: str
    begin: int
    end: int
    target: str


def spans(text: str) -> list[Span]:
    """The links and mentions of a text, in their order."""
    text = text[:LONGEST]
    return sorted([*_mentions(text), *_links(text)], key=lambda one: one.begin)


def _mentions(text: str) -> Iterator[Span]:
    for found in _MENTION.finditer(text):
        handle = found.group(2)
        if "." not in handle or not _is_name(handle.rstrip(".")):
            continue
        yield Span("mention", _bytes(text, found.start(1)), _bytes(text, found.end(2)), handle)


def _links(text: str) -> Iterator[Span]:
    for found in _LINK.finditer(text):
        url, begin, end = found.group(1), found.start(1), found.end(1)
        if not url.lower().startswith("http"):
            domain = found.group("domain")
            if not domain or not _is_name(domain) or domain.rpartition(".")[2].lower() not in _TOP:
                continue
        if url[-1] in ".,;:!?":
            url, end = url[:-1], end - 1
        if url.endswith(")") and "(" not in url:
            url, end = url[:-1], end - 1
        yield Span(
            "link", _bytes(text, begin), _bytes(text, end), url if url.lower().startswith("http") else f"https://{url}"
        )


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return len(labels) > 1 and all(label and not label.startswith("-") for label in labels) and not labels[-1].isdigit()


# Names without a scheme are links only below names that are common enough not to be the end of a sentence.
_TOP: Final = frozenset(
    "com net org io app dev de at ch eu fr es pt it nl be uk co info biz me tv xyz online site shop cloud social blog"
    " pl cz dk se no fi us ca au nz jp br in edu gov int example test xn--p1ai".split()
)


def _bytes(text: str, place: int) -> int:
    return len(text[:place].encode())


def facets(text: str, resolve: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """As `app.bsky.richtext.facet`; a mention whose handle `resolve` does not know stays plain text."""
    made = []
    for one in spans(text):
        if one.kind == "mention":
            did = resolve(one.target)
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did} if did else None
        else:
            feature = {"$type": "app.bsky.richtext.facet#link", "uri": one.target}
        if feature is not None:
            made.append({"index": {"byteStart": one.begin, "byteEnd": one.end}, "features": [feature]})
    return made


def record_key(at: datetime, client_id: UUID) -> str:
    """A TID of our own: 53 bits of microseconds, 10 of the client id. The same message has the same one, so saying it
    twice is saying it once.
    """
    micros = int(at.timestamp() * 1_000_000) & ((1 << 53) - 1)
    return _tid((micros << 10) | (client_id.int & 0x3FF))


def key_of(name: str) -> str:
    """The key of the one record that we have about somebody: of the form of a TID, always the same."""
    return _tid(uuid5(NAMESPACE_URL, name).int & ((1 << 63) - 1))


def _tid(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))
