"""The number by which whoever keeps rendered pages knows that something on them has changed."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from helpdesk.kept import Keepers
from knowledge.models import KnowledgeBase

keepers: Final = Keepers()


def changed(at: datetime) -> None:
    """Something that readers may see is not as it was. Belongs in the transaction of the change. The row is locked
    until its end: changes to the knowledge base come one after another, so that addresses are given once.
    """
    assert connection.in_atomic_block, "the version rises with the change"
    KnowledgeBase.objects.get_or_create(pk=1, defaults={"changed_at": at})
    KnowledgeBase.objects.filter(pk=1).update(version=F("version") + 1, changed_at=at)
    transaction.on_commit(keepers.tell, robust=True)
