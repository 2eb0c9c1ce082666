"""The connection to PostgreSQL. Django loads this module by its name.

With `CONN_HEALTH_CHECKS` Django asks `SELECT 1` before the first statement of each request: a sixth of all round trips
of a busy desk. A server that has ended a connection has said so on its socket, and that is seen without asking.
"""

import select

from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection still stands. Where there is something to read, it is asked as Django does; in a
        transaction that has failed nothing can be done with it.
        """
        connection = self.connection
        if connection is None or connection.closed:
            return False
        if connection.info.transaction_status == TRANSACTION_STATUS_INERROR:
            return False
        waiting = select.poll()
        # Errors and a hang-up are told in any case.
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
