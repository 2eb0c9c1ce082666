"""Web addresses in running text, found and made links. Linear in the length of the text."""

import re
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

# An address ends where characters turn the direction of writing: they show `gpj.exe` as `exe.jpg`.
_TURNS: Final = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LINK: Final = re.compile(rf"https?://[^\s<>\"'\x00-\x1f{_TURNS}]{{3,2000}}")
_TRAILING: Final = ".,;:!?)]}'\""


def addresses_in(text: str) -> Iterator[tuple[int, int]]:
    """Where web addresses begin and end."""
    for match in _LINK.finditer(text):
        yield match.start(), match.start() + len(match.group().rstrip(_TRAILING))


def linked(text: str) -> Markup:
    """Text as HTML with its web addresses as links; everything else escaped. Linear in the length of the text."""
    parts: list[Markup] = []
    done = 0
    for start, end in addresses_in(text):
        parts.append(escape(text[done:start]))
        link = '<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>'
        parts.append(Markup(link).format(text[start:end]))
        done = end
    parts.append(escape(text[done:]))
    return Markup("").join(parts)
