"""How much each benchmark does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`rows` overrides what a benchmark counts itself in: mails, pages, tickets, or conversations in the database."""

    quick: bool = False
    rows: int | None = None
    peers: bool = True

    def of(self, full: int, quick: int) -> int:
        if self.rows is not None:
            return self.rows
        return quick if self.quick else full
