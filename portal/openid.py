"""Single sign-on for customers by OpenID Connect: authorization code with PKCE, and everything in the ID token checked.

Off until CUSTOMER_OIDC_SERVER_URL names a provider. OpenID Connect Core 1.0 §3.1.3.7, Discovery 1.0 §4.3, RFC 7636.
What the browser must bring back waits in a signed cookie of ten minutes: state, nonce and PKCE's verifier.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import jwt
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from helpdesk.customers import actions as customers
from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.provider_calls import Answer, call, provider_client
from portal.models import Subject

COOKIE: Final = "customer_oidc"
COOKIE_SECONDS: Final = 600
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS: Final = 60
LONGEST_ANSWER: Final = 1024 * 1024
_SALT: Final = "portal.openid"


class Refused(ValueError):
    """Nobody comes in by this; `args[0]` says why, for the log and for nobody else."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where to send the browser, and what it must keep meanwhile."""

    url: str
    cookie: str


def name() -> str:
    """What the provider is called on the button; "" where there is none."""
    return settings.CUSTOMER_OIDC_NAME if settings.CUSTOMER_OIDC_SERVER_URL else ""


def leave(goes_to: str) -> Leaving:
    """Begin. Raises Refused where the provider cannot be reached or is not who it says."""
    state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": settings.CUSTOMER_OIDC_CLIENT_ID,
        "redirect_uri": _callback(),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    cookie = signing.dumps([state, nonce, verifier, goes_to], salt=_SALT)
    return Leaving(f"{_config()['authorization_endpoint']}?{urlencode(asked)}", cookie)


def come_back(cookie: str, state: str, code: str, *, at: datetime) -> tuple[Customer, str]:
    """The customer whom the provider speaks of, and where they wanted to go. Raises Refused."""
    try:
        kept_state, nonce, verifier, goes_to = signing.loads(cookie[:4000], salt=_SALT, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise Refused("no login was begun here") from error
    if not code or not hmac.compare_digest(kept_state.encode(), state.encode()):
        raise Refused("the answer is for another login (state)")
    config = _config()
    claims = _claims(_exchange(config, code[:4000], verifier), config)
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(nonce.encode(), told.encode()):
        raise Refused("the token does not answer this login (nonce)")
    return customer_behind(claims, at=at), goes_to


@transaction.atomic
def customer_behind(claims: dict[str, Any], *, at: datetime) -> Customer:
    """Who these checked claims speak of: by the provider's id, on the first time by the verified address; made now
    where CUSTOMER_OIDC_CREATE_CUSTOMERS says so. Raises Refused.
    """
    issuer, subject = str(claims["iss"])[:300], claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\x00" in subject:
        raise Refused("the provider told no usable id")
    tie = Subject.objects.select_related("customer").filter(issuer=issuer, name=subject).first()
    customer = tie.customer if tie is not None else _first_time(claims, at)
    if customer.blocked_at is not None:
        raise Refused("this customer is blocked")
    if tie is None:
        if Subject.objects.filter(customer=customer).exists():
            raise Refused("this customer is tied to another id at the provider")
        # Two tabs may come back at once.
        Subject.objects.get_or_create(issuer=issuer, name=subject, defaults={"customer": customer})
    return customer


def _first_time(claims: dict[str, Any], at: datetime) -> Customer:
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or len(email) > 254 or "\x00" in email:
        raise Refused("the provider told no address")
    if claims.get("email_verified") not in (True, "true"):
        raise Refused("the provider has not verified the address")
    customer = customer_of("email", email.strip().lower())
    if customer is None and settings.CUSTOMER_OIDC_CREATE_CUSTOMERS:
        told = claims.get("name")
        customer = customers.find_or_create_customer("email", email, told if isinstance(told, str) else "", at=at)
    if customer is None:
        raise Refused("no customer has this address")
    return customer


def _callback() -> str:
    return f"{settings.PUBLIC_URL}{reverse('portal:oidc_callback')}"


def _config() -> dict[str, Any]:
    config = _answer("GET", f"{settings.CUSTOMER_OIDC_SERVER_URL}/.well-known/openid-configuration")
    if str(config.get("issuer", "")).rstrip("/") != settings.CUSTOMER_OIDC_SERVER_URL:
        raise Refused(f"the provider calls itself {config.get('issuer')!r}")
    for needed in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not str(config.get(needed, "")).startswith(("https://", "http://")):
            raise Refused(f"the provider names no {needed}")
    return config


def _exchange(config: dict[str, Any], code: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _callback(),
        "client_id": settings.CUSTOMER_OIDC_CLIENT_ID,
        "client_secret": settings.CUSTOMER_OIDC_CLIENT_SECRET,
        "code_verifier": verifier,
    }
    token = _answer("POST", config["token_endpoint"], form).get("id_token")
    if not isinstance(token, str):
        raise Refused("the provider gave no ID token")
    return token


def _claims(token: str, config: dict[str, Any]) -> dict[str, Any]:
    try:
        key = _key(config, jwt.get_unverified_header(token))
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            # The token's word for its algorithm counts only within what the key may be used for.
            algorithms=ALGORITHMS,
            audience=settings.CUSTOMER_OIDC_CLIENT_ID,
            issuer=config["issuer"],
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(f"no valid ID token: {error!r}") from error
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != settings.CUSTOMER_OIDC_CLIENT_ID:
        raise Refused("the token is for somebody else (azp)")
    return claims


def _key(config: dict[str, Any], header: dict[str, Any]) -> jwt.PyJWK:
    keys = [key for key in _answer("GET", config["jwks_uri"])["keys"] if key.get("use", "sig") == "sig"]
    named = [key for key in keys if key.get("kid") == header.get("kid")] if "kid" in header else keys
    if len(named) != 1:
        raise Refused("the provider has no such key")
    if named[0].get("kty") == "oct":
        raise Refused("a shared key signs nothing here")
    return jwt.PyJWK(named[0], algorithm=named[0].get("alg") or header["alg"])


def _answer(method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """The provider's JSON. Raises Refused."""
    try:
        answer = async_to_sync(_call)(method, url, form)
    except DeliveryError as error:
        raise Refused(f"the provider did not answer: {error.reason}") from error
    found = answer.json()
    if not 200 <= answer.status < 300 or not found:
        raise Refused(f"the provider's answer cannot be read (status {answer.status})")
    return found


async def _call(method: str, url: str, form: dict[str, str] | None) -> Answer:
    headers, content = {"Accept": "application/json"}, None
    if form is not None:
        headers["Content-Type"], content = "application/x-www-form-urlencoded", urlencode(form).encode()
    async with provider_client() as client:
        return await call(client, method, url, headers, content=content, largest=LONGEST_ANSWER)
