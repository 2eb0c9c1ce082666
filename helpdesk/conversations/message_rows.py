"""A conversation with its first message and clocks, or a further message and what it changes, each in one statement.

They run for everything that comes in: a third of the round trips, and no ORM.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.fields import NOT_PROVIDED

from helpdesk.conversations.models import Conversation, Message
from helpdesk.prepared import Prepared
from helpdesk.sla import clocks


def _stored(model: type[Model]) -> list["Field[Any, Any]"]:
    """The fields to write: all but the key and what the database makes by itself."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    return [field for field in fields if field.db_default is NOT_PROVIDED]


def _names(fields: list["Field[Any, Any]"]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


_OF_CONVERSATION = _stored(Conversation)
_OF_MESSAGE = [field for field in _stored(Message) if field.name != "conversation"]
_INSERT = Prepared(
    "first_rows",
    f"""
WITH conversation AS (
    INSERT INTO {Conversation._meta.db_table} ({_names(_OF_CONVERSATION)})
    VALUES ({", ".join(["%s"] * len(_OF_CONVERSATION))}) RETURNING id
), message AS (
    INSERT INTO {Message._meta.db_table} (conversation_id, {_names(_OF_MESSAGE)})
    SELECT id, {", ".join(["%s"] * len(_OF_MESSAGE))} FROM conversation RETURNING id
), clock AS (
    {clocks.INSERT.format(conversation="(SELECT id FROM conversation)")}
)
SELECT conversation.id, message.id FROM conversation, message
""",
)
_MOVED = ("updated_at", "last_message_at", "preview", "status", "resolved_at", "snoozed_until", "is_spam")
_OF_MOVED = [field for name in _MOVED for field in Conversation._meta.concrete_fields if field.name == name]
_APPEND = Prepared(
    "append_message",
    f"""
WITH message AS (
    INSERT INTO {Message._meta.db_table} (conversation_id, {_names(_OF_MESSAGE)})
    VALUES ({", ".join(["%s"] * (1 + len(_OF_MESSAGE)))}) RETURNING id, conversation_id
)
UPDATE {Conversation._meta.db_table} AS conversation SET {", ".join(f'"{name}" = %s' for name in _MOVED)}
FROM message WHERE conversation.id = message.conversation_id RETURNING message.id
""",
)


def insert(conversation: Conversation, message: Message, starts: Sequence[clocks.Start], *, at: datetime) -> None:
    """Write them, clocks counting from `at`, and give the two their keys. Raises IntegrityError like `save`."""
    # The trigger note_next_due would write the same a moment later, and with it the row and all its indexes once more.
    conversation.next_due_at = min((start.due_at for start in starts), default=None)
    values = [
        *_values(conversation, _OF_CONVERSATION),
        *_values(message, _OF_MESSAGE),
        *clocks.values(starts, at=at),
    ]
    keys = _INSERT.row(values)
    assert keys is not None, "one of each was inserted"
    conversation.pk, message.pk = keys
    message.conversation = conversation
    for row in (conversation, message):
        row._state.adding, row._state.db = False, connection.alias


def append(conversation: Conversation, message: Message) -> None:
    """Write a further message, and what the customer's writing moved of its conversation; the message gets its key.
    Raises IntegrityError like `save`.
    """
    key = _APPEND.row([conversation.pk, *_values(message, _OF_MESSAGE), *_values(conversation, _OF_MOVED)])
    assert key is not None, "the conversation's row is held by the caller"
    message.pk = key[0]
    message.conversation = conversation
    message._state.adding, message._state.db = False, connection.alias


def _values(row: Model, fields: list["Field[Any, Any]"]) -> list[Any]:
    # Texts, numbers, times and ids: the driver writes them as they are.
    return [getattr(row, field.attname) for field in fields]
