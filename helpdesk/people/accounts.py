"""What allauth asks about accounts: nobody signs up, agents are told of changes through the outbox."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.models import User
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.safe_text import one_line
from helpdesk.people import actions as people
from helpdesk.people import mails, second_factor, sessions

NOWHERE = "0.0.0.0"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not correct."),
        "too_many_login_attempts": _("Too many failed attempts. Please try again in some minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Behind a unix socket without a proxy's header nobody knows it; logging in works all the same."""
        if not request.META.get("REMOTE_ADDR") and not request.headers.get("X-Forwarded-For"):
            return NOWHERE
        return str(super().get_client_ip(request))

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        second_factor.note_login(request.session, user)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """The same words as for a wrong password: whether an address was an agent's is nobody's business."""
        self.add_message(request, messages.ERROR, message=str(self.error_messages["email_password_mismatch"]))
        return redirect("login")

    def set_password(self, user: User, password: str) -> None:
        """A new password ends the agent's other sessions, and a lock of the old one."""
        super().set_password(user, password)
        sessions.end_others(user, current.request.session.session_key)
        self._delete_login_attempts_cached_email(current.request, email=user.email)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        what = template_prefix.rpartition("/")[2]
        if what not in mails.CHANGES:
            return
        request = current.request
        if what in ("webauthn_removed", "totp_deactivated"):
            second_factor.note_login(request.session, user)
        where = {
            "ip": self.get_client_ip(request),
            "browser": one_line(sessions.browser(request.META.get("HTTP_USER_AGENT", "")), 100),
        }
        actor = Actor.agent(user) if request.user.is_authenticated else SYSTEM
        people.note_login_change(user, what, where, actor=actor, at=timezone.now())
