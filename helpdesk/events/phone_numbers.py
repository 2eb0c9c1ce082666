"""Phone numbers as E.164 (ITU-T): a plus, a country, at most fifteen digits. Pure.

Only international numbers are taken: which country a number without one belongs to is anybody's guess.
"""

import re
from typing import Final

_FORMAT: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN: Final = re.compile(r"[\s()./\u2010-\u2015-]+")
LONGEST_TYPED: Final = 60
# What Twilio gives as the caller where the number is withheld: words, or such words typed on a telephone's keys.
# twilio.com/docs/voice/twiml, "Anonymous and restricted caller IDs".
WITHHELD: Final = frozenset(
    {"", "anonymous", "restricted", "unknown", "unavailable", "blocked", "private", "+266696687", "+7378742833",
     "+2562533", "+8656696", "+86282452253", "266696687", "7378742833", "2562533", "8656696", "86282452253"}
)  # fmt: skip
# The languages we speak, by how numbers of their countries begin; the longer beginning counts.
_LANGUAGES: Final = {
    **dict.fromkeys(("+49", "+43", "+41", "+423"), "de"),
    **dict.fromkeys(("+33", "+352", "+377"), "fr"),
    **dict.fromkeys(("+34", "+52", "+54", "+56", "+57", "+51", "+593", "+598"), "es"),
    **dict.fromkeys(("+351", "+55"), "pt"),
    **dict.fromkeys(("+44", "+1", "+353", "+61", "+64"), "en"),
}


def e164(text: str) -> str:
    """The number as machines write it, from one as people do ("+49 151 234-567", "0049 151…"); "" for anything else."""
    if len(text) > LONGEST_TYPED:
        return ""
    written = text.strip()
    if written.startswith(("+", "00")):
        # "+49 (0)30 1234": who calls from abroad leaves that zero out.
        written = written.replace("(0)", "", 1)
    digits = _WRITTEN.sub("", written)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return digits if _FORMAT.fullmatch(digits) else ""


def caller(text: str) -> str:
    """Who calls, as a number; "" where the number is withheld or is none (a SIP address, a short code)."""
    return "" if text.strip().lower() in WITHHELD else e164(text)


def language_of(number: str) -> str:
    """The language most spoken where the number is from, of those we speak; "" where we cannot say."""
    for length in (4, 3, 2):
        if number[:length] in _LANGUAGES:
            return _LANGUAGES[number[:length]]
    return ""
