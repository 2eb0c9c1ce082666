"""Recognises, line by line, what a mail program writes above a quoted thread. Pure functions over short strings.

Every function reads at most `LINE_LIMIT` characters of a line and uses patterns without nested repetition, so one call
is bounded whatever the line holds.
"""

import re
import unicodedata
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

LINE_LIMIT: Final = 600
Strength = Literal["strong", "weak", ""]

_RULE_CHARACTERS: Final = "-_=*~#+—–―─━ \t"
# Zero-width and bidi marks (Outlook puts them into dates) vanish; the many spaces become one kind.
_INVISIBLE: Final = {code: None for code in (0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060)} | {
    code: " " for code in (0xA0, 0x202F, 0x3000, 0xFFFC, *range(0x2000, 0x200B))
}

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
_BY_LENGTH: Final = sorted(WROTE_VERBS, key=len, reverse=True)
_VERB: Final = re.compile(
    r"(?<![\w])(?:"
    + "|".join(map(re.escape, _BY_LENGTH))
    + r")(?![\w])|"
    + "|".join(map(re.escape, sorted(WROTE_VERBS_UNSPACED, key=len, reverse=True)))
)
_VERB_ENDINGS: Final = (*WROTE_VERBS, *WROTE_VERBS_UNSPACED)
_LEAD_WORDS: Final = "|".join(map(re.escape, sorted(ATTRIBUTION_LEADS, key=len, reverse=True)))
# A lead word, then a digit not far off: "On Mon, 5", "Le lun. 15", "Am 13", "Il giorno mar 3", "W dniu 2017", "在 2024".
_LEAD: Final = re.compile(
    rf"(?:{_LEAD_WORDS})[\s:]\s?(?:[^\W\d_]{{1,14}}[.,]{{0,2}}\s){{0,3}}[\"(]?\d|(?:on|in)\s(?:article|message)\s<"
)
_LEAD_INSIDE: Final = re.compile(rf"(?<![^\s\-–—.!?,:;])(?:{_LEAD_WORDS})\s(?:[^\W\d_]{{1,14}}[.,]{{0,2}}\s){{0,3}}\d")
_QUOTING: Final = tuple(lead + " " for lead in QUOTING_LEADS)
_CONTINUATION: Final = re.compile(r"[<(\[]|>\s?|mailto:|[^\s@]{1,250}@[^\s@]{1,250}")
_URL: Final = re.compile(r"<?(?:https?://|www\.|mailto:)[^\s<>]{1,2000}>?")


def plain(line: str) -> str:
    """A line as the matchers want it: NFC, no invisible characters, one kind of space, stripped, at most LINE_LIMIT."""
    # What was cut off must not make the rest look like it ends in a colon.
    short = line if len(line) <= LINE_LIMIT else line[:LINE_LIMIT] + "…"
    if not short.isascii():
        short = unicodedata.normalize("NFC", short).translate(_INVISIBLE)
    return " ".join(short.split())


def is_rule(text: str) -> bool:
    """Whether a plain line is only a drawn rule: "--", "_____", "* * *". One em dash is enough, other signs need two."""
    bare = text.replace(" ", "")
    return bool(bare) and not bare.strip(_RULE_CHARACTERS) and (len(bare) > 1 or bare in "—–―")


def header_key(text: str) -> str:
    """The folded key of a plain line "Key: value", "" where there is none of at most 40 characters."""
    key, colon, _ = text[:60].partition(":")
    if not colon:
        key, colon, _ = text[:60].partition("：")
    return key.strip(" *_>|").casefold() if colon and len(key) <= 40 else ""


def header_value(text: str) -> str:
    """What follows the key of a header line, without the stars of a bold key."""
    separator = ":" if ":" in text else "："
    return text.partition(separator)[2].strip(" *\t")


def looks_like_address(text: str) -> bool:
    """Whether a mail address stands somewhere in the text."""
    return "@" in text and _ADDRESS.search(text) is not None


def looks_like_date(text: str) -> bool:
    """Whether a date or a time of day stands somewhere in the text."""
    return _DATE.search(text) is not None


def _phrase(text: str) -> tuple[str, bool]:
    """The words of a line without the rule drawn around them, and whether there was such a rule."""
    bare = text.strip(_RULE_CHARACTERS + ">:：[]")
    return bare.casefold(), len(text) - len(bare) >= 3


def is_original_message(text: str) -> bool:
    """Whether a plain line is "-----Original Message-----" in any language, or asks to reply above it."""
    if len(text) > 160:
        return False
    words, ruled = _phrase(text)
    if words in ORIGINAL_MESSAGE_PHRASES:
        return ruled or text.endswith((":", "："))
    return (ruled or len(words) < 70) and any(phrase in words for phrase in REPLY_ABOVE_PHRASES)


def is_forward(text: str) -> bool:
    """Whether a plain line announces a forwarded mail: "---------- Forwarded message ---------", "Begin forwarded ..."."""
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
    return len(text) <= 60 and text[:1].isupper() and _NAME_WORDS.fullmatch(text) is not None


def looks_like_link_wrap(above: str, text: str) -> bool:
    """Whether a plain line between quoted lines is only the rest of a link the quoted line `above` began."""
    if _URL.fullmatch(text.strip("()> ")):
        return True
    return " " not in text and (
        (above.count("(") > above.count(")") and text.endswith(")")) or "<http" in above.rpartition(">")[2]
    )


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


def continues_attribution(text: str) -> bool:
    """Whether a plain line cannot be the first of an attribution: it opens with an address or with the verb."""
    folded = text.casefold()
    return _CONTINUATION.match(folded) is not None or _VERB.match(folded) is not None


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
    verb = _VERB.search(folded)
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
    if closed and (address and (at_end or dated or verb.start() == 0) or (dated and opens)):
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
            return 0 if _VERB.search(before.casefold()) else match.start()
    return 0
