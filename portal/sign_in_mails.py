"""Mails about signing in: the link and the code; that somebody came in from a new browser."""

from datetime import datetime
from typing import Final

from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.customers import mail_choices
from helpdesk.customers.models import Customer, CustomerSession
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email
from portal import letters
from portal.models import SignIn
from portal.sign_in import LASTS, code_of, link_token

CAME_IN: Final = "portal.came_in_anew"
"""A customer signed in from a browser that was not seen before: {customer, browser, remote}."""


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


def note_browser(customer: Customer, request: HttpRequest, *, at: datetime) -> None:
    """Tell the customer of a sign-in from a browser unlike all that they are signed in with; of the first one not."""
    browser = request.META.get("HTTP_USER_AGENT", "")[:300]
    known = CustomerSession.objects.filter(customer=customer, ends_at__gt=at)
    is_new = known.exists() and not known.filter(user_agent=browser).exists()
    if is_new and customer.email and mail_choices.wants(customer, mail_choices.SIGN_IN):
        remote = request.META.get("REMOTE_ADDR", "")[:45]
        data = {"customer": customer.pk, "browser": browser, "remote": remote}
        with transaction.atomic():
            record(Fact(CAME_IN, None, CUSTOMER, data=data), at=at)


@outside
def tell_of_browser(event: Event, at: datetime) -> None:
    """The handler of `portal.came_in_anew`."""
    customer = Customer.objects.filter(pk=event.data["customer"]).exclude(email="").first()
    if customer is None:
        return
    with override(customer.language or "en"):
        given = {
            "browser": one_line(event.data["browser"], 120) or "?",
            "remote": event.data["remote"],
            "url": letters.address_of(reverse("portal:account")),
        }
        subject, key = _("A new sign-in"), f"came-in.{event.pk}"
        send_email(letters.made(letters.Letter(customer.email, subject, "signed_in.txt", key, event.at, given)))
