"""Signs mails for the tests, by another's hand: dkimpy."""

import base64
import functools
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

Canonical = tuple[bytes, bytes]


def key(bits: int = 2048) -> tuple[bytes, str]:
    """A private key in PEM, and its DNS record; the same all through a run."""
    return _made(bits)


@functools.cache
def _made(bits: int) -> tuple[bytes, str]:
    made = rsa.generate_private_key(65537, bits)
    public = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(
    raw: bytes, domain: str, canonical: Canonical = (b"relaxed", b"relaxed"), bits: int = 2048, **more: Any
) -> bytes:
    """The mail with a DKIM-Signature of `sel._domainkey.DOMAIN` on top."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    header = dkim.sign(raw, b"sel", domain.encode(), key(bits)[0], canonicalize=canonical, **more)
    return bytes(header) + raw
