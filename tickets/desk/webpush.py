"""Web Push: a message encrypted for one browser (RFC 8291, RFC 8188), signed by us (RFC 8292), posted to its service.

Our keys are made from SECRET_KEY, so there is nothing to install and nothing to keep. With a new SECRET_KEY browsers
subscribe again by themselves as soon as the desk is opened in them (`push.js`).
"""

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import guarded_client
from helpdesk.events.safe_text import one_line

# What every service takes (RFC 8030 §7.2); ours are far smaller.
LARGEST: Final = 3000
SECONDS_KEPT: Final = 4 * 3600
_TOKEN_LASTS: Final = timedelta(hours=12)
_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PURPOSE: Final = b"helpdesk.web-push:"


class Gone(NeverRetry):
    """The browser has unsubscribed: 404 or 410 (RFC 8030 §7.3)."""


class BadKeys(ValueError):
    """These are not a browser's keys."""


def public_key() -> str:
    """Our key as browsers take it: an uncompressed point in base64url."""
    return encode(_point(_private_key().public_key()))


def check_keys(p256dh: str, auth: str) -> None:
    """Raises BadKeys unless a message can be encrypted for them."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decode(p256dh))
        secret = decode(auth)
    except ValueError as error:
        raise BadKeys("these are not a browser's keys") from error
    if len(secret) != 16:
        raise BadKeys("the secret of a subscription has 16 bytes")


def send(
    endpoint: str,
    p256dh: str,
    auth: str,
    message: Mapping[str, Any],
    *,
    topic: str,
    at: datetime,
    allowed: Sequence[IPv4Network | IPv6Network] = (),
) -> None:
    """Post one message. `topic` (at most 32 letters of base64url) lets a newer one replace it while it waits. Raises
    Gone, RetryLater, NeverRetry. Only public addresses are called, unless they are `allowed`.
    """
    body = encrypt(json.dumps(message).encode(), p256dh, auth)
    headers = {
        "TTL": str(SECONDS_KEPT),
        "Urgency": "high",
        "Topic": topic,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "Authorization": f"vapid t={_token(endpoint, at)}, k={public_key()}",
    }
    status, said = asyncio.run(_post(endpoint, body, headers, allowed))
    if status in (404, 410):
        raise Gone(f"the push service says {status}")
    if status == 429 or status >= 500:
        raise RetryLater(f"the push service says {status}: {said}")
    if not 200 <= status < 300:
        raise NeverRetry(f"the push service says {status}: {said}")


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[IPv4Network | IPv6Network]
) -> tuple[int, str]:
    async with guarded_client(allowed=allowed, https_only=not allowed) as client:
        try:
            response = await client.post(url, content=body, headers=dict(headers))
        except httpx.InvalidURL as error:
            raise NeverRetry("this is no address of a push service") from error
        except httpx.HTTPError as error:
            raise RetryLater(f"the push service was not reached: {type(error).__name__}") from error
    return response.status_code, one_line(response.text, 200)


def encrypt(plain: bytes, p256dh: str, auth: str, *, salt: bytes | None = None, key: Any = None) -> bytes:
    """RFC 8291 §3.4: one record of RFC 8188. `salt` and our one-time `key` are given by tests alone. Raises BadKeys."""
    check_keys(p256dh, auth)
    if len(plain) > LARGEST:
        raise ValueError("too long for a push")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decode(p256dh))
    ours = key or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(16)
    own = _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), theirs)
    secret = _derive(shared, decode(auth), b"WebPush: info\0" + decode(p256dh) + own, 32)
    content_key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + (4096).to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _token(endpoint: str, at: datetime) -> str:
    """RFC 8292 §2: who sends, to which service, until when; signed by ES256."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((at + _TOKEN_LASTS).timestamp()),
        "sub": settings.PUBLIC_URL if settings.SECURE else f"mailto:helpdesk@{settings.MAIL_DOMAIN}",
    }
    head = b'{"typ":"JWT","alg":"ES256"}'
    signed = f"{encode(head)}.{encode(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(_private_key().sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _private_key() -> ec.EllipticCurvePrivateKey:
    return _made_from(settings.SECRET_KEY)


@cache
def _made_from(secret_key: str) -> ec.EllipticCurvePrivateKey:
    # 512 bits, so that the remainder favours no number.
    seed = hashlib.sha512(_PURPOSE + secret_key.encode()).digest()
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, _CURVE)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
