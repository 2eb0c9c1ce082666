"""Sessions in the database, as Django's own, but read by a prepared statement: it happens on every request of the desk,
and the ORM takes longer to write it than the database to answer.
"""

from typing import Any, Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from helpdesk.prepared import Prepared

_READ: Final = Prepared(
    "session",
    f"SELECT session_data, expire_date FROM {Session._meta.db_table} WHERE session_key = %s AND expire_date > %s",
)


class SessionStore(db.SessionStore):
    """For `SESSION_ENGINE`."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        """None where it has ended or expired: then the key is not used again."""
        row = _READ.row([self.session_key, timezone.now()])
        if row is None:
            self._session_key = None
            return None
        return Session(session_key=self.session_key or "", session_data=row[0], expire_date=row[1])
