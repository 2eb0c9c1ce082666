"""record(): what happened and what must follow, in the transaction of the change itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from helpdesk.events import broadcast
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.handlers import calls_outside, handlers_of
from helpdesk.events.models import Event, Heartbeat, OutboxEntry
from helpdesk.events.nudge import nudge
from helpdesk.prepared import Prepared

# The trigger number_event replaces this mark by the conversation's next public number.
_PUBLIC = 0

_INSERT = Prepared(
    "record_events",
    f"""
WITH given AS (
    SELECT *
    FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::bigint[], %s::text[], %s::bigint[])
        WITH ORDINALITY AS g(conversation_id, kind, at, actor_kind, actor_id, data, public_seq, place)
), event AS (
    INSERT INTO {Event._meta.db_table} (conversation_id, kind, at, actor_kind, actor_id, data, public_seq)
    SELECT conversation_id, kind, at, actor_kind, actor_id, data::jsonb, public_seq FROM given ORDER BY place
    RETURNING id, conversation_id, kind, at
), entry AS (
    INSERT INTO {OutboxEntry._meta.db_table} (event_id, handler, lane, due_at, attempts, error)
    SELECT event.id, h.handler,
           CASE WHEN h.in_order AND event.conversation_id IS NOT NULL
                THEN 'conversation:' || event.conversation_id || ':' || right(h.handler, 30) ELSE '' END,
           event.at, 0, ''
    FROM event JOIN unnest(%s::text[], %s::text[], %s::boolean[]) AS h(kind, handler, in_order) ON h.kind = event.kind
)
SELECT id FROM event ORDER BY id
""",
)


_BEAT = Prepared(
    "beat",
    f"""
WITH moved AS (
    UPDATE {Heartbeat._meta.db_table} SET at = %(at)s::timestamptz, detail = coalesce(%(detail)s::jsonb, detail)
    WHERE name = %(name)s AND (at <= %(at)s::timestamptz - interval '1 second'
                               OR (at <= %(at)s::timestamptz AND %(detail)s::jsonb IS NOT NULL))
)
INSERT INTO {Heartbeat._meta.db_table} (name, at, detail)
SELECT %(name)s::text, %(at)s::timestamptz, coalesce(%(detail)s::jsonb, '{{}}')
WHERE NOT EXISTS (SELECT 1 FROM {Heartbeat._meta.db_table} WHERE name = %(name)s)
ON CONFLICT (name) DO NOTHING
""",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to record. `public` facts are numbered for the customer's eyes as well."""

    kind: str
    conversation_id: int | None = None
    actor: Actor = SYSTEM
    public: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


_cause: ContextVar[Mapping[str, Any] | None] = ContextVar("cause", default=None)


@contextmanager
def caused_by(cause: Mapping[str, Any]) -> Iterator[None]:
    """Events recorded within this block carry `cause` in their data: automation must know its own doing again."""
    mark = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(mark)


def record(fact: Fact, *, at: datetime) -> int:
    """Write one event and its outbox entries; the event's id."""
    return record_all([fact], at=at)[0]


def record_all(facts: Iterable[Fact], *, at: datetime) -> list[int]:
    """Write events in the order given, in one statement; their ids. Must run inside the transaction of the change."""
    facts = list(facts)
    if not facts:
        return []
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an event belongs in the transaction of the change it tells of")
    cause = _cause.get()
    because = {} if cause is None else {"cause": cause}
    kinds = sorted({fact.kind for fact in facts})
    follow = [(kind, handler, calls_outside(handler)) for kind in kinds for handler in handlers_of(kind)]
    rows = _INSERT.rows(
        [
            [fact.conversation_id for fact in facts],
            [fact.kind for fact in facts],
            [at] * len(facts),
            [fact.actor.kind for fact in facts],
            [fact.actor.user_id for fact in facts],
            [json.dumps({**fact.data, **because}, cls=DjangoJSONEncoder) for fact in facts],
            [_PUBLIC if fact.public else None for fact in facts],
            [kind for kind, _, _ in follow],
            [handler for _, handler, _ in follow],
            [in_order for _, _, in_order in follow],
        ]
    )
    if follow:
        transaction.on_commit(nudge, robust=True)
    ids = [row[0] for row in rows]
    conversations = {fact.conversation_id for fact in facts if fact.conversation_id is not None}
    transaction.on_commit(partial(broadcast.event_recorded, ids[-1], conversations), robust=True)
    return ids


def postpone(event_id: int, handler: str, *, until: datetime) -> None:
    """Let this handler see the event no earlier than that. Must run inside the transaction that recorded it."""
    OutboxEntry.objects.filter(event=event_id, handler=handler, done_at=None).update(due_at=until)


def beat(name: str, *, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
    """Say that this part of the engine is alive. Without a detail once a second is enough: busy workers beat more often
    than a row should be written.
    """
    note = None if detail is None else json.dumps(dict(detail), cls=DjangoJSONEncoder)
    _BEAT.run({"name": name, "at": at, "detail": note})
