"""What a text costs as SMS: its alphabet, its segments, and how to make one fit. Pure.

GSM 03.38: the default alphabet packs 160 characters into a message, those of its extension count twice; a text with any
other character is UCS-2, 70 to a message. Longer texts are split, and each part loses room to its header: 153 and 67.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 1600
"""Characters; Twilio refuses more (error 21617)."""
ONE_SEGMENT: Final = 160

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
# What phones and word processors write instead of what the alphabet has.
_PLAIN: Final = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-",
     "…": "...", "•": "-", "\u00a0": " ", "\u202f": " ", "\t": " ", "`": "'", "´": "'", "→": ">", "←": "<"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """`units` are septets (GSM-7) or UTF-16 code units (UCS-2); `left` fit into the last segment still."""

    encoding: str
    characters: int
    units: int
    segments: int
    per_segment: int
    left: int

    @property
    def is_too_long(self) -> bool:
        return self.characters > LONGEST


def count(text: str) -> Count:
    """How the text would be sent. Line breaks count as one character, as they are sent."""
    text = text.replace("\r\n", "\n")
    if is_plain(text):
        return _counted("GSM-7", text, [2 if c in _EXTENSION else 1 for c in text], 160, 153)
    return _counted("UCS-2", text, [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67)


def is_plain(text: str) -> bool:
    """Whether the text needs nothing but the GSM 7-bit alphabet and its extension."""
    return all(c in _BASIC or c in _EXTENSION for c in text)


def _counted(encoding: str, text: str, widths: Iterable[int], alone: int, split: int) -> Count:
    widths = list(widths)
    units = sum(widths)
    if units <= alone:
        return Count(encoding, len(text), units, min(1, units), alone, alone - units)
    segments, filled = 1, 0
    for width in widths:
        # An escape or a surrogate is never parted from what follows it.
        if filled + width > split:
            segments, filled = segments + 1, 0
        filled += width
    return Count(encoding, len(text), units, segments, split, split - filled)


def plain(text: str) -> str:
    """The text in the GSM alphabet: marks taken off what it does not have, a question mark for the rest."""
    return "".join(_in_alphabet(c) for c in text.translate(_PLAIN))


def _in_alphabet(character: str) -> str:
    if character in _BASIC or character in _EXTENSION:
        return character
    decomposed = unicodedata.normalize("NFKD", character)
    kept = "".join(c for c in decomposed if c in _BASIC)
    if kept or unicodedata.combining(character):
        return kept
    return "" if not character.isprintable() else "?"


def one_segment(text: str, ending: str = "") -> str:
    """The text in one GSM-7 message, cut where it must be so that `ending` stands whole behind it."""
    end = plain(ending)
    room = ONE_SEGMENT - _septets(end)
    head = plain(text)
    if _septets(head) > room:
        head = _cut(head, room - 3).rstrip() + "..."
    return head + end


def _septets(text: str) -> int:
    return sum(2 if c in _EXTENSION else 1 for c in text)


def _cut(text: str, room: int) -> str:
    used = 0
    for place, character in enumerate(text):
        used += 2 if character in _EXTENSION else 1
        if used > room:
            return text[:place]
    return text
