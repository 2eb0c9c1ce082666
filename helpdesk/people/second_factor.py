"""Second factors: kept encrypted, and asked of everybody where the admin wants one."""

import secrets
from base64 import b32encode
from collections.abc import Callable
from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from helpdesk.customers.company import names
from helpdesk.customers.models import User
from helpdesk.events import secrets as kept_secrets

# In the session of somebody who logged in without the second factor that is required.
MISSING: Final = "second_factor_missing"
# Where such a session may go: to set one up, or to leave.
_WAYS: Final = ("/accounts/", "/desk/logout/", "/desk/login/")


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def encrypt(self, text: str) -> str:
        return kept_secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Under a SECRET_KEY we no longer have, a secret that no code fits."""
        try:
            return kept_secrets.decrypt(encrypted_text)
        except kept_secrets.SecretUnreadable:
            return b32encode(secrets.token_bytes(20)).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        others = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(pk=authenticator.pk)
        return not settings.REQUIRE_SECOND_FACTOR or others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()

    def _get_site_name(self) -> str:
        """What authenticator apps and passkeys call this place."""
        return names()[0] or settings.MFA_TOTP_ISSUER

    def get_totp_issuer(self) -> str:
        return self._get_site_name()


def has_one(agent: User) -> bool:
    """Whether this agent has a second factor; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=agent).exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def note_login(session: SessionBase, agent: User) -> None:
    """Remember in a new session that the required second factor has to be set up first."""
    if settings.REQUIRE_SECOND_FACTOR and not has_one(agent):
        session[MISSING] = True


class SecondFactorMiddleware:
    """Leads whoever lacks the required second factor to the page where one is set up; nothing else opens for them.

    The session says who that is, so that no page asks the database for it. Unused while nothing is required.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REQUIRE_SECOND_FACTOR:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request) if _may_pass(request) else _led_away(request)


def _may_pass(request: HttpRequest) -> bool:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(_WAYS):
        return True
    if not request.session.get(MISSING):
        return True
    if isinstance(request.user, User) and not has_one(request.user):
        return False
    del request.session[MISSING]
    return True


def _led_away(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/") or request.headers.get("HX-Request"):
        return HttpResponse(status=403)
    return HttpResponseRedirect(reverse("mfa_index"))
