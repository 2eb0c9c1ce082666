"""The database the benchmarks run on: `bench` on the embedded server of DATA_DIR, made anew for each of them.

Nothing here touches the database of the helpdesk itself, and nothing here needs Django.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from helpdesk.embedded.environment import running_environment

ROOT = Path(__file__).resolve().parent.parent
NAME = "bench"
# Migrated and with the demo company; every fresh database is a copy of it.
GROUND = "bench_ground"
PEER = "bench_peer"
VALKEY_DATABASE = 9


def data_dir() -> Path:
    return Path(os.environ["DATA_DIR"]).resolve()


def prepare() -> None:
    """Start the servers and point this process and its children at an empty `bench`."""
    os.environ.setdefault("DATA_DIR", str(ROOT / ".data-bench"))
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    found = running_environment(data_dir())
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "SECRET_KEY": found["SECRET_KEY"],
        "REDIS_URL": f"{found['REDIS_URL'].partition('?')[0]}?db={VALKEY_DATABASE}",
        "DATABASE_URL": _url(found["DATABASE_URL"], NAME),
        "PUBLIC_URL": "http://127.0.0.1",
        "HELPDESK_DEMO": "1",
        # No benchmark measures how fast files of sent mail are written.
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "LOG_LEVEL": "ERROR",
    }
    _recreate(NAME)


def keep() -> None:
    """What is in `bench` now is what every fresh one begins with. Nobody may be connected to it."""
    _recreate(GROUND, NAME)


def fresh() -> None:
    """A new `bench`. Connections to the old one are ended; ours must have been closed."""
    _recreate(NAME, GROUND)


def empty_for_peer() -> None:
    """A new, empty database for the peer."""
    _recreate(PEER)


def forget_all() -> None:
    """Drop whatever the benchmarks made."""
    for name in (NAME, GROUND, PEER):
        _drop(name)


def url(name: str) -> str:
    """The URL of a database on the embedded server."""
    return _url(os.environ["DATABASE_URL"], name)


def connect(name: str = NAME) -> "psycopg2.extensions.connection":
    """A bare connection, for the bare statements."""
    return psycopg2.connect(url(name))


def _url(base: str, name: str) -> str:
    return urlunsplit(urlsplit(base)._replace(path=f"/{name}"))


def _recreate(name: str, template: str = "template1") -> None:
    _drop(name)
    _as_admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _drop(name: str) -> None:
    _as_admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _as_admin(statement: str) -> None:
    connection = connect("postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
