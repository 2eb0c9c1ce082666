"""Is this request really from the provider? Pure, in constant time, and closed when anything is missing.

Every function takes the raw body exactly as received, before any parsing, and answers only yes or no. An empty secret
never matches: a hook whose secret is not configured must not be open.
"""

import hashlib
import hmac
from datetime import datetime

SLACK_WINDOW_SECONDS = 300
_LONGEST_HEADER = 4096  # 60 PagerDuty signatures; a rotation has two


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


def _same(expected: str, received: str) -> bool:
    # As bytes, because compare_digest raises on a str that is not ASCII, and a header may hold anything.
    return hmac.compare_digest(expected.encode(), received.encode("utf-8", "replace"))
