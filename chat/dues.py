"""What is to happen to a chat at a time, as rows: a sweep finds them, looks again under the lock and moves them on."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from chat.models import Chat, ChatDue
from helpdesk.conversations.incoming import lock
from helpdesk.prepared import Prepared

logger = logging.getLogger(__name__)

MOST: Final = 200
# What fails is looked at again after a while, and never stops the others.
AFTER_AN_ERROR: Final = timedelta(minutes=1)

Handler = Callable[[Chat, datetime], datetime | None]
_PLAN = Prepared(
    "plan_chat_due",
    f"""
INSERT INTO {ChatDue._meta.db_table} (chat_id, kind, due_at) VALUES (%s::bigint, %s, %s::timestamptz)
ON CONFLICT (chat_id, kind) DO UPDATE SET due_at = excluded.due_at
""",
)


def plan(conversation_id: int, kind: str, due_at: datetime) -> None:
    """Let this happen at that time, instead of at the time planned before."""
    _PLAN.run([conversation_id, kind, due_at])


def drop(conversation_id: int, *kinds: str) -> None:
    """It has become needless."""
    ChatDue.objects.filter(chat=conversation_id, kind__in=kinds).delete()


@cache
def handler_of(kind: str) -> Handler:
    """The function of CHAT_DUES: it gets the chat, its conversation's row locked, and returns when to look again, or
    None when this is done.
    """
    found: Handler = import_string(settings.CHAT_DUES[kind])
    return found


def sweep(at: datetime) -> int:
    """Do what is due; how much that was. Each in a transaction of its own, under the lock of its conversation."""
    done = 0
    due = ChatDue.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", "chat_id")[:MOST]
    for pk, conversation_id in due:
        try:
            done += _do(pk, conversation_id, at)
        except Exception:
            # Whatever is wrong with one chat must not keep the others waiting; it is seen in the log and tried again.
            logger.exception("what was due of chat %s failed", conversation_id)
            _later(pk, at)
    return done


@transaction.atomic
def _do(pk: int, conversation_id: int, at: datetime) -> bool:
    conversation = lock(conversation_id)
    due = ChatDue.objects.select_for_update().filter(pk=pk, due_at__lte=at).first()
    if due is None:
        return False  # another sweep was quicker, or it was moved meanwhile
    chat = Chat.objects.select_related("widget", "visit").get(pk=conversation_id)
    chat.conversation = conversation
    again = handler_of(due.kind)(chat, at)
    moved = ChatDue.objects.filter(pk=pk, due_at=due.due_at)
    if again is None:
        moved.delete()
    else:
        moved.update(due_at=again)
    return True


def _later(pk: int, at: datetime) -> None:
    ChatDue.objects.filter(pk=pk, due_at__lte=at).update(due_at=at + AFTER_AN_ERROR)
