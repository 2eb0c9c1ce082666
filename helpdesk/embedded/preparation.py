"""Whether the database has all our migrations, asked without Django: importing it costs more than the question."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg2


class Preparation:
    """Remembers, in one file, the state of code and database in which nothing was left to migrate."""

    def __init__(self, path: Path, project: Path, database_url: str, *, demo: bool) -> None:
        self._path = path
        self._database_url = database_url
        self._code = _code_fingerprint(project, demo=demo)

    def needed(self) -> bool:
        """False only when code and applied migrations are those of the last time; any doubt is True."""
        try:
            known = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return True
        state = self._state()
        return state["database"] is None or known != state

    def done(self) -> None:
        """To be called after a successful migration."""
        self._path.write_text(json.dumps(self._state()))

    def _state(self) -> dict[str, str | None]:
        return {"code": self._code, "database": _applied_migrations(self._database_url)}


def _code_fingerprint(project: Path, *, demo: bool) -> str:
    digest = hashlib.sha256(b"demo" if demo else b"")
    for path in sorted(_files_that_matter(project)):
        digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files_that_matter(project: Path) -> Iterator[Path]:
    yield from project.glob("*/migrations/*.py")
    yield from (path for path in project.glob("static/**/*") if path.is_file())
    yield from (project / name for name in ("requirements.lock", "helpdesk/settings.py") if (project / name).exists())


def _applied_migrations(database_url: str) -> str | None:
    """None when the database cannot be asked: then Django shall, and say why."""
    try:
        connection = psycopg2.connect(database_url)
    except (psycopg2.OperationalError, psycopg2.ProgrammingError):
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            identity = str(cursor.fetchone())
            cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
            return hashlib.sha256((identity + str(cursor.fetchall())).encode()).hexdigest()
    except psycopg2.errors.UndefinedTable:
        return None
    finally:
        connection.close()
