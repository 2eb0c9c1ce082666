"""What Facebook and WhatsApp share: the webhook's handshake and signature, the Graph API's errors.

Sources: developers.facebook.com/docs/graph-api/webhooks/getting-started, /docs/graph-api/guides/error-handling,
/docs/graph-api/guides/secure-requests.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.payloads import as_dict
from helpdesk.events.provider_calls import Answer
from social import calls
from social.network import Connection, TokenDead, Unreachable, WindowClosed

VERSION: Final = "v25.0"
SIGNATURE_HEADER: Final = "x-hub-signature-256"
_RATE: Final = frozenset({4, 17, 32, 613, 80001, 80007, 130429, 131048, 131056})
_WINDOW: Final = frozenset({131047})
_WINDOW_SUBCODES: Final = frozenset({2018278, 2534022})
_GONE: Final = frozenset({551, 131026, 131050})


def is_genuine(connection: Connection, body: bytes, headers: Mapping[str, str]) -> bool:
    """HMAC-SHA256 of the bytes as they were sent; the older SHA-1 header is never believed."""
    secret, given = connection.secrets.get("app_secret", ""), headers.get(SIGNATURE_HEADER, "")
    return bool(secret and given) and hmac.compare_digest(signature(secret, body).encode(), given.encode())


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def challenge(connection: Connection, query: Mapping[str, str]) -> str | None:
    """The handshake: our own word given back to us; a word that is not set never matches."""
    wanted, given = connection.secrets.get("verify_token", ""), query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not wanted or not given:
        return None
    return query.get("hub.challenge", "")[:200] if hmac.compare_digest(wanted.encode(), given.encode()) else None


def path(connection: Connection, rest: str) -> str:
    """Below the version of the Graph API that the account is set to."""
    return f"/{connection.options.get('version') or VERSION}/{rest}"


def proof(connection: Connection, token: str) -> str:
    """`appsecret_proof`: that whoever calls with the token has the app's secret as well."""
    return hmac.new(connection.secrets.get("app_secret", "").encode(), token.encode(), hashlib.sha256).hexdigest()


def ok(answer: Answer) -> dict[str, Any]:
    """The answer's object. Raises what its error's code stands for, whatever its words say."""
    body = answer.json()
    if answer.status < 300 and "error" not in body:
        return body
    raise _refused(answer, as_dict(body.get("error")))


def _refused(answer: Answer, error: Mapping[str, Any]) -> DeliveryError:
    code, subcode = error.get("code"), error.get("error_subcode")
    words = str(error.get("message", ""))[:200]
    if code == 190 or code == 102:
        return TokenDead(words or "the token is not accepted any more")
    if code in _RATE:
        return RetryLater(words or "too many calls", timedelta(minutes=5))
    if code in _WINDOW or subcode in _WINDOW_SUBCODES:
        return WindowClosed(words or "the time in which we may answer is over")
    if code in _GONE:
        return Unreachable(words or "the person cannot be written to")
    return calls.refusal(answer, words)
