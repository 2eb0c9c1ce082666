"""Finds the "From: / Sent: / To: / Subject:" block Outlook and others put above a quoted mail, in any language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tickets.mail.quote_headers import header_key, header_value, looks_like_address, looks_like_date
from tickets.mail.quote_words import DATE, EVERYDAY_DATE_KEYS, FROM, HEADER_KINDS, OTHER, SUBJECT, TO

_BLOCK_LINES: Final = 40
_WRAPPED_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """Consecutive header lines, the last one at index `end`. `is_message_header` tells a mail's header from a sender's
    own list ("Date: Monday, Time: 10:00", "From: Berlin, To: Paris")."""

    end: int
    is_message_header: bool


def find_header_block(lines: Sequence[str], start: int) -> HeaderBlock | None:
    """The block that begins on the plain line `start`, None where that line is no header. Reads at most 40 lines."""
    if HEADER_KINDS.get(header_key(lines[start]), OTHER) == OTHER:
        return None
    values: dict[str, str] = {}
    keys: set[str] = set()
    end, wrapped = start, 0
    current = ""
    for at in range(start, min(len(lines), start + _BLOCK_LINES)):
        text = lines[at]
        key = header_key(text)
        kind = HEADER_KINDS.get(key, "")
        if kind:
            if not current or values.get(kind) is None:
                values[kind] = header_value(text)
            keys.add(key)
            current, end, wrapped = kind, at, 0
        elif text or not _is_header(lines, at + 1):
            # A value that runs over: an address list may take many lines, anything else two.
            wrapped += not looks_like_address(text)
            if not text or wrapped > _WRAPPED_LINES or not _header_follows(lines, at):
                break
            values[current] = f"{values[current]} {text}"
    return HeaderBlock(end, _is_message_header(values, keys))


def _is_header(lines: Sequence[str], at: int) -> bool:
    return at < len(lines) and header_key(lines[at]) in HEADER_KINDS


def _header_follows(lines: Sequence[str], at: int) -> bool:
    return any(_is_header(lines, below) for below in range(at + 1, at + 2 + _WRAPPED_LINES))


def _is_message_header(values: dict[str, str], keys: set[str]) -> bool:
    named = values.keys() & {FROM, DATE, TO, SUBJECT}
    addressed = any(looks_like_address(value) for value in values.values())
    dated = looks_like_date(values.get(DATE, ""))
    if len(named) >= 3:
        # "Sent:" is a mail program's word; "Date:" is everyone's.
        return addressed or (dated and (SUBJECT in named or not keys & EVERYDAY_DATE_KEYS))
    return addressed and dated and len(named) == 2 and SUBJECT not in named
