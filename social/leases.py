"""Rows that wait for a worker: taken by one at a time, for as long as a lease, and tried again after longer waits.

One column of a row says when it is due: wait, lease and backoff in one. It is null where nothing is left to do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
MOST_COUNTED: Final = 1000
"""Attempts are counted up to here: the column is small, and an account may be away for a year."""


@dataclass(frozen=True, slots=True)
class Lease:
    """How rows of one kind wait. `backoff` are the seconds after the first attempt, the second and so on; the last one
    is for all that follow. `due` and `attempts` name the columns.
    """

    backoff: tuple[int, ...]
    due: str = "due_at"
    attempts: str = "attempts"
    lasts: timedelta = timedelta(seconds=120)

    def each(self, rows: QuerySet[Row], work: Callable[[Row, datetime], None], *, at: datetime, most: int) -> int:
        """Take and do up to `most` of what is due, each in transactions of its own; how many were taken."""
        for done in range(most):
            row = self.take(rows, at=at)
            if row is None:
                return done
            work(row, at)
        return most

    @transaction.atomic
    def take(self, rows: QuerySet[Row], *, at: datetime) -> Row | None:
        """The row that is due first, with this attempt counted; None where none is due. No other worker takes it before
        the lease has ended; should this one die, another does then.
        """
        due = rows.select_for_update(skip_locked=True, of=("self",)).filter(**{f"{self.due}__lte": at})
        row = due.order_by(self.due, "pk").first()
        if row is None:
            return None
        counted = min(getattr(row, self.attempts) + 1, MOST_COUNTED)
        values = {self.due: at + self.lasts, self.attempts: counted}
        rows.model._default_manager.filter(pk=row.pk).update(**values)
        for name, value in values.items():
            setattr(row, name, value)
        return row

    def wait(self, attempts: int, asked: timedelta | None = None) -> timedelta:
        """How long to wait after that many attempts; what a provider has asked for goes before."""
        if asked is not None:
            return asked
        return timedelta(seconds=self.backoff[min(max(attempts, 1), len(self.backoff)) - 1])
