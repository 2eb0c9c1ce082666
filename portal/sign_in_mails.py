"""The mail with the link and the code."""

from datetime import datetime

from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.sending_mail import send_email
from portal import letters
from portal.models import SignIn
from portal.sign_in import LASTS, code_of, link_token


@outside
def send(event: Event, at: datetime) -> None:
    """The handler of `portal.sign_in_asked`. A stranger's address gets nothing."""
    row = SignIn.objects.select_related("customer").filter(pk=event.data["sign_in"], used_at=None).first()
    if row is not None and row.customer is not None and row.ends_at > at:
        send_email(mail(row))


def mail(row: SignIn) -> EmailMessage:
    assert row.customer is not None, "strangers are not written to"
    with override(row.customer.language or row.language or "en"):
        code = code_of(row)
        given = {
            "url": letters.address_of(reverse("portal:link", args=[link_token(row)])),
            "code": f"{code[:3]} {code[3:]}",
            "minutes": int(LASTS.total_seconds()) // 60,
        }
        subject = _("Sign in to %(company)s: %(code)s") % {"company": letters.company(), "code": given["code"]}
        key = f"sign-in.{row.pk}"
        return letters.made(letters.Letter(row.address, subject, "sign_in.txt", key, row.asked_at, given))
