"""What a subject line says once the prefixes of mail programs and the tags of lists are taken away."""

import re
import unicodedata
from difflib import SequenceMatcher

LONGEST = 500
"""Characters of a subject that are looked at: RFC 5322 allows longer ones, nobody writes them."""

_REPLIES = (
    "re|aw|antw|antwort|sv|vs|ref|rif|r|res|resp|rep|rép|réf|odp|atb|bls|ynt|απ|σχετ|отв|ответ|vá|vast|hs|"
    "回复|答复|回覆|返信|回信|답장|השב"
)
_FORWARDS = (
    "fw|fwd|wg|tr|rv|enc|i|vb|vl|vs|pd|doorst|weitergeleitet|transf|inoltra|reenv|továbbítás|ilt|i̇lt|iletme|πρθ|"
    "пересл|fś|předáno|přeposláno|př|转发|轉寄|転送|전달|הועבר"
)
_COUNT = r"(?:\s?[\[(^]\d{1,3}[\])]?)?"
_PREFIX = re.compile(rf"(?:{_REPLIES}|{_FORWARDS}){_COUNT}\s{{0,3}}[:：]\s*", re.IGNORECASE)
_REPLY = re.compile(rf"(?:{_REPLIES}){_COUNT}\s{{0,3}}[:：]", re.IGNORECASE)
_FORWARD = re.compile(rf"(?:{_FORWARDS}){_COUNT}\s{{0,3}}[:：]", re.IGNORECASE)
_LIST_TAG = re.compile(r"\[[^\[\]]{1,60}\]\s*")
_LETTER = re.compile(r"\w\s*[:：]\s*")
_TICKET_TAG = re.compile(r"\[#([0-9]{1,18})\]")
_TRAILING = re.compile(r"\s*\((?:fwd|fw)\)$", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def normalise(subject: str) -> str:
    """The bare, case-folded subject: without reply and forward prefixes, ticket tags and leading list tags.

    A subject of nothing but tags keeps the last of them, so that it stays distinguishable.
    """
    return without_prefixes(unicodedata.normalize("NFKC", subject[:LONGEST])).casefold()


def without_prefixes(subject: str) -> str:
    """The subject as its author wrote it, on one line: `Fwd: AW: [#12] [list] Printer` is `Printer`."""
    bare = " ".join(_TICKET_TAG.sub(" ", subject[:LONGEST]).split())
    position = 0
    while match := _PREFIX.match(bare, position) or _LIST_TAG.match(bare, position):
        if match.end() == len(bare) and match.group().startswith("["):
            break
        position = match.end()
    return _TRAILING.sub("", bare[position:]).strip()


def opening(subject: str, *, has_parent: bool) -> str:
    """What a conversation that begins with this mail is called: without reply and forward prefixes, tags kept.

    A single letter, as Italian mail programs put there, may as well be a drive: it goes where the mail answers another
    one, or where another prefix stands beside it.
    """
    bare, position = " ".join(subject[:LONGEST].split()), 0
    tags: list[str] = []
    letters, is_answer = 0, has_parent
    while match := _PREFIX.match(bare, position) or _LIST_TAG.match(bare, position):
        if match.group().startswith("["):
            tags.append(match.group().strip())
        elif _LETTER.fullmatch(match.group()) and not is_answer:
            letters += 1
            if letters == 1:
                first, tags_before = position, len(tags)
        else:
            is_answer = True
        position = match.end()
    if letters and not is_answer:
        position, tags = first, tags[:tags_before]
    return " ".join([*dict.fromkeys(tags), _TRAILING.sub("", bare[position:]).strip()]).strip()


def ticket_tag(subject: str) -> int | None:
    """The number of the first `[#123]` in the subject."""
    match = _TICKET_TAG.search(subject[:LONGEST])
    return int(match.group(1)) or None if match else None


def is_reply(subject: str) -> bool:
    """Whether the outermost prefix says "in reply to"."""
    return bool(_REPLY.match(_without_tags(subject)))


def is_forward(subject: str) -> bool:
    """Whether the outermost prefix says "forwarded" (`Fwd:`, `WG:`, `TR:`, `RV:`, `ENC:`, `I:` ...)."""
    return bool(_FORWARD.match(_without_tags(subject)))


def differs(first: str, second: str) -> bool:
    """Whether two subjects are about quite different things.

    A missing subject differs from nothing, and neither does one that only grew, shrank or was corrected.
    """
    a, b = normalise(first), normalise(second)
    if not a or not b or a in b or b in a:
        return False
    words, others = set(_WORD.findall(a)), set(_WORD.findall(b))
    if words and others and 2 * len(words & others) >= min(len(words), len(others)):
        return False
    return SequenceMatcher(None, a[:200], b[:200], autojunk=False).ratio() < 0.6


def _without_tags(subject: str) -> str:
    """The subject from its first prefix on: gateways put `[EXTERNAL]` and the like in front of it."""
    bare = subject[:LONGEST].lstrip()
    position = 0
    while match := _LIST_TAG.match(bare, position):
        position = match.end()
    return bare[position:]
