"""Who may come in by single sign-on: agents by their verified address, from then on by their id at the provider."""

import hmac
import logging
from datetime import datetime
from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from helpdesk.customers.models import User
from helpdesk.people import actions as people

logger = logging.getLogger(__name__)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Ties a first login to its agent. Raises PermissionDenied, which shows a page that tells nothing."""
        claims = sociallogin.account.extra_data["id_token"]
        asked, told = sociallogin.state.get("nonce"), claims.get("nonce")
        if not asked or not isinstance(told, str) or not hmac.compare_digest(asked.encode(), told.encode()):
            raise PermissionDenied("the token does not answer this login (nonce)")
        if sociallogin.is_existing:
            return
        agent = agent_of(claims, at=timezone.now())
        sociallogin.user = sociallogin.account.user = agent
        sociallogin.account.save()

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        logger.warning("single sign-on refused: %s %s", error or "", exception or "")


@transaction.atomic
def agent_of(claims: dict[str, Any], *, at: datetime) -> User:
    """The agent these verified claims speak of; made now where OIDC_CREATE_AGENTS says so. Raises PermissionDenied.

    An agent tied to another id at the provider is refused: addresses are given to new people, ids are not (OpenID
    Connect Core 1.0 §5.7).
    """
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or len(email) > 254 or "\x00" in email:
        raise PermissionDenied("the provider told no address")
    if not (settings.OIDC_TRUST_EMAIL or _is_verified(claims)):
        raise PermissionDenied(f"the provider has not verified {email}")
    agent = User.objects.select_for_update().filter(email__iexact=email.strip()).first()
    if agent is None and settings.OIDC_CREATE_AGENTS:
        name = claims.get("name")
        agent = people.admit_agent(email, name[:120] if isinstance(name, str) else "", at=at)
    if agent is None or not agent.is_active:
        raise PermissionDenied(f"{email} is no active agent")
    if SocialAccount.objects.filter(user=agent).exists():
        raise PermissionDenied(f"{email} is tied to another id at the provider: reset the agent's login first")
    return agent


def _is_verified(claims: dict[str, Any]) -> bool:
    """Some providers write the claim as a word (OpenID Connect Core 1.0 §5.1 has a boolean)."""
    told = claims.get("email_verified")
    return told is True or told == "true"
