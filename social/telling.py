"""Admins are told by mail when an account needs somebody: its token is dead, or the day's money is spent."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from helpdesk.customers.models import User
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email
from social import connecting
from social.connecting_words import STATES
from social.models import Account

# What may pass by itself is shown and not mailed: a network that flickers would fill the mailbox.
TOLD_OF: Final = frozenset({Account.State.REAUTH_REQUIRED, Account.State.PAUSED})
TOLD_WITHIN: Final = timedelta(hours=6)


@outside
def tell_admins(event: Event, at: datetime) -> None:
    """The handler of `social.account_changed`; nothing where the account is another way again by now."""
    state, detail = event.data["state"], event.data["detail"]
    account = Account.objects.filter(pk=event.data["account"], state=state).first()
    if account is None or state not in TOLD_OF or detail == connecting.PAUSED_BY_HAND or at - event.at > TOLD_WITHIN:
        return
    for admin in User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk"):
        send_email(_letter(account, detail, admin, event))


def _letter(account: Account, detail: str, admin: User, event: Event) -> EmailMessage:
    with translation.override(admin.language):
        said: dict[str, Any] = {
            "name": account,
            "network": account.get_network_display(),
            "state": STATES[account.state][0],
        }
        address = settings.PUBLIC_URL + reverse("tickets:settings_social_edit", args=[account.pk])
        subject = _("%(name)s on %(network)s: %(state)s") % said
        text = [
            _("Hello %(name)s,") % {"name": admin.name or admin.email},
            _("the account %(name)s on %(network)s needs somebody: %(state)s.") % said,
            detail,
            _("Until then nothing is sent from it; what comes in by webhook is still taken.") + f"\n{address}",
        ]
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {
        # The same for every attempt at one event, so that a repeated send is seen as one mail.
        "Message-ID": f"<social-{event.pk}-{admin.pk}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    body = "\n\n".join(part for part in text if part)
    return EmailMessage(
        one_line(subject, 200), f"{body}\n", settings.DEFAULT_FROM_EMAIL, [admin.email], headers=headers
    )
