"""A conversation's thread: the last messages, notes and events, in the order in which they happened."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from helpdesk.conversations import emoji
from helpdesk.conversations.handing_out import PICTURES, SOUNDS
from helpdesk.conversations.models import Attachment, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from helpdesk.numbers import whole_number
from helpdesk.prepared import Prepared
from tickets.desk import event_lines, on_networks
from tickets.models import InboundEmail, MailHeader

PAGE = 50
MOST_EVENTS = 200
SHOWN = 12_000
FOLDED_FROM = 4
# Statements are written out: building them from expressions costs more than running them. Texts are cut by the
# database, because a 5 MB mail must not travel here to show its beginning; their sizes in bytes are known without
# reading them.
_MESSAGE = f"""
SELECT m.id, m.kind, m.author_kind, m.agent_id, m.customer_id, m.at, m.client_id, m.is_automatic, m.is_verified,
       m.remark, m.via, m.delivery, left(m.error, 400) AS error,
       left(m.text, {SHOWN}) AS shown, octet_length(m.text) AS size,
       octet_length(m.full_text) <> octet_length(m.text) AS has_more, m.html <> '' AND m.agent_id IS NULL AS has_html,
       agent.name AS agent_name,
       coalesce(nullif(customer.name, ''), customer.email) AS customer_name, header.cc, header."to",
       (SELECT min(mail.id) FROM {InboundEmail._meta.db_table} AS mail WHERE mail.message_id = m.id) AS mail,
       (SELECT json_agg(file ORDER BY file.id) FROM (
            SELECT id, name, content_type, size FROM {Attachment._meta.db_table} WHERE message_id = m.id
        ) AS file) AS attachments
FROM {Message._meta.db_table} AS m
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = m.agent_id
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = m.customer_id
LEFT JOIN {MailHeader._meta.db_table} AS header ON header.message_id = m.id
WHERE m.conversation_id = %s AND
"""
_MESSAGES = Prepared("thread_messages", f"{_MESSAGE} m.id < %s ORDER BY m.id DESC LIMIT %s")
_THESE_MESSAGES = Prepared("thread_these_messages", f"{_MESSAGE} m.id = ANY(%s) ORDER BY m.id DESC")
# Kinds that messages show for themselves are left in the database.
_EVENTS = Prepared(
    "thread_events",
    f"""
SELECT event.kind, event.at, actor.name, event.data, event.seq
FROM {Event._meta.db_table} AS event LEFT JOIN {User._meta.db_table} AS actor ON actor.id = event.actor_id
WHERE conversation_id = %(conversation)s
    AND kind NOT IN ('message.received', 'message.written', 'message.forwarded', 'message.sent', 'note.written',
        'agent.mentioned', 'chat.offered', 'chat.nudged', 'chat.asked', 'chat.held')
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR at <= %(until)s)
ORDER BY seq DESC LIMIT {MOST_EVENTS}
""",
)
# What was recorded above a number. An event is `wide` where its transaction did something elsewhere as well, as merging
# and splitting do.
_SINCE = Prepared(
    "thread_since",
    f"""
SELECT event.kind, event.at, actor.name, event.data, event.seq, EXISTS (
    SELECT FROM {Event._meta.db_table} AS other
    WHERE other.transaction_id = event.transaction_id AND other.conversation_id <> event.conversation_id)
FROM {Event._meta.db_table} AS event LEFT JOIN {User._meta.db_table} AS actor ON actor.id = event.actor_id
WHERE event.conversation_id = %s AND event.seq > %s
ORDER BY event.seq LIMIT %s
""",
)
_NEWEST = 2**63 - 1
# More than that is asked for as a whole.
MOST_NEW = 50
_SPOKEN = frozenset({"conversation.opened", "message.received", "message.written", "message.forwarded", "note.written"})
# What takes messages away or brings them from elsewhere.
_REDRAWN = frozenset({"message.taken_back", "conversation.merged", "conversation.split", "conversation.split_off"})
# What nothing but the thread shows.
_QUIET = frozenset({"note.written", "agent.mentioned", "message.sent", "message.delivered", "notice.planned"})


@dataclass(frozen=True, slots=True)
class Item:
    """`message` is set for messages and notes, `line` for events; `is_known` for a message that is shown already."""

    at: datetime
    message: dict[str, Any] | None = None
    line: str = ""
    tone: str = ""
    opens: bool = False
    seq: int = 0
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """`before` is the cursor of the older part, 0 where there is none; `last_message` the newest one's id. What is put
    below a thread goes on after `shown_until`.
    """

    items: list[Item]
    before: int
    last_message: int
    shown_until: datetime | None = None

    def cursor(self, seq: int) -> str:
        """The query that asks for what happens after event `seq`, to be put below this part."""
        at = max((item.at for item in self.items if not item.is_known), default=self.shown_until)
        return urlencode({"seq": seq, "last": self.last_message, "at": at.isoformat() if at else ""})

    def folded(self) -> list[list[Item]]:
        """The items in order, each alone but for runs of FOLDED_FROM and more lines of one day: those are one. What
        warns stays in sight. What is put below a thread is folded there (conversation.js).
        """
        parts: list[list[Item]] = []
        run: list[Item] = []
        for item in self.items:
            is_quiet = item.message is None and not item.tone and self.shown_until is None
            if run and (not is_quiet or timezone.localdate(item.at) != timezone.localdate(run[-1].at)):
                parts += _parted(run)
                run = []
            if is_quiet:
                run.append(item)
            else:
                parts.append([item])
        return parts + _parted(run)

    def lines(self, after: int, until: int) -> list[str]:
        """The sentences of the events numbered `after` < seq <= `until`."""
        return [item.line for item in self.items if after < item.seq <= until]


def _parted(run: list[Item]) -> list[list[Item]]:
    return [run] if len(run) >= FOLDED_FROM else [[item] for item in run]


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


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows: the events up to `seq`, the newest message and the latest instant."""

    seq: int
    last: int
    at: datetime

    @classmethod
    def parse(cls, seq: str, last: str, at: str) -> "Shown | None":
        """Of `Thread.cursor`; None for anything else, and for a page that shows nothing yet."""
        numbers = [whole_number(text) for text in (seq, last)]
        try:
            instant = parse_datetime(at.replace(" ", "+"))
        except ValueError:
            return None
        if not numbers[0] or instant is None or instant.tzinfo is None:
            return None
        return cls(numbers[0], numbers[1], instant)


@dataclass(frozen=True, slots=True)
class Since:
    """What was recorded after a page was drawn. `is_quiet` where nothing beside the thread shows any of it."""

    shown: Shown
    seq: int
    is_quiet: bool
    rows: list[tuple[Any, ...]]


def since(conversation_id: int, shown: Shown) -> Since | None:
    """None where only the whole thread will do: too much happened, or messages went elsewhere. One statement."""
    rows = _SINCE.rows([conversation_id, shown.seq, MOST_NEW + 1])
    if not rows or len(rows) > MOST_NEW or any(row[0] in _REDRAWN for row in rows):
        return None
    is_quiet = all(kind in _QUIET and not is_wide for kind, _at, _actor, _data, _seq, is_wide in rows)
    return Since(shown, rows[-1][4], is_quiet, rows)


def additions(conversation_id: int, news: Since, names: event_lines.Names) -> Thread | None:
    """The messages that came and those that are no longer as they were, and the lines of the events. None where what
    came belongs above what is shown. At most one statement.
    """
    shown = news.shown
    named: dict[int, bool] = {}
    items = []
    told = [json.loads(data) for _kind, _at, _actor, data, _seq, _is_wide in news.rows]
    names = _with_agents(names, told)
    for (kind, at, actor, _data, seq, _is_wide), given in zip(news.rows, told, strict=True):
        number = given.get("message")
        if isinstance(number, int) and number > 0:
            named[number] = named.get(number, False) or kind in _SPOKEN
        text = event_lines.line(kind, actor or "", given, names)
        if text:
            items.append(_line(kind, at, text, seq))
    messages = _these_messages(conversation_id, named) if named else []
    items += [Item(m["at"], message=m, is_known=not named[m["id"]]) for m in messages]
    if any(not item.is_known and (item.at < shown.at or (item.message and item.at == shown.at)) for item in items):
        return None
    # What is known comes first, to be put where it stands; then as in `read`.
    items.sort(key=lambda item: (not item.is_known, item.at, not item.opens, item.message is None))
    newest = [m["id"] for m in messages if named[m["id"]]]
    return Thread(items, 0, max([shown.last, *newest]), shown.at)


def newest(conversation_id: int, count: int, *, before: int = 0) -> list[dict[str, Any]]:
    """The newest messages alone (of those older than message `before`), oldest first. One statement."""
    return _messages(conversation_id, before, count)[::-1]


def part_with(conversation_id: int, message: int) -> int:
    """The `before` for `read` of the part that has this message in its middle, 0 for the newest. One statement."""
    later = Message.objects.filter(conversation=conversation_id, pk__gt=message).order_by("pk")
    found: int | None = later.values_list("pk", flat=True)[PAGE // 2 : PAGE // 2 + 1].first()
    return found or 0


def _messages(conversation_id: int, before: int, count: int) -> list[dict[str, Any]]:
    return _prepared(_MESSAGES.mappings([conversation_id, before or _NEWEST, count]))


def _these_messages(conversation_id: int, ids: Collection[int]) -> list[dict[str, Any]]:
    return _prepared(_THESE_MESSAGES.mappings([conversation_id, sorted(ids)]))


def _prepared(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    marks = on_networks.marks([m["id"] for m in messages if m["kind"] != "note" and on_networks.is_one(m["via"])])
    for message in messages:
        message["network"] = marks.get(message["id"])
        message["attachments"] = message["attachments"] or []
        for file in message["attachments"]:
            file["is_picture"] = file["content_type"] in PICTURES
            file["is_sound"] = file["content_type"] in SOUNDS
        message["is_cut"] = len(message["shown"].encode()) < message["size"]
        message["big"] = message["size"] < 300 and emoji.is_big(message["shown"])
    return messages


def _events(
    conversation_id: int, since: datetime | None, until: datetime | None, names: event_lines.Names
) -> list[Item]:
    given = {"conversation": conversation_id, "since": since, "until": until}
    items = []
    rows = [(kind, at, actor, json.loads(data), seq) for kind, at, actor, data, seq in reversed(_EVENTS.rows(given))]
    names = _with_agents(names, [data for _kind, _at, _actor, data, _seq in rows])
    for kind, at, actor, data, seq in rows:
        text = event_lines.line(kind, actor or "", data, names)
        if text:
            items.append(_line(kind, at, text, seq))
    return items


def _with_agents(names: event_lines.Names, told: Collection[event_lines.Data]) -> event_lines.Names:
    """Where there are too many agents to list, names lack some that events speak of: then one statement."""
    missing = {data["assignee"] for data in told if isinstance(data.get("assignee"), int)}
    missing = {pk for pk in missing if ("agent", pk) not in names}
    if not missing:
        return names
    found = User.objects.filter(pk__in=missing).values_list("pk", "name")
    return {**names, **{("agent", pk): name for pk, name in found}}


def _line(kind: str, at: datetime, text: str, seq: int) -> Item:
    return Item(at, line=text, tone=_tone(kind), opens=kind == "conversation.opened", seq=seq)


def _tone(kind: str) -> str:
    if kind in ("clock.breached", "message.failed", "mail.failed", "page.escalated"):
        return "bad"
    return "warn" if kind in ("clock.warned", "page.triggered", "page.extended", "page.unacknowledged") else ""
