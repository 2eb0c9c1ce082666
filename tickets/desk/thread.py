"""A conversation's thread: the last messages, notes and events, in the order in which they happened."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.conversations.models import Attachment, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared
from tickets.desk import event_lines, wording
from tickets.models import InboundEmail, MailHeader

PAGE = 50
MOST_EVENTS = 200
SHOWN = 12_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# One statement, written out: building it from expressions costs more than running it. Texts are cut by the database,
# because a 5 MB mail must not travel here to show its beginning.
_MESSAGES = Prepared(
    "thread_messages",
    f"""
SELECT m.id, m.kind, m.author_kind, m.agent_id, m.customer_id, m.at, m.client_id, m.is_automatic, m.is_verified,
       m.remark, m.via, m.delivery, left(m.error, 400) AS error,
       left(m.text, {SHOWN}) AS shown, length(m.text) AS length,
       m.full_text <> m.text AS has_more, m.html <> '' AND m.agent_id IS NULL AS has_html, agent.name AS agent_name,
       coalesce(nullif(customer.name, ''), customer.email) AS customer_name, header.cc, header."to",
       (SELECT min(mail.id) FROM {InboundEmail._meta.db_table} AS mail WHERE mail.message_id = m.id) AS mail,
       (SELECT json_agg(file ORDER BY file.id) FROM (
            SELECT id, name, content_type, size FROM {Attachment._meta.db_table} WHERE message_id = m.id
        ) AS file) AS attachments
FROM {Message._meta.db_table} AS m
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = m.agent_id
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = m.customer_id
LEFT JOIN {MailHeader._meta.db_table} AS header ON header.message_id = m.id
WHERE m.conversation_id = %s AND m.id < %s
ORDER BY m.id DESC LIMIT %s
""",
)
# Kinds that messages show for themselves are left in the database.
_EVENTS = Prepared(
    "thread_events",
    f"""
SELECT event.kind, event.at, actor.name, event.data, event.seq
FROM {Event._meta.db_table} AS event LEFT JOIN {User._meta.db_table} AS actor ON actor.id = event.actor_id
WHERE conversation_id = %(conversation)s
    AND kind NOT IN ('message.received', 'message.written', 'message.forwarded', 'message.sent', 'note.written',
        'agent.mentioned')
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR at <= %(until)s)
ORDER BY seq DESC LIMIT {MOST_EVENTS}
""",
)
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Item:
    """`message` is set for messages and notes, `line` for events."""

    at: datetime
    message: dict[str, Any] | None = None
    line: str = ""
    tone: str = ""
    opens: bool = False
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """`before` is the cursor of the older part, 0 where there is none; `last_message` the newest one's id."""

    items: list[Item]
    before: int
    last_message: int

    def lines(self, after: int, until: int) -> list[str]:
        """The sentences of the events numbered `after` < seq <= `until`."""
        return [item.line for item in self.items if after < item.seq <= until]


def read(conversation_id: int, names: event_lines.Names, *, before: int = 0) -> Thread:
    """The newest PAGE messages (of those older than message `before`) with what happened among them. Two statements."""
    messages = _messages(conversation_id, before, PAGE + 1)
    older, messages = len(messages) > PAGE, messages[:PAGE]
    messages.reverse()
    since = messages[0]["at"] if older and messages else None
    until = messages[-1]["at"] if before and messages else None
    items = [Item(message["at"], message=message) for message in messages]
    items += _events(conversation_id, since, until, names)
    # Sorting is stable: of one instant the opening comes first, then what was said, then what followed.
    items.sort(key=lambda item: (item.at, not item.opens))
    return Thread(items, messages[0]["id"] if older and messages else 0, messages[-1]["id"] if messages else 0)


def newest(conversation_id: int, count: int) -> list[dict[str, Any]]:
    """The newest messages alone, oldest first. One statement."""
    return _messages(conversation_id, 0, count)[::-1]


def _messages(conversation_id: int, before: int, count: int) -> list[dict[str, Any]]:
    messages = _MESSAGES.mappings([conversation_id, before or _NEWEST, count])
    for message in messages:
        message["attachments"] = message["attachments"] or []
        for file in message["attachments"]:
            file["is_picture"] = file["content_type"] in PICTURES
        message["big"] = message["length"] < 60 and wording.is_only_emoji(message["shown"])
    return messages


def _events(
    conversation_id: int, since: datetime | None, until: datetime | None, names: event_lines.Names
) -> list[Item]:
    given = {"conversation": conversation_id, "since": since, "until": until}
    items = []
    for kind, at, actor, data, seq in reversed(_EVENTS.rows(given)):
        text = event_lines.line(kind, actor or "", json.loads(data), names)
        if text:
            items.append(Item(at, line=text, tone=_tone(kind), opens=kind == "conversation.opened", seq=seq))
    return items


def _tone(kind: str) -> str:
    if kind in ("clock.breached", "message.failed", "page.escalated"):
        return "bad"
    return "warn" if kind in ("clock.warned", "page.triggered", "page.extended", "page.unacknowledged") else ""
