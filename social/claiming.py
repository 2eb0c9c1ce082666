"""A customer links an account on a network: a code of theirs, sent to us in private, says that both are one person.

The code is no request: it opens no conversation. Who sent it is told on the network, once.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.secrets import SecretUnreadable
from social import accounts, people
from social.happenings import Said
from social.models import Account, Person
from social.network import Outgoing, network

LINKED: Final = "social.person_linked"
"""A person on a network turned out to be a customer we know: {person, customer, said, thread}."""
TOLD_WITHIN: Final = timedelta(hours=1)


def claim(account: Account, said: Said, person: Person, *, at: datetime) -> Customer | None:
    """Whose the account is from now on, where a customer's code was said in private; None for all else.

    Within the caller's transaction. A code in public is anybody's to repeat, and links nothing.
    """
    if said.is_public or not settings.IDENTITY_CLAIMS:
        return None
    claims = import_string(settings.IDENTITY_CLAIMS)
    handle = people.identity(account, said.author.id)
    customer: Customer | None = claims(said.claims or said.text, account.network, handle, at=at)
    if customer is None:
        return None
    theirs = people.all_of(account, said.author.id)
    Person.objects.filter(pk__in=theirs).update(customer=customer, updated_at=at)
    data = {"person": person.pk, "customer": customer.pk, "said": said.id, "thread": said.thread}
    record(Fact(LINKED, None, CUSTOMER, data=data), at=at)
    return customer


@outside
def thank(event: Event, at: datetime) -> None:
    """The handler of LINKED: one private message. Raises RetryLater; what may have been said is not said again."""
    person = Person.objects.select_related("account", "customer").filter(pk=event.data["person"]).first()
    if person is None or at - event.at > TOLD_WITHIN or accounts.may_send(person.account):
        return
    with override(person.customer.language or "en"):
        words = _("Thank you: this account is yours with us now. What you write here stands with your other requests.")
    outgoing = Outgoing(
        text=words,
        client_id=uuid5(NAMESPACE_OID, f"{settings.PUBLIC_URL}/events/{event.pk}"),
        at=event.at,
        is_public=False,
        answers=event.data["said"],
        person=person.external_id,
        thread=event.data["thread"],
    )
    try:
        network(person.account.network).send(accounts.fresh(person.account, at=at), outgoing)
    except RetryLater:
        raise
    except (DeliveryError, SecretUnreadable):
        return  # the portal shows it as well
