"""Recognises, line by line, what a mail program writes above a quoted thread. Pure functions over short strings.

Every function reads at most `LINE_LIMIT` characters of a line and uses patterns without nested repetition, so one call
is bounded whatever the line holds.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal

from tickets.mail.quote_words import (
    ATTRIBUTION_LEADS,
    FOOTER_WORDS,
    FORWARD_PHRASES,
    MOBILE_SIGNATURE_LEADS,
    ORIGINAL_MESSAGE_PHRASES,
    QUOTING_LEADS,
    REPLY_ABOVE_PHRASES,
    WROTE_VERBS,
    WROTE_VERBS_UNSPACED,
)

LINE_LIMIT: Final = 400
# Nobody wraps lines narrower than this.
_WRAP_WIDTH: Final = 68
Strength = Literal["strong", "weak", ""]

_RULE_CHARACTERS: Final = "-_=*~#+—–―─━ \t"
# Zero-width and bidi marks (Outlook puts them into dates) vanish; the many spaces become one kind.
_MARKS: Final = (0xAD, 0xFEFF, 0x2060, *range(0x200B, 0x2010), *range(0x202A, 0x202F))
_SPACES: Final = (0xA0, 0x202F, 0x3000, *range(0x2000, 0x200B))
_INVISIBLE: Final[dict[int, str | None]] = {**dict.fromkeys(_MARKS), **dict.fromkeys(_SPACES, " ")}

_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\"':,;@]@[^\s<>()\[\]\"':,;@]")
_ADDRESS_AT_END: Final = re.compile(r"@[^\s<>()\[\]\"',;@]{2,250}[\s>)\]\"']*$")
_BRACKETED_ADDRESS: Final = re.compile(r"[<\[(]\s?(?:mailto:)?[^\s<>@]{1,250}@[^\s<>@]{2,250}\s?[>\])]")
_DATE: Final = re.compile(
    r"(?<!\d)(?:\d{1,2}\s?[:.h]\s?\d{2}(?!\d)|\d{1,4}[-./]\s?\d{1,2}[-./]\s?\d{1,4}(?!\d)|(?:19|20)\d\d(?!\d)"
    r"|\d{1,2}[-./ ]{1,2}[^\W\d_]{3,9}\.?[-./ ]{1,2}\d{2,4}(?!\d)|\d{1,4}\s?[年月日년월일])"
)
# A line that opens with a date: "30.09.2017, ", "Wednesday, 17 November", "pe 20. lokakuuta", "11:00 AM, ", "(Mon) ".
_STARTS_WITH_DATE: Final = re.compile(
    r"(?:[^\W\d_]{2,14}[.,]{0,2}\s){0,2}(?:\([^\W\d_]{1,9}\)\s)?\d{1,4}(?:[^\w\s]|\s|[年月日년월일]|$)"
)
_NAME_WORDS: Final = re.compile(r"[^\W\d_][^\W\d_.'’-]{0,20}\.?(?:\s[^\W\d_][^\W\d_.'’-]{0,20}\.?){0,4}")


def _any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_NAME_PARTICLES: Final = frozenset("van von der den de del della di da dos la le el al bin".split())
_ASCII_VERB: Final = re.compile(rf"(?<!\w)(?:{_any_of(filter(str.isascii, WROTE_VERBS))})(?!\w)")
_VERB: Final = re.compile(rf"(?<!\w)(?:{_any_of(WROTE_VERBS)})(?!\w)|{_any_of(WROTE_VERBS_UNSPACED)}")
_VERB_ENDINGS: Final = (*WROTE_VERBS, *WROTE_VERBS_UNSPACED)
_LEAD_WORDS: Final = _any_of(ATTRIBUTION_LEADS)
# A lead word, then a digit not far off: "On Mon, 5", "Le lun. 15", "Am 13", "Il giorno mar 3", "在 2024".
_LEAD: Final = re.compile(
    rf"(?:{_LEAD_WORDS})[\s:]\s?(?:[^\W\d_]{{1,14}}[.,]{{0,2}}\s){{0,3}}[\"(]?\d|(?:on|in)\s(?:article|message)\s<"
)
_LEAD_INSIDE: Final = re.compile(rf"(?<![^\s\-–—.!?,:;])(?:{_LEAD_WORDS})\s(?:[^\W\d_]{{1,14}}[.,]{{0,2}}\s){{0,3}}\d")
_QUOTING: Final = tuple(lead + " " for lead in QUOTING_LEADS)
_FULL_DATE: Final = re.compile(r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[-./]\d{1,2}[-./]\d)")
_OPEN_END: Final = re.compile(r"(?:[\d,<(]|\b[ap]\.?m\.?|uhr)$")
_HEADER: Final = re.compile(r"([^:：]{1,40})[:：]")
_CONTINUATION: Final = re.compile(r"[<(\[]|>\s?|mailto:|[^\s@]{1,250}@[^\s@]{1,250}")
_URL: Final = re.compile(r"<?(?:https?://|www\.|mailto:)[^\s<>]{1,2000}>?")


def _verb_in(folded: str) -> re.Match[str] | None:
    return (_ASCII_VERB if folded.isascii() else _VERB).search(folded)


def _starts_with_verb(folded: str) -> bool:
    return (_ASCII_VERB if folded.isascii() else _VERB).match(folded) is not None


def _fold(text: str) -> str:
    # The capital dotted I of Turkish folds to two characters.
    return text.casefold().replace("i\u0307", "i")


def plain(line: str) -> str:
    """A line as the matchers want it: NFC, no invisible characters, one kind of space, stripped, at most LINE_LIMIT."""
    # What was cut off must not make the rest look like it ends in a colon.
    short = line if len(line) <= LINE_LIMIT else line[:LINE_LIMIT] + "…"
    if not short.isascii():
        short = unicodedata.normalize("NFC", short).translate(_INVISIBLE)
    return " ".join(short.split())


def is_rule(text: str) -> bool:
    """Whether a plain line is only a drawn rule: "--", "_____", "* * *". One em dash is enough, others need two."""
    bare = text.replace(" ", "")
    return bool(bare) and not bare.strip(_RULE_CHARACTERS) and (len(bare) > 1 or bare in "—–―")


def header_key(text: str) -> str:
    """The folded key of a plain line "Key: value", "" where there is none of at most 40 characters."""
    match = _HEADER.match(text)
    return _fold(match[1].strip(" *_>|")) if match else ""


def header_value(text: str) -> str:
    """What follows the key of a header line, without the stars of a bold key."""
    match = _HEADER.match(text)
    return text[match.end() :].strip(" *") if match else ""


def looks_like_address(text: str) -> bool:
    """Whether a mail address stands somewhere in the text."""
    return "@" in text and _ADDRESS.search(text) is not None


def looks_like_date(text: str) -> bool:
    """Whether a date or a time of day stands somewhere in the text."""
    return _DATE.search(text) is not None


def _phrase(text: str) -> tuple[str, bool]:
    """The words of a line without the rule drawn around them, and whether there was such a rule."""
    bare = text.strip(_RULE_CHARACTERS + ">:：[]")
    return _fold(bare), len(text) - len(bare) >= 3


def is_original_message(text: str) -> bool:
    """Whether a plain line is "-----Original Message-----" in any language, or asks to reply above it."""
    if len(text) > 160:
        return False
    words, ruled = _phrase(text)
    if words in ORIGINAL_MESSAGE_PHRASES:
        return ruled or text.endswith((":", "："))
    return (ruled or len(words) < 70) and any(phrase in words for phrase in REPLY_ABOVE_PHRASES)


def is_forward(text: str) -> bool:
    """Whether a plain line announces a forwarded mail: "----- Forwarded message -----", "Begin forwarded message:"."""
    if len(text) > 120:
        return False
    words, ruled = _phrase(text)
    return words in FORWARD_PHRASES and (ruled or text.endswith((":", "：")))


def is_mobile_signature(text: str) -> bool:
    """Whether a plain line is a short "Sent from my phone" and no sentence of the sender's."""
    if len(text) > 300:
        return False
    words = _URL.sub("", text).strip(_RULE_CHARACTERS + "<>[]()").casefold()
    return (
        len(words) <= 80
        and len(words.split()) <= 10
        and words.startswith(MOBILE_SIGNATURE_LEADS)
        and not words.endswith(("?", "!", ":", ","))
        and ", " not in words
    )


def is_footer(text: str) -> bool:
    """Whether a plain line holds words only the footer of a list or of a mail service has."""
    folded = text.casefold()
    return any(words in folded for words in FOOTER_WORDS)


def looks_like_name(text: str) -> bool:
    """Whether a plain line may be a person's name: one to five capitalised words and nothing else."""
    if len(text) > 60 or text.endswith(".") or _NAME_WORDS.fullmatch(text) is None:
        return False
    return all(word[0].isupper() or word in _NAME_PARTICLES for word in text.split())


def looks_like_wrap(above: str, text: str) -> bool:
    """Whether a plain line between quoted lines is only what a mail program broke off the quoted line `above`."""
    if _URL.fullmatch(text.strip("()> ")):
        return True
    first = text.partition(" ")[0]
    if first == text and (above.count("(") > above.count(")") and text.endswith(")")):
        return True
    if first == text and "<http" in above.rpartition(">")[2]:
        return True
    # The word did not fit, and the sentence goes on: an answer would begin anew.
    fits = len(above) + len(first) + 1 < _WRAP_WIDTH
    return not fits and text[0].islower() and above[-1] not in ".?!:;。？！"


def may_end_attribution(text: str) -> bool:
    """A cheap test that rules out nearly every line before `attribution_strength` looks at it."""
    if text[-1] in ":：>" and len(text) > 1:
        return True
    tail = text[-40:].rstrip(" -–—_*").casefold()
    return tail.endswith(_VERB_ENDINGS) or tail in (">", "<")


def starts_attribution(text: str) -> bool:
    """Whether a plain line opens like an attribution: with "On" and a date, with a date, or with "Quoting"."""
    folded = text.lstrip("-–—_*> \t").casefold()
    if _CONTINUATION.match(folded):
        return False
    return _LEAD.match(folded) is not None or _STARTS_WITH_DATE.match(folded) is not None or folded.startswith(_QUOTING)


def opens_attribution_above(line: str, joined: str, last: str) -> bool:
    """Whether the plain `line` is the first of an attribution that runs on to `last`; `joined` is all of it.

    Senders write lines that open with a number or end in "wrote:", too, so a date must be where one belongs.
    """
    folded = line.lstrip("-–—_*> \t").casefold()
    if not starts_attribution(line):
        return False
    if continues_attribution(last):
        return looks_like_date(line) or _LEAD.match(folded) is not None
    if _OPEN_END.search(folded):
        return looks_like_date(joined) if _LEAD.match(folded) else looks_like_date(line) and looks_like_address(joined)
    return _LEAD.match(folded) is not None and _FULL_DATE.search(folded) is not None and not looks_like_address(last)


def continues_attribution(text: str) -> bool:
    """Whether a plain line cannot be the first of an attribution: it opens with an address or with the verb."""
    folded = text.casefold()
    return text in (">:", ":") or _CONTINUATION.match(folded) is not None or _starts_with_verb(folded)


def attribution_strength(text: str) -> Strength:
    """How surely a text (one to five lines joined by spaces) is a whole attribution.

    "strong": take it for one whatever follows. "weak": only with quoted lines right below it.
    """
    core = text.strip("-–—_*= \t").lstrip("> ")
    closed = core.endswith((":", "："))
    ruled = text[:2] in ("--", "——", "––") and text[-2:] in ("--", "——", "––")
    core = core.rstrip(" :：*")
    folded = core.casefold()
    if not core:
        return ""
    address = looks_like_address(core)
    dated = looks_like_date(core)
    opens = _LEAD.match(folded) is not None or _STARTS_WITH_DATE.match(folded) is not None
    verb = _verb_in(folded)
    if verb is not None and (closed or ruled or folded.endswith(_VERB_ENDINGS)):
        return _with_verb(folded, verb, address, dated, opens, closed or ruled)
    if not closed:
        at_end = dated and address and _STARTS_WITH_DATE.match(folded) and _BRACKETED_ADDRESS.search(core[-300:])
        return "weak" if at_end and _ADDRESS_AT_END.search(core) else ""
    if folded.startswith(_QUOTING):
        return "strong" if address else "weak"
    if dated and address and opens and _ADDRESS_AT_END.search(core):
        return "strong"
    return "weak" if dated and opens and len(core) <= 120 else ""


def _with_verb(
    folded: str,
    verb: re.Match[str],
    address: bool,
    dated: bool,
    opens: bool,
    closed: bool,
) -> Strength:
    at_end = verb.end() == len(folded) or folded.endswith(_VERB_ENDINGS)
    if closed and ((address and (at_end or dated or verb.start() == 0)) or (dated and opens)):
        return "strong"
    if closed:
        # "John Smith wrote:" says nothing alone: a sender writes that too.
        return "weak" if dated or opens or len(folded) <= 60 else ""
    if at_end and dated and opens and (address or _DATE.search(folded[:40])):
        return "strong" if address else "weak"
    return "weak" if at_end and dated and opens else ""


def attribution_offset(text: str) -> int:
    """Where, in a line that ends in an attribution, that attribution begins: 0 where it is the whole line.

    Mail programs without a line break put it behind the sender's words: "thanks On Wed, Apr 4, 2012 ... wrote:".
    """
    folded = text.lower()
    if len(folded) != len(text):
        return 0
    bare = len(folded) - len(folded.lstrip("-–—_*> \t"))
    if starts_attribution(text):
        return 0
    for match in _LEAD_INSIDE.finditer(folded, bare + 1):
        rest = text[match.start() :]
        # Without the capital letter it is a word of the name-led form "NAME wrote on 3 May".
        if rest[0].isupper() and attribution_strength(rest):
            before = text[: match.start()]
            return 0 if _verb_in(before.casefold()) else match.start()
    return 0
