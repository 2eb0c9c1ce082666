"""The number by which whoever keeps rendered pages knows that something on them has changed."""

from datetime import datetime
from typing import Final, Protocol
from weakref import WeakSet

from django.db import connection, transaction
from django.db.models import F

from knowledge.models import KnowledgeBase


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


def changed(at: datetime) -> None:
    """Something that readers may see is not as it was. Belongs in the transaction of the change. The row is locked
    until its end: changes to the knowledge base come one after another, so that addresses are given once.
    """
    assert connection.in_atomic_block, "the version rises with the change"
    KnowledgeBase.objects.get_or_create(pk=1, defaults={"changed_at": at})
    KnowledgeBase.objects.filter(pk=1).update(version=F("version") + 1, changed_at=at)
    transaction.on_commit(tell, robust=True)
