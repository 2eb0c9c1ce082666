"""DKIM signatures (RFC 6376, RFC 8301, RFC 8463) of a raw mail: which there are, and whether one is valid with a key.

Stricter than the standard where a mail could otherwise say more than was signed: From and Subject must be signed, a
body length (`l=`) is refused, and so is a second copy of a header that may stand once. Only SHA-256; keys of 1024 bits
and more. Pure: the key's record comes from the caller.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

MAX_SIGNATURES: Final = 10
MAX_HEADER_BYTES: Final = 256 * 1024
MAX_SIGNATURE_BYTES: Final = 8192
MAX_SIGNED_HEADERS: Final = 200
MIN_KEY_BITS: Final = 1024
MAX_KEY_BITS: Final = 8192
_CLOCKS_DIFFER: Final = timedelta(hours=1)

# A second one of these, put above the signed one, would be read instead of it (RFC 6376 §8.15).
_ONCE: Final = frozenset(
    b"from sender reply-to to cc date subject message-id in-reply-to references mime-version content-type"
    b" content-transfer-encoding content-disposition".split()
)
_LINE_END: Final = re.compile(rb"\r?\n")
_NAME: Final = re.compile(rb"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,10}")
_TAG: Final = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SignedMail:
    """A mail cut for checking: header fields as (lower-case name, whole field without its last CRLF), top first."""

    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature that may be believed if a key of `selector` at `domain` verifies it."""

    domain: str
    selector: str
    field: bytes
    tags: Mapping[bytes, bytes]

    @property
    def record_name(self) -> str:
        """Where its key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


def read_signatures(raw: bytes, at: datetime) -> tuple[SignedMail | None, list[Signature]]:
    """The mail cut for checking, and those of its first signatures that could be believed at `at`.

    (None, []) for a mail that has none, or whose header says more than a signature can cover.
    """
    mail = _cut(raw)
    if mail is None:
        return None, []
    names = [name for name, _ in mail.fields]
    if names.count(b"from") != 1 or any(names.count(name) > 1 for name in _ONCE):
        return None, []
    fields = [field for name, field in mail.fields if name == b"dkim-signature"][:MAX_SIGNATURES]
    found = [_signature(field, b"subject" in names, at) for field in fields]
    return mail, [signature for signature in found if signature is not None]


def is_valid(mail: SignedMail, signature: Signature, record: bytes) -> bool:
    """Whether the key in a DNS record verifies the signature over body and headers."""
    tags = signature.tags
    key = _key(record, signature)
    if key is None:
        return False
    header_way, _, body_way = tags.get(b"c", b"simple/simple").lower().partition(b"/")
    signed = _signed_header(mail, signature, is_relaxed=header_way == b"relaxed")
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(_decoded(tags[b"b"]), signed, PKCS1v15(), SHA256())
        else:
            key.verify(_decoded(tags[b"b"]), hashlib.sha256(signed).digest())
    except InvalidSignature:
        return False
    # The body comes last: it may be large, and only who holds the key makes us read it.
    return hashlib.sha256(_body(mail.body, is_relaxed=body_way == b"relaxed")).digest() == _decoded(tags[b"bh"])


def _cut(raw: bytes) -> SignedMail | None:
    start = raw[: MAX_HEADER_BYTES + 4]
    # The header ends at the first empty line, whatever kind of line ends a way in left us.
    ends = [(at, len(end)) for end in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := start.find(end)) >= 0]
    if not ends or b"dkim-signature" not in start.lower():
        return None
    end, length = min(ends)
    fields: list[list[bytes]] = []
    for line in _LINE_END.split(start[:end]):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        elif b":" in line:
            fields.append([line])
        elif not line.startswith(b"From "):
            return None
    whole = [b"\r\n".join(lines) for lines in fields]
    named = tuple((field.partition(b":")[0].strip(b" \t").lower(), field) for field in whole)
    return SignedMail(named, raw[end + length :].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def parse_tags(text: bytes) -> dict[bytes, bytes] | None:
    """`name=value; …` (RFC 6376 §3.2), white space around values gone; None where it is no such list."""
    found: dict[bytes, bytes] = {}
    for part in text.strip().removesuffix(b";").split(b";"):
        name, equals, value = part.partition(b"=")
        name = name.strip()
        if not equals or not _TAG.fullmatch(name) or name in found:
            return None
        found[name] = value.strip()
    return found


def _signature(field: bytes, has_subject: bool, at: datetime) -> Signature | None:
    if len(field) > MAX_SIGNATURE_BYTES:
        return None
    tags = parse_tags(field.partition(b":")[2])
    if tags is None or not tags.keys() >= {b"v", b"a", b"b", b"bh", b"d", b"h", b"s"} or b"l" in tags:
        return None
    domain, selector = tags[b"d"].lower(), tags[b"s"].lower()
    signed = _signed_names(tags)
    believable = (
        tags[b"v"] == b"1"
        and tags[b"a"].lower() in (b"rsa-sha256", b"ed25519-sha256")
        and all(way in (b"", b"simple", b"relaxed") for way in tags.get(b"c", b"").lower().split(b"/", 1))
        and _NAME.fullmatch(domain) is not None
        and _NAME.fullmatch(selector) is not None
        and b"dns/txt" in tags.get(b"q", b"dns/txt").lower()
        and b"from" in signed
        and (b"subject" in signed or not has_subject)
        and len(signed) <= MAX_SIGNED_HEADERS
        and _is_within(tags.get(b"i", b"@" + domain).lower().rpartition(b"@")[2], domain)
        and _is_current(tags, at)
    )
    return Signature(domain.decode(), selector.decode(), field, tags) if believable else None


def _signed_names(tags: Mapping[bytes, bytes]) -> list[bytes]:
    return [name.strip().lower() for name in tags[b"h"].split(b":")]


def _is_within(domain: bytes, parent: bytes) -> bool:
    return domain == parent or domain.endswith(b"." + parent)


def _is_current(tags: Mapping[bytes, bytes], at: datetime) -> bool:
    """Whether it was made before `at` (`t=`) and has not run out (`x=`)."""
    made, ends = tags.get(b"t", b"0"), tags.get(b"x", b"9" * 10)
    if not all(value.isdigit() and len(value) <= 12 for value in (made, ends)):
        return False
    seconds = at.astimezone(UTC).timestamp()
    allowed = _CLOCKS_DIFFER.total_seconds()
    return int(made) - allowed <= seconds <= int(ends) + allowed


def _key(record: bytes, signature: Signature) -> RSAPublicKey | Ed25519PublicKey | None:
    """The key of a record (RFC 6376 §3.6.1) if it may sign mail with this algorithm."""
    tags = parse_tags(record)
    if tags is None or tags.get(b"v", b"DKIM1") != b"DKIM1" or not tags.get(b"p"):
        return None
    kind = tags.get(b"k", b"rsa").lower()
    flags = tags.get(b"t", b"").replace(b" ", b"").split(b":")
    identity = signature.tags.get(b"i", b"").lower().rpartition(b"@")[2]
    if (
        not signature.tags[b"a"].lower().startswith(kind + b"-")
        or b"sha256" not in tags.get(b"h", b"sha256").lower()
        or not {b"*", b"email"} & {service.strip() for service in tags.get(b"s", b"*").lower().split(b":")}
        or b"y" in flags  # only being tried out: as if not signed
        or (b"s" in flags and identity not in (b"", signature.domain.encode()))
    ):
        return None
    try:
        encoded = _decoded(tags[b"p"])
        key = Ed25519PublicKey.from_public_bytes(encoded) if kind == b"ed25519" else load_der_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, RSAPublicKey):
        return key if MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS else None
    return key if isinstance(key, Ed25519PublicKey) else None


def _decoded(value: bytes) -> bytes:
    """Base64 with white space anywhere; b"" for what is none, which fits nothing."""
    try:
        return base64.b64decode(b"".join(value.split()), validate=True)
    except binascii.Error:
        return b""


def _body(body: bytes, *, is_relaxed: bool) -> bytes:
    """The body as it was hashed (RFC 6376 §3.4.3, §3.4.4), in time linear in its length."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    if is_relaxed:
        body = _single_spaced(body).replace(b" \r\n", b"\r\n")
    # Empty lines at the end do not count. A bare CR among them is no line end: only what stands below it goes.
    end = max(len(body.rstrip(b"\r\n")), body.rfind(b"\r\r") + 1)
    return body[:end] + b"\r\n" if end or not is_relaxed else b""


def _single_spaced(text: bytes) -> bytes:
    """Each run of blanks as one space; halving runs costs no memory for each of millions of matches."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _signed_header(mail: SignedMail, signature: Signature, *, is_relaxed: bool) -> bytes:
    """The headers that were hashed, the signature itself last and without its value (RFC 6376 §3.7)."""
    left: dict[bytes, list[bytes]] = {}
    for name, field in mail.fields:
        left.setdefault(name, []).append(field)
    # Of several with one name the lowest is taken first; one named in vain counts as empty.
    chosen = [left[name].pop() for name in _signed_names(signature.tags) if left.get(name)]
    prepared = [_header(field, is_relaxed=is_relaxed) + b"\r\n" for field in chosen]
    return b"".join(prepared) + _header(_without_value(signature.field), is_relaxed=is_relaxed)


def _header(field: bytes, *, is_relaxed: bool) -> bytes:
    if not is_relaxed:
        return field
    name, _, value = field.partition(b":")
    return name.strip(b" \t").lower() + b":" + _single_spaced(value.replace(b"\r\n", b"")).strip(b" ")


def _without_value(field: bytes) -> bytes:
    name, colon, text = field.partition(b":")
    parts = text.split(b";")
    kept = [part.partition(b"=")[0] + b"=" if part.partition(b"=")[0].strip() == b"b" else part for part in parts]
    return name + colon + b";".join(kept)
