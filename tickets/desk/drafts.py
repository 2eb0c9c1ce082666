"""What agents have typed and not sent: kept on the server, shown to them again wherever they go on."""

from datetime import datetime

from django.db import connection

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tickets.desk.models import Draft
from tickets.forms import MAX_TEXT

_KEEP = f"""
INSERT INTO {Draft._meta.db_table} AS draft (conversation_id, user_id, kind, text, version, updated_at)
VALUES (%s, %s, %s, %s, 1, %s)
ON CONFLICT (conversation_id, user_id) DO UPDATE
SET kind = excluded.kind, text = excluded.text, version = draft.version + 1, updated_at = excluded.updated_at
RETURNING version
"""


def keep(conversation: Conversation, user: User, kind: str, text: str, *, at: datetime) -> int:
    """Keep the agent's one draft here; its version, which grows with each keeping. Empty text is no draft: 0."""
    if not text.strip():
        discard(conversation.pk, user)
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [conversation.pk, user.pk, kind, text, at])
        version: int = cursor.fetchone()[0]
    return version


def append(conversation_id: int, user: User, text: str, *, at: datetime) -> None:
    """Put the text below what the agent has typed there; a draft begins where there is none."""
    found = Conversation.objects.get(pk=conversation_id)
    known = Draft.objects.filter(conversation=found, user=user).first()
    typed = f"{known.text}\n\n{text}" if known else text
    keep(found, user, known.kind if known else "reply", typed[:MAX_TEXT], at=at)


def use_up(conversation_id: int, user: User, version: int) -> None:
    """It was sent. What was typed elsewhere since has a later version and stays."""
    Draft.objects.filter(conversation=conversation_id, user=user, version__lte=version).delete()


def discard(conversation_id: int, user: User) -> None:
    """The agent wants none of it."""
    Draft.objects.filter(conversation=conversation_id, user=user).delete()
