"""The mails about logins: an invitation, a forgotten password, what changed."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Final

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.company import names
from helpdesk.customers.models import User
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line

CHANGES: Final[Mapping[str, Any]] = {
    "password_changed": gettext_lazy("Your password was changed."),
    "password_set": gettext_lazy("A password was set."),
    "password_reset": gettext_lazy("A new password was set by a link from a mail."),
    "totp_activated": gettext_lazy("An authenticator app was added."),
    "totp_deactivated": gettext_lazy("The authenticator app was removed."),
    "webauthn_added": gettext_lazy("A passkey was added."),
    "webauthn_removed": gettext_lazy("A passkey was removed."),
    "recovery_codes_generated": gettext_lazy("New recovery codes were made; the old ones no longer work."),
    "account_connected": gettext_lazy("Single sign-on was connected."),
    "password_given": gettext_lazy("An admin gave you a new password; all sessions ended."),
    "login_reset": gettext_lazy(
        "An admin reset your login: second factors and single sign-on are forgotten, all sessions ended. Your password "
        "is as it was."
    ),
}


def invitation(agent: User, event: Event) -> EmailMessage:
    """To a new agent, with a link to set the first password."""
    with translation.override(agent.language):
        who = event.actor.name if event.actor else ""
        invited = _("%(who)s has invited you to the helpdesk.") % {"who": who} if who else _("You are invited.")
        text = "\n\n".join((_hello(agent), invited, _("Set your password here:"), password_link(agent), _lasts()))
        return _mail(agent, event, _("Your invitation to the helpdesk"), text)


def reset(agent: User, event: Event) -> EmailMessage:
    """To an agent who forgot the password. The link works once."""
    with translation.override(agent.language):
        asked = _("Somebody, we hope you, asked for a new password. Set it here:")
        otherwise = _("If it was not you, do nothing: your password is as it was.")
        text = "\n\n".join((_hello(agent), asked, password_link(agent), _lasts(), otherwise))
        return _mail(agent, event, _("A new password"), text)


def login_change(agent: User, event: Event) -> EmailMessage:
    """To an agent whose login changed, by whomever."""
    with translation.override(agent.language):
        told = [_hello(agent), str(CHANGES[event.data["what"]]), _facts(event)]
        told.append(_("If it was not you, tell an admin at once, and set a new password here:"))
        told.append(settings.PUBLIC_URL + reverse("account_reset_password"))
        return _mail(agent, event, _("Your login has changed"), "\n\n".join(told))


def password_link(agent: User) -> str:
    """Good for PASSWORD_RESET_TIMEOUT seconds, and until the agent logs in or sets a password."""
    parts = {"uidb36": user_pk_to_url_str(agent), "key": default_token_generator.make_token(agent)}
    return f"{settings.PUBLIC_URL}{reverse('account_reset_password_from_key', kwargs=parts)}"


def _hello(agent: User) -> str:
    return _("Hello %(name)s,") % {"name": agent.name or agent.email}


def _lasts() -> str:
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    return _("The link works once, within %(days)d days.") % {"days": days}


def _facts(event: Event) -> str:
    facts = [(_("When"), f"{event.at:%Y-%m-%d %H:%M} UTC")]
    facts += [(_("From"), event.data.get("ip", "")), (_("Browser"), event.data.get("browser", ""))]
    return "\n".join(f"{name}: {value}" for name, value in facts if value)


def _mail(agent: User, event: Event, subject: str, text: str) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {
        # The same for every attempt at one event, so that a repeated send is seen as one mail.
        "Message-ID": f"<login-{event.pk}@{domain}>",
        # RFC 3834: nothing is to answer by itself; the second header says so to Exchange.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    name = names()[0]
    footer = f"\n\n-- \n{name}\n{settings.PUBLIC_URL}" if name else ""
    return EmailMessage(
        one_line(subject, 200), f"{text}{footer}\n", settings.DEFAULT_FROM_EMAIL, [agent.email], headers=headers
    )
