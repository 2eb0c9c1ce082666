"""How long a text is, as each network counts it. Pure; bounded on any text."""

from typing import Final

import regex
from twitter_text import extract_urls_with_indices, parse_tweet

LINK: Final = 23
# The parsers' time grows with the square of a chain of dots; no post has so many, and a book is too long anyway.
MOST_DOTS: Final = 140
LONGEST: Final = 28_000
_GRAPHEME: Final = regex.compile(r"\X")
# Only the name of a remote mention counts, as in Mastodon's status_length_validator.
_MENTION: Final = regex.compile(r"(?<![=/\w])@([a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@[\w.-]+\w", regex.IGNORECASE)


def on_x(text: str) -> int:
    """Weighted (docs.x.com, counting characters, v3): links are 23, an emoji is 2, most scripts outside Latin are 2 a
    character.
    """
    return len(text) if _is_beyond(text) else int(parse_tweet(text).weightedLength)


def on_mastodon(text: str) -> int:
    """Graphemes; a link is 23, of a remote mention only the name counts."""
    if _is_beyond(text):
        return len(text)
    for link in reversed(extract_urls_with_indices(text, False)):
        begin, end = link["indices"]
        text = text[:begin] + "x" * LINK + text[end:]
    return graphemes(_MENTION.sub(r"@\1", text))


def graphemes(text: str) -> int:
    """What people see as one character, each once (Unicode annex 29)."""
    return sum(1 for _found in _GRAPHEME.finditer(text[:LONGEST])) + max(len(text) - LONGEST, 0)


def _is_beyond(text: str) -> bool:
    return len(text) > LONGEST or text.count(".") > MOST_DOTS
