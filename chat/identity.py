"""Who a visitor is: what the page's server has signed, as a JWT or, for sites that cannot make one, as an HMAC.

An address alone proves nothing: without a signature a visitor stays a stranger who names an address.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.models import Widget
from helpdesk.events import secrets
from helpdesk.events.safe_text import one_line, storable

# A token is handed over once, right after it was made.
LONGEST_SECONDS: Final = 15 * 60
LEEWAY_SECONDS: Final = 30
LONGEST_TOKEN: Final = 8 * 1024
ALGORITHM: Final = "HS256"


class NotSigned(ValueError):
    """The signature does not hold; `args[0]` says why, for the developer of the page."""


class UsedBefore(NotSigned):
    """The token has opened a session already, and names itself (`jti`) so that it opens no other."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A user of the page, by the page's own id. `is_id_only`: nothing but the id is vouched for. `token_id` is a JWT's
    own id, empty without one; the token holds until `expires_at`.
    """

    subject: str
    email: str = ""
    name: str = ""
    is_id_only: bool = False
    token_id: str = ""
    expires_at: datetime | None = None


def read(widget: Widget, user: object) -> Signed | None:
    """What `user` of a session request proves: a JWT (RFC 7519), `{"jwt": …}`, or `{"id": …, "hash": …}`; None for
    nobody. Raises NotSigned.
    """
    if user is None:
        return None
    if isinstance(user, str):
        return _from_jwt(widget, user)
    if isinstance(user, Mapping) and isinstance(user.get("jwt"), str):
        return _from_jwt(widget, user["jwt"])
    if isinstance(user, Mapping) and "hash" in user:
        return _from_hash(widget, user)
    raise NotSigned("user is a JWT, an object with id and hash, or null")


def _from_jwt(widget: Widget, token: str) -> Signed:
    if len(token) > LONGEST_TOKEN:
        raise NotSigned("the token is too long")
    try:
        key = _key(widget, jwt.get_unverified_header(token).get("kid"))
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=widget.key,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub", "aud"]},
        )
    except jwt.InvalidTokenError as error:
        raise NotSigned(f"the token does not hold: {error}") from error
    if claims["exp"] - claims["iat"] > LONGEST_SECONDS:
        raise NotSigned(f"a token may be good for {LONGEST_SECONDS // 60} minutes")
    return Signed(
        subject=_subject(_text(claims, "sub", 200)),
        email=_email(_text(claims, "email", 320)),
        name=one_line(_text(claims, "name", 200), 200),
        token_id=_text(claims, "jti", 200),
        expires_at=datetime.fromtimestamp(claims["exp"] + LEEWAY_SECONDS, UTC),
    )


def _key(widget: Widget, kid: object) -> str:
    known = {secret.kid: secret.sealed for secret in widget.secrets.all()}
    if kid is None and len(known) == 1:
        return secrets.decrypt(next(iter(known.values())))
    if not isinstance(kid, str) or kid not in known:
        raise NotSigned("the token's header names no secret of this widget (kid)")
    return secrets.decrypt(known[kid])


def _from_hash(widget: Widget, user: Mapping[str, Any]) -> Signed:
    given = user.get("hash")
    if not isinstance(given, str) or not isinstance(user.get("id"), str):
        raise NotSigned("id and hash are texts")
    subject = _subject(_text(user, "id", 200))
    for secret in widget.secrets.all():
        expected = hmac.new(secrets.decrypt(secret.sealed).encode(), user["id"].encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(expected.encode(), given.lower().encode()):
            return Signed(subject, is_id_only=True)
    raise NotSigned("the hash does not hold")


def _text(claims: Mapping[str, Any], name: str, longest: int) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise NotSigned(f"{name} is a text of at most {longest} characters")
    if name != "name" and storable(value, longest) != value:
        raise NotSigned(f"{name} has characters that nothing can keep")
    return value.strip()


def _subject(text: str) -> str:
    if not text:
        raise NotSigned("the user's id is empty")
    return text


def _email(text: str) -> str:
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise NotSigned("email is no address") from None
    return text.lower()
