"""What affects a customer, for those whom we know: by a link that only their mailbox has, and a cookie that it leaves.

Whoever asks for a link gets the same answer, whether the address is known or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.customers.company import names
from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer, Service
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import send_email
from helpdesk.limits import Limit, network_of, take
from status import addresses, affecting, mail_ids
from status.models import Component, Subscriber

COOKIE: Final = "status_customer"
COOKIE_SECONDS: Final = 90 * 86_400
LINK_FOR: Final = timedelta(hours=24)
ASKED: Final = "status.link_asked"
"""A customer asked for the link that signs them in: {customer, language}. The mail follows."""
ASKS_OF_NETWORK: Final = Limit(10, 10 / 3600)
ASKS_OF_MAILBOX: Final = Limit(3, 3 / 86_400)
_SALT: Final = "status.customer"
_LINK_SALT: Final = "status.customer.link"


class TooMany(ValueError):
    """More links were asked for than one caller may ask for."""


@dataclass(frozen=True, slots=True)
class Own:
    """The components that stand for a customer's services, by id and by public id; `seen` opens the private ones, and
    the groups they are in.
    """

    seen: frozenset[int]
    public_ids: frozenset[str]


def of_cookie(value: str) -> Customer | None:
    """The customer a cookie belongs to; None for a forged, old or forgotten one."""
    return _opened(value, _SALT, timedelta(seconds=COOKIE_SECONDS))


def of_link(token: str) -> Customer | None:
    """The customer a mailed link belongs to; None for a forged one or one of yesterday."""
    return _opened(token, _LINK_SALT, LINK_FOR)


def cookie_of(customer: Customer) -> str:
    return signing.dumps(customer.pk, salt=_SALT)


def components_of(customer: Customer) -> Own:
    """What stands for the services of the customer's organization, and for what these lie in."""
    services = Service.objects.filter(organizations=customer.organization_id).values_list("pk", flat=True)
    ids = affecting.components_of(list(services)) if customer.organization_id is not None else []
    rows = list(Component.objects.filter(pk__in=ids).values_list("pk", "group_id", "public_id"))
    return Own(frozenset(_ids(rows)), frozenset(public_id for _pk, _group, public_id in rows))


def _ids(rows: Iterable[tuple[int, int | None, str]]) -> Iterable[int]:
    for pk, group_id, _public_id in rows:
        yield pk
        if group_id is not None:
            yield group_id


def ask_for_link(address: str, language: str, *, remote: str, at: datetime) -> None:
    """Somebody at `remote` wants to be known as who reads this mailbox. Raises TooMany before anything is looked up."""
    if take(ASKS_OF_NETWORK, f"status link:{network_of(remote)}"):
        raise TooMany("too many were asked for from here")
    if take(ASKS_OF_MAILBOX, f"status link:{address.strip().lower()[:254]}"):
        return  # as if it had been sent: who floods a mailbox learns nothing
    customer = customer_of("email", address.strip().lower()[:254])
    if customer is None or not customer.email or customer.blocked_at is not None:
        return
    with transaction.atomic():
        record(Fact(ASKED, None, CUSTOMER, data={"customer": customer.pk, "language": language}), at=at)


@outside
def send_link(event: Event, at: datetime) -> None:
    """The handler of `status.link_asked`."""
    customer = Customer.objects.filter(pk=event.data["customer"]).first()
    if customer is not None and event.at + LINK_FOR > at:
        send_email(mail(customer, event.data["language"], event.at, event.pk))


def mail(customer: Customer, language: str, asked_at: datetime, number: int) -> EmailMessage:
    """The mail with the link; the same for every attempt at it but for the link's signature."""
    token = signing.dumps(customer.pk, salt=_LINK_SALT)
    with override(language):
        company = names()[0] or addresses.page_url()
        given = {"company": company, "url": f"{settings.PUBLIC_URL}{reverse('status:mine')}?key={token}"}
        subject = one_line(_("What affects you: status of %(company)s") % {"company": company}, 200)
        text = render_to_string("status/mail/link.txt", given)
    return EmailMessage(
        subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [customer.email],
        headers={
            "Date": format_datetime(asked_at),
            "Message-ID": f"<status.link.{number}@{mail_ids.domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )


def _opened(token: str, salt: str, good_for: timedelta) -> Customer | None:
    try:
        pk = signing.loads(token[:400], salt=salt, max_age=good_for)
    except signing.BadSignature:
        return None
    return Customer.objects.filter(pk=pk, blocked_at=None).first()


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: nobody is told of updates at a forgotten customer's addresses."""
    handles = list(customer.identities.filter(channel="email").values_list("handle", flat=True))
    Subscriber.objects.filter(Q(customer=customer) | Q(kind=Subscriber.Kind.EMAIL, address__in=handles)).delete()
