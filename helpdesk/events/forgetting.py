"""Events are append-only but for this: addresses of somebody who is forgotten are taken out of what they told."""

import json
import re
from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from helpdesk.customers.forgetting import GONE, forgetting
from helpdesk.events.models import Event

_FORGET: Final = f"""
UPDATE {Event._meta.db_table} SET data = regexp_replace(data::text, %(pattern)s, %(gone)s, 'gi')::jsonb
WHERE conversation_id = ANY(%(conversations)s) AND data::text ~* %(pattern)s
"""


def forget(addresses: Collection[str], conversation_ids: Collection[int]) -> int:
    """Take these e-mail addresses and numbers out of the data of the conversations' events, however they are written;
    in how many events. Everything else of them stays as it was, which the database guarantees.
    """
    if not addresses:
        return 0
    # As JSON writes them within a text.
    one_of = "|".join(re.escape(json.dumps(one, ensure_ascii=False)[1:-1]) for one in addresses)
    given: dict[str, Any] = {
        # Not a part of somebody else's address.
        "pattern": rf"(?<![\w.+-])(?:{one_of})(?![\w-])",
        "gone": GONE,
        "conversations": list(conversation_ids),
    }
    with forgetting(), connection.cursor() as cursor:
        cursor.execute(_FORGET, given)
        found: int = cursor.rowcount
    return found
