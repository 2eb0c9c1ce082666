"""Many subscribers at once, from a list of addresses as other pages export them (CSV).

Nobody is told anything who has not said yes: each gets the mail that asks, unless an admin declares where and how they
have consented, which is kept with each of them. Whoever is there already, has left or comes back stays as they are.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.customers.models import Identity, User
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.actors import Actor
from status import subscribing
from status.models import Component, Subscriber
from status.subscribing import Kind, NotAnAddress, Status

MOST_ROWS: Final = 20_000
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_REFUSED_SHOWN: Final = 50
_ADDRESS: Final = ("email", "e-mail", "address", "mail", "email address")
_BITE: Final = 1_000


class NotAList(ValueError):
    """That cannot be read as a list of addresses; the argument says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many are new, were known already; `refused` are lines with the reason, the first of `refused_count`."""

    made: int
    known: int
    refused: Sequence[str]
    refused_count: int


@dataclass(frozen=True, slots=True)
class _Row:
    address: str
    language: str
    components: tuple[int, ...]


def import_all(text: str, user: User, *, consent: str = "", at: datetime) -> Imported:
    """Add these e-mail addresses: one a line, or a table with a header of `email`, and perhaps `language` and
    `components` (names or ids, separated by semicolons; none means everything). With `consent`, which says where they
    have agreed, they are told at once; otherwise each is asked. Raises NotAList.
    """
    refused: list[str] = []
    rows = _read(text, refused)
    made = 0
    declared = f"{' '.join(consent.split())[:140]} ({user.email}, {at:%Y-%m-%d})" if consent.strip() else ""
    every = list(rows.values())
    for begin in range(0, len(every), _BITE):
        made += _add(every[begin : begin + _BITE], user, declared, at)
    return Imported(made, len(rows) - made, refused[:MOST_REFUSED_SHOWN], len(refused))


def _read(text: str, refused: list[str]) -> dict[str, _Row]:
    """By their addresses in small letters; the same one again is the first one."""
    if len(text.encode()) > MOST_BYTES:
        raise NotAList(_("The list is too long: at most %(most)s MB.") % {"most": MOST_BYTES // 1024 // 1024})
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    first = text.partition("\n")[0]
    mark = ";" if ";" in first and "," not in first else ","
    try:
        lines = list(islice(csv.reader(StringIO(text), delimiter=mark), MOST_ROWS + 2))
    except csv.Error as error:
        raise NotAList(str(error)) from error
    head = [cell.strip().lower() for cell in lines[0]] if lines else []
    place = next((head.index(name) for name in _ADDRESS if name in head), None)
    more = ("language", "components") if place is not None else ()
    columns: dict[str, int] = {name: head.index(name) for name in more if name in head}
    body = lines if place is None else lines[1:]
    if len(body) > MOST_ROWS:
        raise NotAList(_("The list is too long: at most %(most)s addresses.") % {"most": f"{MOST_ROWS:,}"})
    known = _components()
    found: dict[str, _Row] = {}
    for number, cells in enumerate(body, 1 if place is None else 2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(cells, place or 0, columns, known)
        except NotAnAddress as error:
            refused.append(f"{number}: {error}")
            continue
        found.setdefault(row.address.lower(), row)
    return found


def _components() -> Mapping[str, int]:
    """By id, and by name where only one is called so."""
    rows = list(Component.objects.values_list("pk", "public_id", "name"))
    names = Counter(name.casefold() for _pk, _id, name in rows)
    by_name = {name.casefold(): pk for pk, _id, name in rows if names[name.casefold()] == 1}
    return by_name | {public_id: pk for pk, public_id, _name in rows}


def _row(cells: Sequence[str], place: int, columns: Mapping[str, int], known: Mapping[str, int]) -> _Row:
    if len(cells) <= place:
        raise NotAnAddress("there is no address")
    given = {name: cells[at].strip() if len(cells) > at else "" for name, at in columns.items()}
    chosen = [part.strip() for part in given.get("components", "").split(";") if part.strip()]
    unknown = [name for name in chosen if name.casefold() not in known]
    if unknown:
        raise NotAnAddress(f"there is no component “{unknown[0][:60]}”")
    language = given.get("language", "").lower()[:2]
    codes = dict(settings.LANGUAGES)
    return _Row(
        subscribing.checked(Kind.EMAIL, cells[place]),
        language if language in codes else settings.LANGUAGES[0][0],
        tuple(dict.fromkeys(known[name.casefold()] for name in chosen))[: subscribing.MOST_COMPONENTS],
    )


@transaction.atomic
def _add(rows: Sequence[_Row], user: User, declared: str, at: datetime) -> int:
    wanted = {row.address.lower(): row for row in rows}
    owners = _owners(list(wanted))
    fresh = [
        Subscriber(
            kind=Kind.EMAIL,
            address=row.address,
            status=Status.ACTIVE if declared else Status.PENDING,
            customer_id=owners.get(address) if declared else None,
            wants_all=not row.components,
            language=row.language,
            confirmed_at=at if declared else None,
            consent=declared,
            asked_at=at,
            created_at=at,
        )
        for address, row in wanted.items()
    ]
    Subscriber.objects.bulk_create(fresh, ignore_conflicts=True)
    made = dict(Subscriber.objects.filter(key__in=[one.key for one in fresh]).values_list("address", "pk"))
    chosen = [
        Subscriber.components.through(subscriber_id=pk, component_id=component)
        for address, pk in made.items()
        for component in wanted[address.lower()].components
    ]
    Subscriber.components.through.objects.bulk_create(chosen)
    kind = subscribing.CONFIRMED if declared else subscribing.ASKED
    actor = Actor.agent(user)
    record_all([Fact(kind, None, actor, data={"subscriber": pk}) for pk in made.values()], at=at)
    return len(made)


def _owners(addresses: Sequence[str]) -> dict[str, int]:
    """The customers who are known to read these mailboxes."""
    known = Identity.objects.filter(channel="email", handle__in=addresses)
    return dict(known.values_list("handle", "customer_id"))
