"""Decides for every line of a mail whether the sender wrote it now, quoted it, or signs with it.

The rules, in the order they are applied:

1. A forward marker ends the search: what follows it is what the sender wants read.
2. "-----Original Message-----", a From/Sent/To/Subject block or an attribution without quoted lines below it cut: all
   that follows is the thread.
3. Above the cut, quoted lines with their attribution are the thread where they end the text or stand in one piece;
   where the sender answers between them they stay, for the answers mean nothing without them.
4. What is left is searched for a signature.

If nothing of the sender's would remain, everything is the sender's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Final

from tickets.mail.attribution_spans import attribution_start, raw_offset
from tickets.mail.header_blocks import find_header_block
from tickets.mail.quote_headers import (
    continues_attribution,
    is_forward,
    is_mobile_signature,
    is_original_message,
    is_rule,
    looks_like_date,
    looks_like_wrap,
    may_end_attribution,
    plain,
)
from tickets.mail.signature_lines import signature_start

# Lines looked at; a longer mail's remaining lines share the fate of the last one looked at.
LINES_LIMIT: Final = 2000
_UNQUOTED: Final = re.compile(r"^[ \t]*+[^>\s]", re.MULTILINE)


class Place(IntEnum):
    """Where a line belongs."""

    VISIBLE = 0
    QUOTED = 1
    SIGNATURE = 2


class Hint(IntEnum):
    """What the markup already says about a line (always NONE in plain text)."""

    NONE = 0
    QUOTE = 1
    ATTRIBUTION = 2
    CUT = 3
    SIGNATURE = 4


@dataclass(slots=True)
class Placement:
    """`places` has one entry for each line. `splits` holds, for a line the sender's words share with an attribution,
    the offset in that line where the attribution starts: before it is VISIBLE, from it on QUOTED."""

    places: list[Place]
    splits: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    lines: Sequence[str]
    plain: list[str]
    hints: Sequence[Hint]
    # One letter a line: e empty, t text, q quoted, b attribution, w weak attribution, s mobile signature,
    # g the signature below the last quote
    kinds: list[str]
    splits: dict[int, int] = field(default_factory=dict)
    # The sender's text and its quotes are lines[:end]; from there on everything goes to `rest`.
    end: int = 0
    rest: Place = Place.VISIBLE


def place_lines(lines: Sequence[str], hints: Sequence[Hint] = (), *, markup: bool = False) -> Placement:
    """The place of every line. `hints` is empty or as long as `lines`.

    `markup` says that quoting comes from the mail program's markup: a single quote there is not the sender's choice,
    so it goes even without an attribution above it.
    """
    head = [plain(line) for line in lines[:LINES_LIMIT]]
    reading = _Reading(lines, head, hints or [Hint.NONE] * len(lines), ["e"] * len(head))
    _read(reading)
    if "t" not in reading.kinds[: reading.end] and reading.rest is not Place.VISIBLE:
        return Placement([Place.VISIBLE] * len(lines))
    places = [Place.VISIBLE] * reading.end + [reading.rest] * (len(head) - reading.end)
    _place_quotes(reading, places, markup)
    _place_signatures(reading, places)
    _place_gaps(head, places)
    if not any(place is Place.VISIBLE and text for place, text in zip(places, head, strict=True)):
        return Placement([Place.VISIBLE] * len(lines))
    if len(lines) > len(head):
        places.extend([_place_of_tail(lines[len(head) :], places[-1], reading.rest)] * (len(lines) - len(head)))
    return Placement(places, reading.splits)


def _place_of_tail(tail: Sequence[str], last: Place, rest: Place) -> Place:
    if rest is Place.QUOTED:
        return Place.QUOTED
    only_quotes = last is Place.QUOTED and not any(_UNQUOTED.search(line) for line in tail)
    return Place.QUOTED if only_quotes else Place.VISIBLE


def _is_quoted(reading: _Reading, at: int) -> bool:
    hint = reading.hints[at]
    if hint is not Hint.NONE:
        return hint is Hint.QUOTE
    text = reading.plain[at]
    return text.startswith((">", "&gt;", "＞")) and "<<<" not in text


def _next_filled(reading: _Reading, at: int) -> int:
    """The next line that is not empty, or the number of lines."""
    count = len(reading.plain)
    while at < count and not reading.plain[at]:
        at += 1
    return at


def _quote_follows(reading: _Reading, after: int) -> bool:
    following = _next_filled(reading, after + 1)
    return following < len(reading.plain) and _is_quoted(reading, following)


def _read(reading: _Reading) -> None:
    """Fill in the kinds up to the first cut or forward marker."""
    reading.end = len(reading.plain)
    tried = -1
    at = 0
    while at < len(reading.plain):
        text = reading.plain[at]
        if not text:
            at += 1
            continue
        hint = reading.hints[at]
        if hint is Hint.CUT:
            _cut(reading, at, Place.QUOTED)
            return
        if hint is Hint.NONE and is_forward(text):
            _cut(reading, at, Place.VISIBLE)
            return
        if hint is Hint.NONE and is_original_message(text):
            _cut(reading, at, Place.QUOTED)
            return
        if hint is Hint.NONE and at > tried and not _is_quoted(reading, at):
            block = find_header_block(reading.plain, at)
            tried = max(tried, block.end if block else -1)
            if block and block.is_message_header:
                if not _quote_follows(reading, block.end):
                    _cut(reading, at, Place.QUOTED)
                    return
                reading.kinds[at : block.end + 1] = ["b"] * (block.end + 1 - at)
                at = block.end + 1
                continue
        if hint is not Hint.NONE or not _closes_attribution(reading, at):
            reading.kinds[at] = _simple_kind(reading, at)
        elif reading.rest is Place.QUOTED:
            return
        at += 1


def _simple_kind(reading: _Reading, at: int) -> str:
    hint = reading.hints[at]
    if hint is Hint.ATTRIBUTION:
        return "b"
    if hint is Hint.SIGNATURE:
        return "s"
    if _is_quoted(reading, at):
        return "q"
    return "s" if is_mobile_signature(reading.plain[at]) else "t"


def _cut(reading: _Reading, at: int, rest: Place) -> None:
    """End the sender's text at this line, taking the rules drawn above it along."""
    start = at
    if rest is Place.QUOTED:
        above = at - 1
        while above >= 0 and (not reading.plain[above] or is_rule(reading.plain[above])):
            if reading.plain[above]:
                start = above
            above -= 1
    reading.kinds[start:] = ["e"] * (len(reading.kinds) - start)
    reading.end, reading.rest = start, rest


def _closes_attribution(reading: _Reading, at: int) -> bool:
    """Mark the attribution that ends on this line, if one does; cut there if no quoted lines follow it."""
    text = reading.plain[at]
    if not may_end_attribution(text):
        return False
    bare = text.lstrip("> ")
    if _is_quoted(reading, at) and not (len(bare) <= 24 and (bare in ("", ":") or continues_attribution(bare))):
        return False
    start, offset, strength = attribution_start(reading.plain, reading.kinds, at)
    if not strength:
        return False
    quoted = _quote_follows(reading, at)
    unclosed = text[-1] not in ":：-–—"
    if not quoted and (strength == "weak" or (unclosed and at + 1 < len(reading.plain) and reading.plain[at + 1])):
        return False
    first = start
    if offset:
        reading.splits[start] = raw_offset(reading.lines[start], reading.plain[start], offset)
        reading.kinds[start] = "t"
        first = start + 1
    if not quoted:
        _cut(reading, first, Place.QUOTED)
        return True
    kind = "b" if strength == "strong" or looks_like_date(text) else "w"
    reading.kinds[first : at + 1] = [kind] * (at + 1 - first)
    return True


@dataclass(frozen=True, slots=True)
class _Run:
    """Quoted lines without any text of the sender's between them: lines[start:end], `head` where their attribution
    starts (-1 without one)."""

    start: int
    end: int
    head: int


def _runs(kinds: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    head = start = -1
    last = 0
    for at, kind in enumerate(kinds):
        if kind == "e":
            continue
        if kind in "bw" and start >= 0 and kind == "b":
            runs.append(_Run(start, last + 1, head))
            head, start = at, -1
        elif kind in "bw":
            head = at if head < 0 else head
        elif kind == "q":
            start = at if start < 0 else start
        else:
            if start >= 0:
                runs.append(_Run(start, last + 1, head))
            head = start = -1
        last = at
    if start >= 0:
        runs.append(_Run(start, last + 1, head))
    return runs


def _mend_wraps(reading: _Reading) -> None:
    """Lines a mail program broke out of a quoted link belong to the quote."""
    for at in range(1, reading.end - 1):
        broken_off = reading.kinds[at - 1 : at + 2] == ["q", "t", "q"]
        if broken_off and looks_like_wrap(reading.plain[at - 1], reading.plain[at]):
            reading.kinds[at] = "q"


def _mark_signature_below_quotes(reading: _Reading) -> None:
    """A signature below the last quote is no answer to it."""
    start = max((at for at in range(reading.end) if reading.kinds[at] == "q"), default=reading.end)
    kinds = reading.kinds[start + 1 : reading.end]
    if "t" not in kinds:
        return
    below = slice(start + 1, reading.end)
    start += 1 + signature_start(reading.plain[below], kinds, reading.lines[below], written=True)
    reading.kinds[start : reading.end] = ["g"] * (reading.end - start)


def _place_quotes(reading: _Reading, places: list[Place], markup: bool) -> None:
    _mend_wraps(reading)
    _mark_signature_below_quotes(reading)
    kinds = reading.kinds[: reading.end]
    text_lines = [at for at, kind in enumerate(kinds) if kind == "t"]
    last_text = text_lines[-1] if text_lines else -1
    runs = _runs(kinds)
    between = [run for run in runs if run.start < last_text]
    after = [run for run in runs if run.start > last_text]
    attributed = any(run.head >= 0 for run in runs) or reading.rest is Place.QUOTED
    for number, run in enumerate(after):
        superseded = number == 0 and run.head < 0 and (len(after) > 1 or reading.rest is Place.QUOTED)
        if not (superseded and text_lines) and not _is_prompt(reading, run):
            _quote(places, run.start if run.head < 0 else run.head, run.end)
    # More of the same quote below the answer shows that it was answered piece by piece.
    answered = len(between) > 1 or (bool(between) and bool(after) and after[0].head < 0)
    for run in between:
        if not answered and (run.head >= 0 or (markup and not attributed)):
            _quote(places, run.start if run.head < 0 else run.head, run.end)
        elif run.head >= 0 and kinds[run.head] == "b":
            _quote(places, run.head, run.start)


def _is_prompt(reading: _Reading, run: _Run) -> bool:
    """Whether the lines are an interpreter's ">>> " prompts, which nobody quoted."""
    lines = [text for text in reading.plain[run.start : run.end] if text]
    return run.head < 0 and all(text.startswith(">>> ") for text in lines)


def _quote(places: list[Place], start: int, end: int) -> None:
    places[start:end] = [Place.QUOTED] * (end - start)


def _place_gaps(head: Sequence[str], places: list[Place]) -> None:
    """Empty lines and rules above what was cut at the end go with it; so do empty lines before the first word."""
    for at in range(len(head) - 2, -1, -1):
        if places[at] is not Place.VISIBLE:
            continue
        if head[at] and not (places[at + 1] is Place.QUOTED and is_rule(head[at])):
            break
        places[at] = places[at + 1]
    for at, text in enumerate(head):
        if text and places[at] is Place.VISIBLE:
            break
        if not text and Place.QUOTED in places[:1]:
            places[at] = Place.QUOTED


def _place_signatures(reading: _Reading, places: list[Place]) -> None:
    written = False
    for place, group in groupby(range(reading.end), key=places.__getitem__):
        if place is not Place.VISIBLE:
            continue
        segment = list(group)
        first, stop = segment[0], segment[-1] + 1
        kinds = reading.kinds[first:stop]
        start = first + signature_start(reading.plain[first:stop], kinds, reading.lines[first:stop], written=written)
        places[start:stop] = [Place.SIGNATURE] * (stop - start)
        _place_mobile_signatures(reading, places, first, start)
        written = written or "t" in reading.kinds[first:start]


def _place_mobile_signatures(reading: _Reading, places: list[Place], first: int, stop: int) -> None:
    """A "Sent from my phone" is one where it ends the text or stands alone between empty lines."""
    below_is_empty = True
    for at in range(stop - 1, first - 1, -1):
        kind = reading.kinds[at]
        if kind == "s" and (below_is_empty or reading.hints[at] is Hint.SIGNATURE):
            alone = at == first or reading.kinds[at - 1] in "es" or all(k in "es" for k in reading.kinds[at + 1 : stop])
            if alone:
                places[at] = Place.SIGNATURE
        if kind != "s":
            below_is_empty = kind == "e"
