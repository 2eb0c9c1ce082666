"""Passwords are allauth's affair. Whose session it is, is asked on every request of the desk, and asked for in one
prepared statement: the ORM takes longer to write it than the database to answer.
"""

from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend

from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import User
from helpdesk.prepared import Prepared

_AGENT: Final = Prepared(
    "agent_of_session", f"SELECT {columns(User, 'agent')} FROM {User._meta.db_table} AS agent WHERE agent.id = %s"
)


class AgentBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """For `AUTHENTICATION_BACKENDS`."""

    def get_user(self, user_id: Any) -> User | None:
        """None where there is none, or they may not log in any more."""
        row = _AGENT.row([user_id])
        user = None if row is None else take(User, row)[0]
        return user if self.user_can_authenticate(user) else None
