"""The connection to PostgreSQL. Django loads this module by its name.

With `CONN_HEALTH_CHECKS` Django asks `SELECT 1` before the first statement of each request: a sixth of all round trips
of a busy desk. A server that has ended a connection has said so on its socket, and that is seen without asking.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection still stands. Where there is something to read, it is asked as Django does."""
        connection = self.connection
        if connection is None or connection.closed:
            return False
        waiting = select.poll()
        # Errors and a hang-up are told in any case.
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
