"""A conversation and its first message in one statement: half the round trips of two, and none of the ORM's writing.

It runs for every request that comes in.
"""

from typing import Any

from django.db import connection
from django.db.models import Field, Model

from helpdesk.conversations.models import Conversation, Message


def _stored(model: type[Model]) -> list["Field[Any, Any]"]:
    """The fields to write: all but the key and what the database makes by itself."""
    return [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]


def _names(fields: list["Field[Any, Any]"]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


_OF_CONVERSATION = _stored(Conversation)
_OF_MESSAGE = [field for field in _stored(Message) if field.name != "conversation"]
_INSERT = f"""
WITH conversation AS (
    INSERT INTO {Conversation._meta.db_table} ({_names(_OF_CONVERSATION)})
    VALUES ({", ".join(["%s"] * len(_OF_CONVERSATION))}) RETURNING id
), message AS (
    INSERT INTO {Message._meta.db_table} (conversation_id, {_names(_OF_MESSAGE)})
    SELECT id, {", ".join(["%s"] * len(_OF_MESSAGE))} FROM conversation RETURNING id
)
SELECT conversation.id, message.id FROM conversation, message
"""


def insert(conversation: Conversation, message: Message) -> None:
    """Write both and give them their keys. Raises IntegrityError like `save`."""
    values = [*_values(conversation, _OF_CONVERSATION), *_values(message, _OF_MESSAGE)]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        conversation.pk, message.pk = cursor.fetchone()
    message.conversation = conversation
    for row in (conversation, message):
        row._state.adding, row._state.db = False, connection.alias


def _values(row: Model, fields: list["Field[Any, Any]"]) -> list[Any]:
    # Texts, numbers, times and ids: the driver writes them as they are.
    return [getattr(row, field.attname) for field in fields]
