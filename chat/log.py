"""The log of events in an order in which none is ever added behind a reader.

Ids are drawn before a transaction commits, so `id > cursor` skips what commits late (measured: a third of all rows
under load). Here events are ordered by transaction and id, and read only below the oldest transaction that is still
running: whatever is down there has ended, and nothing can be added. To the outside a position is the id of the last
event read (docs/live.md).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared

PREVIEW: Final = 160

_XMIN = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_EVENT = Event._meta.db_table

_HEAD = Prepared(
    "live_head",
    f"SELECT transaction_id, id FROM {_EVENT} WHERE transaction_id < {_XMIN} "
    "ORDER BY transaction_id DESC, id DESC LIMIT 1",
)
_AT = Prepared("live_position", f"SELECT transaction_id, id FROM {_EVENT} WHERE id = %s AND transaction_id IS NOT NULL")
_AFTER = Prepared(
    "live_events",
    f"""
WITH found AS (
    SELECT * FROM {_EVENT}
    WHERE (transaction_id, id) > (%s, %s) AND (transaction_id, id) <= (%s, %s) AND transaction_id < {_XMIN}
    ORDER BY transaction_id, id LIMIT %s)
SELECT found.transaction_id, found.id, found.kind, found.at, found.conversation_id, found.seq, found.actor_kind,
       found.actor_id, agent.name AS agent, found.data, conversation.subject, conversation.channel, conversation.status,
       conversation.priority, conversation.assignee_id, conversation.team_id, conversation.next_due_at,
       conversation.customer_id, coalesce(nullif(customer.name, ''), customer.email) AS customer,
       message.kind AS message_kind, left(message.text, {PREVIEW}) AS preview
FROM found
LEFT JOIN {Conversation._meta.db_table} AS conversation ON conversation.id = found.conversation_id
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = conversation.customer_id
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = found.actor_id
LEFT JOIN {Message._meta.db_table} AS message ON message.id = CASE
    WHEN jsonb_typeof(found.data -> 'message') = 'number' THEN (found.data ->> 'message')::bigint END
ORDER BY found.transaction_id, found.id
""",
)
_XMAX = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_WAITS = Prepared(
    "live_waits",
    f"SELECT EXISTS (SELECT FROM {_EVENT} WHERE transaction_id >= {_XMIN} AND transaction_id < {_XMAX})",
)
_FROM_ELSEWHERE = f"SELECT EXISTS (SELECT FROM {_EVENT} WHERE transaction_id >= {_XMAX})"
_FORGET = f"""
ALTER TABLE {_EVENT} DISABLE TRIGGER events_are_append_only;
UPDATE {_EVENT} SET transaction_id = NULL WHERE transaction_id >= {_XMAX};
ALTER TABLE {_EVENT} ENABLE TRIGGER events_are_append_only;
"""
_LAST: Final = 2**63 - 1


class Position(NamedTuple):
    """How far somebody has read."""

    transaction_id: int
    id: int


BEGINNING: Final = Position(0, 0)
END: Final = Position(_LAST, _LAST)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, with what is said of it: the columns of `live_events`, in their order."""

    transaction_id: int
    id: int
    kind: str
    at: datetime
    conversation_id: int | None
    seq: int | None
    actor_kind: str
    actor_id: int | None
    agent: str | None
    data: Mapping[str, Any]
    subject: str | None
    channel: str | None
    status: str | None
    priority: str | None
    assignee_id: int | None
    team_id: int | None
    next_due_at: datetime | None
    customer_id: int | None
    customer: str | None
    message_kind: str | None
    preview: str | None

    @property
    def position(self) -> Position:
        return Position(self.transaction_id, self.id)


_DATA: Final = [field.name for field in fields(Happened)].index("data")


def head() -> Position:
    """The newest position that can be read now."""
    row = _HEAD.row()
    return BEGINNING if row is None else Position(*row)


def position_of(event_id: int) -> Position | None:
    """Where this event stands; None if there is no such event."""
    row = _AT.row([event_id])
    return None if row is None else Position(*row)


def after(position: Position, limit: int, *, until: Position = END) -> Sequence[Happened]:
    """At most `limit` events above `position` and not above `until`, oldest first."""
    rows = _AFTER.rows([*position, *until, limit])
    # Django leaves it to its own fields to read JSON.
    return [Happened(*(*row[:_DATA], json.loads(row[_DATA]), *row[_DATA + 1 :])) for row in rows]


def something_waits() -> bool:
    """Whether there are events of transactions that cannot be read yet, because an older one is still running."""
    row = _WAITS.row()
    return bool(row and row[0])


@transaction.atomic
def forget_positions_from_elsewhere() -> bool:
    """After a restore into a new cluster, whose transactions are counted from the beginning: events of the old one must
    not come up again when the count reaches theirs. Whether there were any; costs next to nothing where there are none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FROM_ELSEWHERE)
        row = cursor.fetchone()
        found = bool(row and row[0])
        if found:
            cursor.execute(_FORGET)
    return found
