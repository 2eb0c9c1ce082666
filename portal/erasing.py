"""Forgetting a customer: asked for by them, to be taken back within seven days, then confirmed by an admin.

What they said and who they are goes; that something was asked and answered, when, and by whom of us, stays: the law and
the bill want it (docs/privacy.md). Rooms that hold more forget it by settings.ERASERS.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import files
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers import audit, sessions
from helpdesk.customers.models import Customer, User
from helpdesk.events import forgetting
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.sending_mail import send_email
from helpdesk.oncall.models import Page
from portal import exporting, letters
from portal.models import Erasure, Linking, Password, SignIn, Subject

WAITS: Final = timedelta(days=7)
ASKED: Final = "portal.erasure_asked"
"""A customer wants to be forgotten: {customer}. The mail with the way back follows."""
ERASED: Final = "…"
SALT: Final = "portal.erasure"


class NotDue(ValueError):
    """The days to take it back are not over, or it is done already."""


@transaction.atomic
def ask(customer: Customer, *, at: datetime) -> Erasure:
    """The customer wants to be forgotten; asked twice is asked once."""
    values = {"asked_at": at, "due_at": at + WAITS}
    row, is_new = Erasure.objects.get_or_create(customer=customer, defaults=values)
    if is_new:
        audit.record(None, "asked", row, {}, {"customer": customer.pk}, at=at, thing_id=customer.pk)
        record(Fact(ASKED, None, CUSTOMER, data={"customer": customer.pk}), at=at)
    return row


@transaction.atomic
def take_back(customer_id: int, *, at: datetime) -> bool:
    """It shall not be; False where there is nothing to take back."""
    row = Erasure.objects.select_for_update().filter(customer=customer_id, done_at=None).first()
    if row is None:
        return False
    row.delete()
    audit.record(None, "taken_back", row, {}, {"customer": customer_id}, at=at, thing_id=customer_id)
    return True


def token_of(row: Erasure) -> str:
    return signing.Signer(salt=SALT).sign_object([row.pk, row.asked_at.timestamp()])


def find(token: str) -> Erasure | None:
    """What the mailed link takes back; None for a forged one, and once it is done or taken back."""
    try:
        pk, asked_at = signing.Signer(salt=SALT).unsign_object(token[:300])
    except (signing.BadSignature, ValueError, TypeError):
        return None
    row = Erasure.objects.filter(pk=pk, done_at=None).first()
    return row if row is not None and row.asked_at.timestamp() == asked_at else None


@outside
def send(event: Event, at: datetime) -> None:
    """The handler of `portal.erasure_asked`."""
    row = Erasure.objects.select_related("customer").filter(pk=event.data["customer"], done_at=None).first()
    if row is not None and row.customer.email:
        send_email(mail(row))


def mail(row: Erasure) -> EmailMessage:
    """The mail with the way back."""
    with override(row.customer.language or "en"):
        given = {"url": letters.address_of(reverse("portal:keep", args=[token_of(row)])), "days": WAITS.days}
        key = f"erasure.{row.pk}.{int(row.asked_at.timestamp())}"
        subject = _("You asked us to forget you")
        return letters.made(letters.Letter(row.customer.email, subject, "erasure.txt", key, row.asked_at, given))


@transaction.atomic
def confirm(customer_id: int, user: User, *, at: datetime) -> None:
    """Forget the customer. Raises NotDue."""
    rows = Erasure.objects.select_for_update(of=("self",)).select_related("customer")
    row = rows.filter(customer=customer_id, done_at=None, due_at__lte=at).first()
    if row is None:
        raise NotDue
    customer = row.customer
    for dotted in settings.ERASERS:
        import_string(dotted)(customer, at)
    _forget_words(customer, at)
    _forget_addresses(customer)
    _forget_ways_in(customer)
    exporting.end_all(customer, at=at)
    Customer.objects.filter(pk=customer.pk).update(
        name="", email="", language="", timezone="", notes="", is_manager=False, organization=None, blocked_at=None
    )
    row.done_at, row.done_by = at, user
    row.save(update_fields=["done_at", "done_by"])
    # Who it was stands nowhere any more, in the log neither.
    audit.forget(customer.pk)
    audit.record(user.pk, "erased", row, {}, {"customer": customer.pk}, at=at, thing_id=customer.pk)


def _forget_words(customer: Customer, at: datetime) -> None:
    """What was said in the customer's conversations, by whomever: answers quote and name whom they answer."""
    own = Conversation.objects.filter(customer=customer)
    said = Message.objects.filter(conversation__in=own) | Message.objects.filter(customer=customer)
    sent = Attachment.objects.filter(message__in=said)
    files.drop(set(sent.values_list("sha256", flat=True)), at=at)
    sent.delete()
    said.update(text=ERASED, full_text="", html="", error="", remark="")
    Page.objects.filter(conversation__in=own).update(summary=ERASED)
    own.update(subject=ERASED, preview="", custom={}, thread="")


def _forget_addresses(customer: Customer) -> None:
    """Where events tell of one: who was put in copy, whose mail came back. That is in others' conversations as well."""
    handles = {customer.email, *customer.identities.values_list("handle", flat=True)}
    spoken = Q(customer=customer) | Q(followers=customer) | Q(messages__customer=customer)
    ids = set(Conversation.objects.filter(spoken).values_list("pk", flat=True))
    forgetting.forget({one for one in handles if "@" in one or one.startswith("+")}, ids)


def _forget_ways_in(customer: Customer) -> None:
    sessions.end_all(customer)
    customer.identities.all().delete()
    for model in (SignIn, Password, Subject, Linking):
        model._default_manager.filter(customer=customer).delete()
