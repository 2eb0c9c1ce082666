"""Agents to choose from: a list of all while they are few, by name where they are many."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from helpdesk.customers.models import User

MOST_LISTED: Final = 200
_LONGEST = 254


class NoSuchAgent(LookupError):
    """Nobody active is called so, or several are."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a select lists; where `are_many`, only who is chosen, and another one is asked for by name."""

    agents: list[tuple[int, str]]
    are_many: bool = False


def active() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("name", "pk")


def are_many() -> bool:
    """One statement, which never looks at more than it must."""
    return active().order_by()[MOST_LISTED : MOST_LISTED + 1].exists()


def offered(chosen: int | None = None) -> Offered:
    """One statement; two where they are many."""
    listed = list(active().values_list("pk", "name")[: MOST_LISTED + 1])
    if len(listed) <= MOST_LISTED:
        return Offered(listed)
    return Offered(list(User.objects.filter(pk=chosen).values_list("pk", "name")) if chosen else [], are_many=True)


def called(word: str) -> User:
    """By address, by name, or by the beginning of a name that one alone has. Raises NoSuchAgent."""
    typed = " ".join(word.replace("\x00", "").split())[:_LONGEST]
    for way in ("email__iexact", "name__iexact", "name__istartswith"):
        found = list(active().filter(**{way: typed})[:2]) if typed else []
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise NoSuchAgent(typed)
