"""Mails about signing in: the link and the code; a new browser; another password."""

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
from helpdesk.people.sessions import browser
from portal import letters
from portal.models import SignIn
from portal.sign_in import LASTS, code_of, find_customer, link_token

CAME_IN: Final = "portal.came_in_anew"
"""A customer signed in from a browser that was not seen before: {session}."""


@outside
def send(event: Event, at: datetime) -> None:
    """The handler of `portal.sign_in_asked`. A stranger's address gets nothing."""
    row = find_customer(event.data["sign_in"])
    if row is not None and row.used_at is None and row.ends_at > at:
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


def is_new(customer: Customer, request: HttpRequest, *, at: datetime) -> bool:
    """Whether they are about to sign in from a browser unlike all that they are signed in with; the first is not."""
    known = CustomerSession.objects.filter(customer=customer, ends_at__gt=at)
    return known.exists() and not known.filter(user_agent=request.META.get("HTTP_USER_AGENT", "")[:300]).exists()


def note_new(session: CustomerSession | None, *, at: datetime) -> None:
    """Tell the customer of the sign-in, if they want to know. The event names the session, which is forgotten with its
    customer: where it was from stands there alone.
    """
    if session is not None and session.customer.email and mail_choices.wants(session.customer, mail_choices.SIGN_IN):
        with transaction.atomic():
            record(Fact(CAME_IN, None, CUSTOMER, data={"session": session.pk}), at=at)


@outside
def tell_of_browser(event: Event, at: datetime) -> None:
    """The handler of `portal.came_in_anew`; nothing where the session is over already."""
    session = CustomerSession.objects.select_related("customer").filter(pk=event.data["session"]).first()
    if session is None or not session.customer.email:
        return
    customer = session.customer
    with override(customer.language or "en"):
        given = {
            "browser": one_line(browser(session.user_agent), 120) or "?",
            "remote": session.remote,
            "url": letters.address_of(reverse("portal:account")),
        }
        subject, key = _("A new sign-in"), f"came-in.{event.pk}"
        send_email(letters.made(letters.Letter(customer.email, subject, "signed_in.txt", key, event.at, given)))


@outside
def tell_of_password(event: Event, at: datetime) -> None:
    """The handler of `portal.password_changed`: whoever changed it, its owner knows. It cannot be switched off."""
    customer = Customer.objects.filter(pk=event.data["customer"]).exclude(email="").first()
    if customer is None:
        return
    with override(customer.language or "en"):
        given = {"is_gone": event.data["is_gone"], "url": letters.address_of(reverse("portal:account"))}
        subject, key = _("Your password was changed"), f"password.{event.pk}"
        send_email(letters.made(letters.Letter(customer.email, subject, "password.txt", key, event.at, given)))
