"""Who speaks with us on a network, and which customer that is: unverified, until they link the handle themselves."""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from helpdesk.customers.actions import find_or_create_customer
from helpdesk.customers.lookup import columns, take, take_customer
from helpdesk.customers.models import Customer, Organization, Plan
from helpdesk.prepared import Prepared
from social import accounts
from social.happenings import Author
from social.models import Account, Person

# There a person's id is good on one instance alone: on the next the same number or name is somebody else.
_BY_INSTANCE: Final = frozenset({Account.Network.MASTODON, Account.Network.DISCOURSE, Account.Network.FEED})

_FIND = Prepared(
    "find_person",
    f"""
SELECT {columns(Person, "person")}, {columns(Customer, "c")}, {columns(Organization, "o")}, {columns(Plan, "p")}
FROM {Person._meta.db_table} AS person
JOIN {Customer._meta.db_table} c ON c.id = person.customer_id
LEFT JOIN {Organization._meta.db_table} o ON o.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} p ON p.id = o.plan_id
WHERE person.account_id = %s AND person.external_id = %s
""",
)


def seen(account: Account, author: Author, *, at: datetime) -> Person:
    """The person's row, made on first sight and brought up to date; what the network does not say stays as it was."""
    said: dict[str, object] = {
        "handle": author.handle[:200],
        "name": author.name[:200],
        "avatar_url": author.avatar_url[:1000],
        "may_dm": author.may_dm,
        "follows_us": author.follows_us,
        "followed_by_us": author.followed_by_us,
    }
    told = {name: value for name, value in said.items() if value not in ("", None)}
    person = _known(account, author.id)
    if person is None:
        return _make(account, author, told, at)
    changed = {name: value for name, value in told.items() if getattr(person, name) != value}
    if person.unreachable_at is not None:
        changed["unreachable_at"] = None  # they wrote: they can be written to again
    if changed:
        Person.objects.filter(pk=person.pk).update(**changed, updated_at=at)
        for name, value in changed.items():
            setattr(person, name, value)
    return person


def _known(account: Account, person_id: str) -> Person | None:
    """With the customer, their organization and its plan: whatever is filed asks for all of them."""
    row = _FIND.row([account.pk, person_id[:200]])
    if row is None:
        return None
    person, row = take(Person, row)
    person.customer = take_customer(row)
    return person


def _make(account: Account, author: Author, told: dict[str, object], at: datetime) -> Person:
    name = author.name or author.handle or author.id
    customer = find_or_create_customer(account.network, identity(account, author.id), name, at=at)
    person, _is_new = Person.objects.get_or_create(
        account=account,
        external_id=author.id[:200],
        defaults={**told, "customer": customer, "updated_at": at, "is_staff": is_ours(account, author.handle)},
    )
    return person


def identity(account: Account, person_id: str) -> str:
    """The handle that a customer is known by, the same on all our accounts where the person is the same."""
    return f"{_scope(account)}{person_id}"[:320]


def all_of(account: Account, person_id: str) -> list[int]:
    """The ids of the person's rows, one for each of our accounts that they have spoken with."""
    scope = _scope(account)
    same = [one for one in Account.objects.filter(network=account.network) if _scope(one) == scope]
    return list(Person.objects.filter(account__in=same, external_id=person_id[:200]).values_list("pk", flat=True))


def _scope(account: Account) -> str:
    if account.network not in _BY_INSTANCE:
        return ""
    return f"{urlsplit(accounts.base_url(account)).netloc.lower() or f'account {account.pk}'}:"


def is_ours(account: Account, handle: str) -> bool:
    """Whether the handle is one of those that our people use in private: never a ticket, never counted."""
    ours = account.options.get("staff_handles", [])
    return bool(handle) and handle.lower().lstrip("@") in {str(one).lower().lstrip("@") for one in ours}
