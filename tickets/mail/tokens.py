"""Signed addresses and message ids: what a mail must carry to speak for a conversation, a person or a message.

A token says which conversation it belongs to and to whom it was given; it never says who the sender is. Letter case
does not matter, since mail servers change it. 80 bits of HMAC-SHA256 cannot be guessed by mail.
"""

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

VERSION: Final = 1
MAC_BYTES: Final = 10
KINDS: Final = {"customer": b"c", "agent": b"a", "message": b"m", "digest": b"d"}
_BODY: Final = struct.Struct(">cBIQ")
_LENGTH: Final = _BODY.size + MAC_BYTES
_SALT: Final = "helpdesk.mail.tokens"
_MESSAGE_ID: Final = re.compile(r"t(\d{1,18})\.([md])(\d{1,18})\.([a-z2-7]{16})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """`subject_id` is a conversation (for `customer` and `agent`), a message or a digest; `person_id` whom it was given
    to.
    """

    kind: str
    subject_id: int
    person_id: int = 0


def make(kind: str, subject_id: int, person_id: int = 0) -> str:
    """39 letters and digits, fit for the part of an address behind the plus."""
    body = _BODY.pack(KINDS[kind], VERSION, person_id, subject_id)
    return _written(body + _mac(body))


def read(text: str) -> Token | None:
    """The token, if it is one of ours and whole."""
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    # The last letter has spare bits: only the one way in which we write a token is one.
    if (
        len(raw) != _LENGTH
        or _written(raw) != text.lower()
        or not constant_time_compare(raw[_BODY.size :], _mac(raw[: _BODY.size]))
    ):
        return None
    kind, version, person_id, subject_id = _BODY.unpack(raw[: _BODY.size])
    name = next((name for name, mark in KINDS.items() if mark == kind), "")
    return Token(name, subject_id, person_id) if name and version == VERSION else None


def in_address(address: str) -> Token | None:
    """The token of `mailbox+TOKEN@domain`."""
    local, _, _ = address.rpartition("@")
    _, plus, tag = local.partition("+")
    return read(tag) if plus and len(tag) <= 64 else None


def plus_address(address: str, token: str) -> str:
    """`support@x` and a token as `support+token@x`."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def message_id(conversation_id: int, message_id: int, domain: str) -> str:
    """The Message-ID (RFC 5322 §3.6.4, no brackets) of a message of ours: the same however often it is rendered."""
    return _mail_id(f"t{conversation_id}.m{message_id}", domain)


def digest_mail_id(conversation_id: int, digest_id: int, domain: str) -> str:
    """The Message-ID of one mail that holds several messages, or none."""
    return _mail_id(f"t{conversation_id}.d{digest_id}", domain)


def conversation_of(mail_id: str) -> int | None:
    """The conversation a Message-ID of ours belongs to; None where the signature is not ours."""
    found = _named(mail_id)
    return found[0] if found else None


def message_of(mail_id: str) -> int | None:
    """The message a Message-ID of ours belongs to; None where the signature is not ours."""
    found = _named(mail_id)
    return found[2] if found and found[1] == "m" else None


def digest_of(mail_id: str) -> int | None:
    """The digest a Message-ID of ours belongs to; None where the signature is not ours."""
    found = _named(mail_id)
    return found[2] if found and found[1] == "d" else None


def _mail_id(name: str, domain: str) -> str:
    return f"{name}.{_name_mac(name)}@{domain}"


def _named(mail_id: str) -> tuple[int, str, int] | None:
    """Conversation, kind and number of a Message-ID of ours."""
    match = _MESSAGE_ID.match(mail_id)
    if match is None:
        return None
    conversation, kind, number = int(match.group(1)), match.group(2).lower(), int(match.group(3))
    name = f"t{match.group(1)}.{kind}{match.group(3)}"
    return (conversation, kind, number) if constant_time_compare(match.group(4).lower(), _name_mac(name)) else None


def instance_id() -> str:
    """Names this installation in X-Helpdesk-Instance, so that our own mail is known when it comes back."""
    return salted_hmac("helpdesk.instance", "id", algorithm="sha256").hexdigest()[:16]


def _written(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _mac(body: bytes) -> bytes:
    return salted_hmac(_SALT, body, algorithm="sha256").digest()[:MAC_BYTES]


def _name_mac(name: str) -> str:
    return base64.b32encode(salted_hmac(_SALT, name, algorithm="sha256").digest()[:MAC_BYTES]).decode().lower()
