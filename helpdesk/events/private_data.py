"""What must never stand in public: passwords, keys, account data, addresses. Pure; bounded on any text.

It looks at drafts before they leave, and at what others say of themselves in public without thinking.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

LONGEST: Final = 20_000
REMOVED: Final = "[…]"
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"(?<![\w.])(?:\+|00)\d[\d ()/.-]{6,20}\d(?!\w)|(?<![\w.])0\d{2,5}[ /-]\d[\d ]{4,10}\d(?!\w)"
)
_DIGITS: Final = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)")
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_SECRET: Final = re.compile(
    r"\b(?:password|passwd|passwort|kennwort|contraseña|senha|mot de passe|passphrase|api[ _-]?key|secret|token|pin)"
    r"\b[ \t]{0,3}(?:is|ist|lautet|est|es|é|:|=)[ \t]{0,3}\S{3,100}",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abprs]-[\w-]{10,}"
    r"|\bsk_(?:live|test)_[A-Za-z0-9]{16,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\bssh-(?:rsa|ed25519) [A-Za-z0-9+/]{40,}"
)
_LOGIN: Final = re.compile(
    r"\b(?:ssh|sftp|scp|mysql|psql|ftp)\b[^\n]{0,40}?\b[\w.-]{1,32}@[\w.-]{2,120}", re.IGNORECASE
)
_NUMBER: Final = re.compile(
    r"\b(?:customer|client|kunden|account|konto|contract|vertrags|invoice|rechnungs|ticket|case|order|bestell)"
    r"[ -]?(?:no|nr|number|nummer|id)?\b\.?[ \t]{0,2}[:#]{0,2}[ \t]{0,2}(?:[A-Z]{1,5}-?)?\d{3,12}\b|\[#\d{3,9}\]",
    re.IGNORECASE,
)
_STREET: Final = re.compile(
    r"\b[\w.-]{2,40}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse)\s{1,2}\d{1,4}[a-z]?\b"
    r"|\b\d{1,5}\s[A-Z][\w.]{1,30}(?:\s[A-Z][\w.]{1,30})?\s(?:Street|St\.|Avenue|Ave\.|Road|Rd\.|Lane|Drive|Blvd)\b",
    re.IGNORECASE,
)
_PATTERNS: Final = (
    ("email", _EMAIL),
    ("phone", _PHONE),
    ("password", _SECRET),
    ("key", _KEY),
    ("login", _LOGIN),
    ("number", _NUMBER),
    ("address", _STREET),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something private: what it is, and the words."""

    kind: str
    words: str


def findings(text: str, *, own: Collection[str] = (), private_names: Collection[str] = ()) -> list[Finding]:
    """What in a text is private, in order of kind. `own` are addresses and numbers that everybody may read: support@,
    the emergency phone. `private_names` are names that belong to customers: their domains, our servers' names.
    """
    text = text[:LONGEST]
    public = {one.lower() for one in own}
    found = [Finding(kind, match.group(0)) for kind, pattern in _PATTERNS for match in pattern.finditer(text)]
    found += [*_cards(text), *_ibans(text), *_addresses(text), *_named(text, private_names)]
    return [one for one in found if one.words.strip().lower() not in public]


def kinds(text: str, *, own: Collection[str] = (), private_names: Collection[str] = ()) -> list[str]:
    """The kinds alone, each once."""
    return list(dict.fromkeys(one.kind for one in findings(text, own=own, private_names=private_names)))


def removed(text: str, *, own: Collection[str] = (), private_names: Collection[str] = ()) -> str:
    """The text with `[…]` where something private stood; names are found whatever their case. What is longer than
    LONGEST is cut there: nobody has looked at the rest.
    """
    text = text[:LONGEST]
    words = sorted({one.words for one in findings(text, own=own, private_names=private_names)}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, words)), REMOVED, text, flags=re.IGNORECASE) if words else text


def _cards(text: str) -> Iterator[Finding]:
    for match in _DIGITS.finditer(text):
        digits = [int(one) for one in match.group(0) if one.isdigit()]
        if 13 <= len(digits) <= 19 and len(set(digits)) > 1 and _luhn(digits):
            yield Finding("card", match.group(0))


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = [sum(divmod(2 * one, 10)) if place % 2 else one for place, one in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _ibans(text: str) -> Iterator[Finding]:
    """ISO 13616: the remainder by 97 is 1."""
    for match in _IBAN.finditer(text):
        plain = match.group(0).replace(" ", "")
        # Words in capitals may follow it: the number ends where it is right.
        for length in range(min(len(plain), 34), 14, -1):
            turned = plain[4:length] + plain[:4]
            if int("".join(str(int(one, 36)) for one in turned)) % 97 == 1:
                yield Finding("iban", plain[:length])
                break


def _addresses(text: str) -> Iterator[Finding]:
    for match in _IPV4.finditer(text):
        try:
            ip_address(match.group(0))
        except ValueError:
            continue
        yield Finding("ip", match.group(0))


def _named(text: str, names: Collection[str]) -> Iterator[Finding]:
    lowered = text.lower()
    for name in names:
        if len(name) > 3 and re.search(rf"(?<![\w.-]){re.escape(name.lower())}(?![\w-])", lowered):
            yield Finding("name", name)
