"""Finds where a signature starts at the end of the sender's own lines (RFC 3676 section 4.3 and what people do)."""

from collections.abc import Sequence
from typing import Final

from tickets.mail.quote_headers import is_footer, is_rule, looks_like_name

_DELIMITED_LINES: Final = 40
_DASHED_LINES: Final = 15
_RULED_LINES: Final = 10
_SENTENCE_WORDS: Final = 5
# Markup rules never stand below a heading; more than this many are sections of a text, not the start of a signature.
_RULES_LOOKED_AT: Final = 20


def signature_start(texts: Sequence[str], kinds: Sequence[str], raw: Sequence[str], *, written: bool) -> int:
    """The index of the signature's first line in a run of the sender's lines, their number where there is none.

    `written` says that words of the sender's stand above these lines already; a signature below nothing is text.
    """
    looked_at = 0
    for at, text in enumerate(texts):
        if text and (written or "t" in kinds[:at]) and is_rule(text):
            looked_at += 1
            if looked_at > _RULES_LOOKED_AT:
                break
            below = [line for line in texts[at + 1 :] if line]
            if "q" not in kinds[at:] and _is_signature(text, raw[at], texts[at - 1] if at else "", below):
                return at
        written = written or kinds[at] == "t"
    return len(texts)


def _is_signature(rule: str, raw: str, above: str, below: Sequence[str]) -> bool:
    if rule == "--":
        return 0 < len(below) <= (_DELIMITED_LINES if raw.rstrip("\r").endswith("-- ") else _DASHED_LINES)
    if not below or len(below) > _RULED_LINES:
        return False
    if any(is_footer(line) for line in below):
        return True
    # A rule right below a line underlines it: a heading or the head of a table.
    if above and len(rule) > 3:
        return False
    return looks_like_name(below[0]) and not any(_is_sentence(line) for line in below)


def _is_sentence(line: str) -> bool:
    return line.endswith((".", "?", "!", "…", "。", "？", "！", ":")) and len(line.split()) >= _SENTENCE_WORDS
