"""Events and the audit log are append-only. Who is forgotten is taken out of them all the same, and in no other way:
their triggers ask whether that is what happens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

GONE: Final = "…"
_SAY: Final = "SELECT set_config('helpdesk.forgets', %s, true)"


@contextmanager
def forgetting() -> Iterator[None]:
    """Within it what is told of a customer may be taken out; in the transaction it is in, or one of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SAY, ["yes"])
        yield
        cursor.execute(_SAY, [""])
