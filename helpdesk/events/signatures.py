"""Is this request really from the provider? Pure, in constant time, and closed when anything is missing.

Every function takes the raw body exactly as received, before any parsing, and answers only yes or no. An empty secret
never matches: a hook whose secret is not configured must not be open.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

SLACK_WINDOW_SECONDS = 300
_LONGEST_HEADER = 4096  # 60 PagerDuty signatures; a rotation has two
_DEFAULT_PORTS = {"https": "443", "http": "80"}


def pagerduty_v3(secret: str, raw: bytes, header: str | None) -> bool:
    """`X-PagerDuty-Signature`: `v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 of the raw body; one matching v1 is enough.

    Several signatures are sent while a secret is being rotated; versions other than v1 are ignored.
    Source: PagerDuty developer docs, webhooks v3, "Verifying Signatures".
    """
    if not secret or not raw or not header or len(header) > _LONGEST_HEADER:
        return False
    expected = "v1=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    matches = [_same(expected, signature.strip()) for signature in header.split(",")]
    return any(matches)


def slack_v0(secret: str, raw: bytes, timestamp: str | None, signature: str | None, now: datetime) -> bool:
    """`X-Slack-Signature`: `v0=<hex>`, HMAC-SHA256 of `v0:{X-Slack-Request-Timestamp}:{raw body}`.

    The timestamp (seconds since 1970) may differ from `now` by five minutes at most, which bounds replays.
    Source: docs.slack.dev, "Verifying requests from Slack".
    """
    if not secret or not timestamp or not signature or len(signature) > _LONGEST_HEADER:
        return False
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > SLACK_WINDOW_SECONDS:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + raw
    return _same("v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), signature)


def twilio(token: str, url: str, form: Sequence[tuple[str, str]] | None, raw: bytes, header: str | None) -> bool:
    """`X-Twilio-Signature`: base64 of HMAC-SHA1 of the URL as called, with the form's names and values behind, sorted
    and each pair once. `form` is None for a body that is no form; its SHA-256 is in the query then (`bodySHA256`).

    Twilio signs with and without the port, and either form of an apostrophe, depending on the product.
    Source: twilio.com/docs/usage/webhooks/webhooks-security, and the validators of twilio-python and twilio-node.
    """
    if not token or not header or len(header) > _LONGEST_HEADER:
        return False
    behind = "" if form is None else "".join(name + value for name, value in sorted(set(form)))
    matches = []
    for address in _as_signed(url):
        signed = (address + behind).encode("utf-8", "replace")
        expected = base64.b64encode(hmac.new(token.encode(), signed, hashlib.sha1).digest())
        matches.append(_same(expected.decode(), header))
    return any(matches) and (form is not None or _holds(url, raw))


def _as_signed(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    before, rest = f"{parts.scheme}://", url[len(f"{parts.scheme}://{parts.netloc}") :]
    user, at, host = parts.netloc.rpartition("@")
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        name, port = host, _DEFAULT_PORTS.get(parts.scheme, "")
    for netloc in (f"{user}{at}{name}", f"{user}{at}{name}:{port}"):
        yield before + netloc + rest
        if "'" in rest:
            yield before + netloc + rest.replace("'", "%27")


def _holds(url: str, raw: bytes) -> bool:
    """Whether the query names the digest of this very body."""
    named = parse_qs(urlsplit(url).query, max_num_fields=100).get("bodySHA256", [""])
    return _same(hashlib.sha256(raw).hexdigest(), named[0].lower())


def _same(expected: str, received: str) -> bool:
    # As bytes, because compare_digest raises on a str that is not ASCII, and a header may hold anything.
    return hmac.compare_digest(expected.encode(), received.encode("utf-8", "replace"))
