"""Every public address of the help centre and what it asks for."""

import re
from typing import Final, NamedTuple

from knowledge.addresses import CODES

_LANGUAGE: Final = f"(?P<language>{'|'.join(CODES)})"
_SLUG: Final = "(?P<slug>[a-z0-9][a-z0-9-]{0,119})"
# What each kind of address looks like. Those without a language ask for the reader's own.
_KINDS: Final[dict[str, str]] = {
    "home": rf"/(?:{_LANGUAGE}/)?",
    "top": rf"/kb/(?:{_LANGUAGE}/)?",
    "permanent": r"/kb/(?P<number>[0-9]{1,18})/",
    "category": rf"/kb/{_LANGUAGE}/c/{_SLUG}/(?:(?P<number>[0-9]{{1,4}})/)?",
    "guides": rf"/kb/{_LANGUAGE}/guides/",
    "guide": rf"/kb/{_LANGUAGE}/guides/{_SLUG}/(?:(?P<number>[0-9]{{1,18}})/)?",
    "atom": rf"/kb/{_LANGUAGE}/feed\.atom",
    "rss": rf"/kb/{_LANGUAGE}/feed\.rss",
    "article": rf"/kb/{_LANGUAGE}/{_SLUG}/",
    "sitemap": r"/sitemap\.xml",
    "sitemap_part": r"/kb/sitemap-(?P<number>[0-9]{1,4})\.xml",
    "robots": r"/robots\.txt",
}
PATTERNS: Final = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
PAGES: Final = frozenset({"home", "top", "category", "guides", "guide", "article"})


class Asked(NamedTuple):
    """One address. `language` is "" where the reader's own is to be found out."""

    kind: str
    language: str
    slug: str = ""
    number: int = 0

    @property
    def is_page(self) -> bool:
        return self.kind in PAGES


def parse(path: str) -> Asked | None:
    """What a path asks for; None where nothing public can be."""
    for kind, pattern in PATTERNS.items():
        if match := pattern.fullmatch(path):
            given = match.groupdict()
            number = int(given.get("number") or 0)
            return Asked(kind, given.get("language") or "", given.get("slug") or "", number)
    return None
