"""What is to happen to something by the clock, as rows: a sweep finds what is due, looks again under the lock and moves
it on. Each room has a table of its own, (owner, kind, due_at), and a settings table that says what does a kind.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.utils.module_loading import import_string

from helpdesk.prepared import Prepared

logger = logging.getLogger(__name__)

MOST: Final = 200
# What fails is looked at again after a while, and never stops the others.
AFTER_AN_ERROR: Final = timedelta(minutes=1)
T = TypeVar("T")


class Dues(Generic[T]):
    """The timers of one room. `owner` is the model's key to what they belong to; `setting` names the functions by kind:
    each takes (what is locked, at) and returns when to look again, or None when this is done. `lock(owner's id)` holds
    the row to the end of the transaction; None where it has gone.
    """

    def __init__(self, model: type[models.Model], owner: str, setting: str, lock: Callable[[int], T | None]) -> None:
        self._rows: models.Manager[Any] = model._default_manager
        self._owner, self._setting, self._lock = f"{owner}_id", setting, lock
        table = model._meta.db_table
        into = (
            f"INSERT INTO {table} AS due ({self._owner}, kind, due_at) VALUES (%s::bigint, %s, %s::timestamptz) "
            f"ON CONFLICT ({self._owner}, kind) DO UPDATE SET due_at ="
        )
        self._plan = Prepared(f"plan_{table}", f"{into} excluded.due_at")
        self._plan_sooner = Prepared(f"plan_{table}_sooner", f"{into} least(due.due_at, excluded.due_at)")

    def plan(self, owner_id: int, kind: str, due_at: datetime) -> None:
        """Let this happen at that time, instead of at the time planned before."""
        self._plan.run([owner_id, kind, due_at])

    def plan_sooner(self, owner_id: int, kind: str, due_at: datetime) -> None:
        """Let this happen at that time, or at the time planned before if that is sooner."""
        self._plan_sooner.run([owner_id, kind, due_at])

    def drop(self, owner_id: int, kinds: Collection[str]) -> None:
        """They have become needless."""
        self._rows.filter(**{self._owner: owner_id}, kind__in=kinds).delete()

    @cached_property
    def handlers(self) -> dict[str, Callable[[T, datetime], datetime | None]]:
        """What does each kind."""
        return {kind: import_string(dotted) for kind, dotted in getattr(settings, self._setting).items()}

    def sweep(self, at: datetime) -> int:
        """Do what is due; how much that was. Each in a transaction of its own, under the lock of its owner."""
        done = 0
        due = self._rows.filter(due_at__lte=at).order_by("due_at").values_list("pk", self._owner)[:MOST]
        for pk, owner_id in due:
            try:
                done += self._do(pk, owner_id, at)
            except Exception:
                # Whatever is wrong with one must not keep the others waiting; it is logged and tried again.
                logger.exception("what was due of %s %s failed", self._owner.removesuffix("_id"), owner_id)
                self._rows.filter(pk=pk, due_at__lte=at).update(due_at=at + AFTER_AN_ERROR)
        return done

    @transaction.atomic
    def _do(self, pk: int, owner_id: int, at: datetime) -> bool:
        locked = self._lock(owner_id)
        due = self._rows.select_for_update().filter(pk=pk, due_at__lte=at).first()
        if locked is None or due is None:
            return False  # another sweep was quicker, or it was moved meanwhile
        again = self.handlers[due.kind](locked, at)
        # What the handler has planned anew stays.
        moved = self._rows.filter(pk=pk, due_at=due.due_at)
        if again is None:
            moved.delete()
        else:
            moved.update(due_at=again)
        return True
