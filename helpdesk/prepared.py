"""Statements that PostgreSQL parses and plans once a connection instead of every time.

For what runs on every request and every mail: planning was half of what PostgreSQL did for a new conversation
(docs/adr/0014). psycopg2 does not speak the protocol's prepared statements, so this is SQL's PREPARE and EXECUTE.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\)s|s|%)")
# A plan made while a table was nearly empty reads all of it, for as long as PostgreSQL keeps the plan: so it is made
# anew after so many uses, which costs little and is soon enough however quickly the table grows.
USES: Final = 500
# How often each connection may still use what it has prepared. It lasts as long as the connection and survives
# rollbacks, as in PostgreSQL.
_prepared: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()
ALL: Final[dict[str, "Prepared"]] = {}


def named_rows(cursor: Any) -> list[dict[str, Any]]:
    """All rows that a cursor has found, by the names of their columns."""
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Prepared:
    """One statement under a name that is its own in the whole program.

    `sql` has psycopg2's placeholders, all `%s` or all `%(name)s`; PostgreSQL must be able to tell each one's type from
    where it stands. In a transaction-pooling PgBouncer, where a connection is somebody else's a moment later, set
    PREPARED_STATEMENTS=0: then the plain SQL is sent.
    """

    def __init__(self, name: str, sql: str) -> None:
        self._sql = sql
        if name in ALL and ALL[name]._sql != sql:
            raise ValueError(f"there is another prepared statement {name} already")
        ALL[name] = self
        self.name = name
        self._order: list[str] = []
        count = 0

        def numbered(match: re.Match[str]) -> str:
            nonlocal count
            if match.group() == "%%":
                return "%"
            if match.group(1) is None:
                count += 1
                return f"${count}"
            if match.group(1) not in self._order:
                self._order.append(match.group(1))
            return f"${self._order.index(match.group(1)) + 1}"

        self.prepare = f"PREPARE {name} AS {_PLACEHOLDER.sub(numbered, sql)}"
        places = ", ".join(["%s"] * (count or len(self._order)))
        self._execute = f"EXECUTE {name}({places})" if places else f"EXECUTE {name}"

    def rows(self, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Run it and fetch what it returns."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self._run(cursor, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def row(self, params: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
        """Run it and fetch the first row, None where there is none."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self._run(cursor, params)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def mapping(self, params: Sequence[Any] | Mapping[str, Any] = ()) -> dict[str, Any] | None:
        """Run it and fetch the first row by the names of its columns, None where there is none."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self._run(cursor, params)
            row = cursor.fetchone()
            return None if row is None else {c.name: value for c, value in zip(cursor.description, row, strict=True)}

    def mappings(self, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """Run it and fetch all rows by the names of their columns."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self._run(cursor, params)
            return named_rows(cursor)

    def run(self, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run it; how many rows it wrote."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self._run(cursor, params)
            count: int = cursor.rowcount
            return count

    def _run(self, cursor: Any, params: Sequence[Any] | Mapping[str, Any]) -> None:
        if not settings.PREPARED_STATEMENTS:
            cursor.execute(self._sql, params)
            return
        left = _prepared.setdefault(cursor.db.connection, {})
        if not left.get(self.name):
            with cursor.db.wrap_database_errors:
                # Below Django's counting: it happens once in a while, whatever is counted.
                if self.name in left:
                    cursor.cursor.execute(f"DEALLOCATE {self.name}")
                    del left[self.name]
                cursor.cursor.execute(self.prepare)
            left[self.name] = USES
        left[self.name] -= 1
        values = [params[name] for name in self._order] if isinstance(params, Mapping) else params
        cursor.execute(self._execute, values)
