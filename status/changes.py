"""Who in this process keeps what is shown, and is told at once that it has changed. Others find out by its version."""

from typing import Final, Protocol
from weakref import WeakSet


class Keeping(Protocol):
    def outdate(self) -> None:
        """What is kept is no longer so."""


_keeping: Final[WeakSet[Keeping]] = WeakSet()


def tell_me(one: Keeping) -> None:
    """From now on, as long as it lives."""
    _keeping.add(one)


def tell() -> None:
    """Something shown has changed, and everybody may see it."""
    for one in list(_keeping):
        one.outdate()
