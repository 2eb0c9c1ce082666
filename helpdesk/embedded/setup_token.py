"""The word that lets somebody make the first admin. Without Django: the supervisor prints it, the wizard checks it.

It follows from the installation's key, so that every process knows it and nothing has to be kept; it is worth nothing
as soon as there is an agent.
"""

import hashlib
import hmac
from typing import Final

import psycopg2

_PURPOSE: Final = b"helpdesk.setup"
_LENGTH: Final = 32


def setup_token(secret_key: str) -> str:
    return hmac.new(secret_key.encode(), _PURPOSE, hashlib.sha256).hexdigest()[:_LENGTH]


def fits(given: str, secret_key: str) -> bool:
    return hmac.compare_digest(given.encode(), setup_token(secret_key).encode())


def nobody_is_there(database_url: str) -> bool:
    """Whether the database has no agent yet; False also where it cannot be asked."""
    try:
        connection = psycopg2.connect(database_url)
    except (psycopg2.OperationalError, psycopg2.ProgrammingError):
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM helpdesk_user)")
            row = cursor.fetchone()
            return bool(row and row[0])
    except psycopg2.Error:
        return False
    finally:
        connection.close()
