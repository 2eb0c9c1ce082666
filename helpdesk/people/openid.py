"""OpenID Connect by the authorization code flow with PKCE, checked in full: signature, issuer, audience, times, nonce.

allauth trusts the token endpoint's TLS and asks for no nonce; here a stolen code, a mixed-up provider or a proxy that
opens TLS lets nobody in. OpenID Connect Core 1.0 §3.1.3.7, Discovery 1.0 §4.3.
"""

import secrets
from typing import Any, Final

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from requests import RequestException

PROVIDER: Final = "sso"
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS: Final = 60
NEEDED: Final = ("iss", "sub", "aud", "exp", "iat")


class CheckedProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    def get_oauth2_adapter(self, request: HttpRequest) -> "CheckedAdapter":
        return CheckedAdapter(request, PROVIDER)

    def redirect(self, request: HttpRequest, process: str, next_url: str | None = None, **kwargs: Any) -> HttpResponse:
        """To the provider. The nonce waits in the session, beside the state and PKCE's verifier."""
        nonce = secrets.token_urlsafe(24)
        answer: HttpResponse = super().redirect(request, process, next_url, nonce=nonce, auth_params={"nonce": nonce})
        return answer


class CheckedAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    def get_provider(self) -> CheckedProvider:
        if not settings.OIDC_SERVER_URL:
            raise SocialApp.DoesNotExist
        return CheckedProvider(self.request, app=get_adapter().get_app(self.request, provider=self.provider_id))

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.PUBLIC_URL}{reverse('single_sign_on_callback')}"

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's own description. Raises OAuth2Error where it is somebody else's, or none."""
        try:
            config: dict[str, Any] = super().openid_config
            issuer = config["issuer"].rstrip("/")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, RequestException):
                raise
            raise OAuth2Error("the provider's description cannot be read") from error
        if "/.well-known/" not in settings.OIDC_SERVER_URL and issuer != settings.OIDC_SERVER_URL:
            raise OAuth2Error(f"the provider calls itself {issuer}")
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """The login that the answer of the token endpoint speaks of. Raises OAuth2Error, RequestException."""
        try:
            claims = self._claims(app, kwargs["response"]["id_token"])
            if "email" not in claims or not (settings.OIDC_TRUST_EMAIL or "email_verified" in claims):
                claims = self._completed(claims, token.token)
            return self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, RequestException):
                raise
            raise OAuth2Error(f"no valid ID token: {error!r}") from error

    def _claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(id_token)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=self._key(header),
            # The token's word for its algorithm counts only within what the key may be used for.
            algorithms=ALGORITHMS,
            audience=app.client_id,
            issuer=self.openid_config["issuer"],
            leeway=LEEWAY_SECONDS,
            options={"require": list(NEEDED)},
        )
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("the token is for somebody else (azp)")
        return claims

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = [key for key in answer.json()["keys"] if key.get("use", "sig") == "sig"]
        named = [key for key in keys if key.get("kid") == header.get("kid")] if "kid" in header else keys
        if len(named) != 1:
            raise OAuth2Error("the provider has no such key")
        if named[0].get("kty") == "oct":
            raise OAuth2Error("a shared key signs nothing here")
        return jwt.PyJWK(named[0], algorithm=named[0].get("alg") or header["alg"])

    def _completed(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """With what the userinfo endpoint adds, if it speaks of the same person (§5.3.2)."""
        if "userinfo_endpoint" not in self.openid_config:
            return claims
        info = self._fetch_user_info(access_token)
        if info.get("sub") != claims["sub"]:
            raise OAuth2Error("the provider speaks of two people")
        return {**{key: info[key] for key in ("email", "email_verified", "name") if key in info}, **claims}
