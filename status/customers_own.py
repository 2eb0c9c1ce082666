"""What affects a customer who is signed in (helpdesk.customers.sessions); they sign in at the portal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from helpdesk.customers.models import Customer, Service
from status import affecting
from status.models import Component, Subscriber


@dataclass(frozen=True, slots=True)
class Own:
    """The components that stand for a customer's services, by id and by public id; `seen` opens the private ones, and
    the groups they are in.
    """

    seen: frozenset[int]
    public_ids: frozenset[str]


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


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: nobody is told of updates at a forgotten customer's addresses."""
    handles = list(customer.identities.filter(channel="email").values_list("handle", flat=True))
    Subscriber.objects.filter(Q(customer=customer) | Q(kind=Subscriber.Kind.EMAIL, address__in=handles)).delete()
