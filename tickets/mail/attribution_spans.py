"""Finds where an attribution ("On Monday ... Bob wrote:") that ends on a line begins: it may be wrapped over lines."""

from collections.abc import Sequence
from typing import Final

from tickets.mail.quote_headers import (
    Strength,
    attribution_offset,
    attribution_strength,
    continues_attribution,
    looks_like_address,
    opens_attribution_above,
    starts_attribution,
)

# Words that join the time to the date of an attribution.
_SECOND_LEADS: Final = ("at ", "à ", "um ", "a las ", "às ", "alle ", "om ", "kl", "klo ", "o ", "v ", "в ")
_ATTRIBUTION_LINES: Final = 6
_ATTRIBUTION_LENGTH: Final = 500


def attribution_start(plain: Sequence[str], kinds: Sequence[str], at: int) -> tuple[int, int, Strength]:
    """The first line of the attribution that ends on line `at`, its offset in that line, and how sure it is."""
    text = plain[at]
    own, own_offset = attribution_strength(text), attribution_offset(text)
    if own == "strong" and not continues_attribution(text) and (own_offset or starts_attribution(text)):
        return at, own_offset, own
    joined, blanks = text, 0
    for above in range(at - 1, max(-1, at - 1 - _ATTRIBUTION_LINES), -1):
        line = plain[above]
        blanks += not line
        if blanks > 1 or len(joined) + len(line) > _ATTRIBUTION_LENGTH or kinds[above] not in "te":
            break
        if not line:
            continue
        joined = f"{line} {joined}"
        offset = attribution_offset(joined)
        if opens_attribution_above(line, joined, text) or 0 < offset < len(line):
            found = attribution_strength(joined[offset:])
            if found:
                return _with_lead_above(plain, kinds, above, offset), offset, found
    above = at - 1
    if own != "strong" and above >= 0 and kinds[above] == "t" and looks_like_address(plain[above]):
        both = attribution_strength(f"{plain[above]} {text}")
        if both == "strong":
            return above, 0, both
    return at, own_offset, own


def _with_lead_above(plain: Sequence[str], kinds: Sequence[str], start: int, offset: int) -> int:
    """The line above where "On Mar 4, 2024," was wrapped before "at 3:04 PM"."""
    text = plain[start]
    if offset or not start or kinds[start - 1] != "t" or not text.startswith(_SECOND_LEADS):
        return start
    above = plain[start - 1]
    return start - 1 if starts_attribution(above) and above.endswith(",") else start


def raw_offset(raw: str, text: str, offset: int) -> int:
    """The offset in the raw line of what stands at `offset` in its plain form."""
    word = text[offset:].partition(" ")[0]
    found = -1
    for _ in range(text[:offset].count(word) + 1):
        found = raw.find(word, found + 1)
    return found if found > 0 else len(raw)
