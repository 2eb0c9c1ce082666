"""What a subscriber may choose from, and has chosen: components by group, private ones for their customers alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from helpdesk.customers.models import Customer
from status import concerned
from status.distributing import is_private
from status.models import Component, Subscriber
from status.subscribing import MOST_COMPONENTS, Wishes


class Given(Protocol):
    """What a form has sent."""

    def __contains__(self, name: str, /) -> bool: ...
    def getlist(self, name: str, /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Option:
    """A component that can be chosen; `within` are those of a group."""

    id: str
    name: str
    is_chosen: bool
    within: tuple["Option", ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something in it is chosen, so that it is to be seen."""
        return any(one.is_chosen for one in self.within)


@dataclass(frozen=True, slots=True)
class Choice:
    """A subscriber's choice; `asks_own` where we know which services are theirs."""

    options: tuple[Option, ...]
    is_all: bool
    only_own: bool = False
    asks_own: bool = False


def wishes(given: Given, *, seen_by: Customer | None = None) -> Wishes:
    """What a form asks for: everything, unless it says "some" and names components."""
    named = given.getlist("components")[:MOST_COMPONENTS]
    only_own = "only_own" in given
    if "some" not in given.getlist("which") or not named:
        return Wishes(None, only_own)
    seen = {one.pk for one in _seen(seen_by)}
    chosen = Component.objects.filter(public_id__in=named).values_list("pk", flat=True)
    return Wishes([pk for pk in chosen if pk in seen] or None, only_own)


def for_strangers(given: Given) -> Choice:
    """What everybody may choose from, as far as it was chosen already."""
    chosen = set(given.getlist("components"))
    return Choice(_options(_seen(None), chosen), "some" not in given.getlist("which"))


def of(subscriber: Subscriber) -> Choice:
    """What a subscriber has chosen, and may choose from."""
    chosen = set(subscriber.components.values_list("public_id", flat=True))
    customer = subscriber.customer
    asks_own = customer is not None and customer.organization_id is not None
    return Choice(_options(_seen(customer), chosen), subscriber.wants_all, subscriber.only_own, asks_own)


def language_or(asked: str, otherwise: str) -> str:
    """A language of ours."""
    return asked if asked in dict(settings.LANGUAGES) else otherwise


def _seen(customer: Customer | None) -> list[Component]:
    every = list(Component.objects.select_related("group").order_by("position", "name", "pk"))
    private = [one for one in every if is_private(one)]
    organization = None if customer is None else customer.organization_id
    owners: Mapping[int, set[int]] = (
        {} if organization is None else concerned.organizations_of([one.pk for one in private])
    )
    hidden = {one.pk for one in private if organization not in owners.get(one.pk, ())}
    # A private group is seen by who sees something in it.
    shown_groups = {one.group_id for one in every if one.pk not in hidden}
    return [one for one in every if one.pk not in hidden or one.pk in shown_groups]


def _options(components: Iterable[Component], chosen: set[str]) -> tuple[Option, ...]:
    components = list(components)
    within: dict[int, list[Option]] = {}
    for one in components:
        if one.group_id is not None:
            within.setdefault(one.group_id, []).append(Option(one.public_id, one.name, one.public_id in chosen))
    return tuple(
        Option(one.public_id, one.name, one.public_id in chosen, tuple(within.get(one.pk, ())))
        for one in components
        if one.group_id is None and (not one.is_group or one.pk in within)
    )
