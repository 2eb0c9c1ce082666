"""A conversation's thread: the last messages, notes and events, in the order in which they happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Left, Length

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events.models import Event
from tickets.desk import event_lines, wording
from tickets.models import InboundEmail

PAGE = 50
MOST_EVENTS = 200
SHOWN = 12_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_FIELDS = (
    "id",
    "kind",
    "author_kind",
    "agent_id",
    "agent__name",
    "customer_id",
    "customer__name",
    "customer__email",
    "shown",
    "length",
    "has_more",
    "has_html",
    "at",
    "via",
    "client_id",
    "is_automatic",
    "is_verified",
    "remark",
    "delivery",
    "attempts",
    "error",
    "mail",
    "mail_header__to",
    "mail_header__cc",
    "mail_header__sender",
)


@dataclass(frozen=True, slots=True)
class Item:
    """`message` is set for messages and notes, `line` for events."""

    at: datetime
    day: datetime | None = None
    message: dict[str, Any] | None = None
    line: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """`before` is the cursor of the older part, 0 where there is none; `last_message` the newest one's id."""

    items: list[Item]
    before: int
    last_message: int


def read(conversation: Conversation, names: event_lines.Names, *, before: int = 0) -> Thread:
    """The newest PAGE messages (older than message `before`, if given) with what happened among them. Three statements."""
    messages = _messages(conversation.pk, before)
    older, messages = len(messages) > PAGE, messages[:PAGE]
    messages.reverse()
    _add_attachments(messages)
    since = messages[0]["at"] if older and messages else None
    until = messages[-1]["at"] if before and messages else None
    items = [Item(message["at"], message=message) for message in messages]
    items += _events(conversation.pk, since, until, names)
    # Sorting is stable: what happened in one instant stays message first, then its consequences.
    items.sort(key=lambda item: item.at)
    return Thread(items, messages[0]["id"] if older and messages else 0, messages[-1]["id"] if messages else 0)


def _messages(conversation_id: int, before: int) -> list[dict[str, Any]]:
    # Texts are cut by the database: a 5 MB mail must not travel here to show its beginning.
    found = Message.objects.filter(conversation_id=conversation_id)
    if before:
        found = found.filter(id__lt=before)
    mail = InboundEmail.objects.filter(message_id=OuterRef("pk")).order_by("id").values("id")[:1]
    differs = Case(When(~Q(full_text=F("text")), then=Value(True)), default=Value(False), output_field=BooleanField())
    html = Case(When(html="", then=Value(False)), default=Value(True), output_field=BooleanField())
    annotated = found.annotate(
        shown=Left("text", SHOWN), length=Length("text"), has_more=differs, has_html=html, mail=Subquery(mail)
    )
    messages = list(annotated.order_by("-id").values(*_FIELDS)[: PAGE + 1])
    for message in messages:
        message["big"] = message["length"] < 60 and wording.is_only_emoji(message["shown"])
    return messages


def _add_attachments(messages: list[dict[str, Any]]) -> None:
    ids = [message["id"] for message in messages]
    files: dict[int, list[dict[str, Any]]] = {}
    fields = ("id", "message_id", "name", "content_type", "size", "inline")
    for attachment in Attachment.objects.filter(message_id__in=ids).order_by("id").values(*fields):
        attachment["is_picture"] = attachment["content_type"] in PICTURES
        files.setdefault(attachment["message_id"], []).append(attachment)
    for message in messages:
        message["attachments"] = files.get(message["id"], [])


def _events(
    conversation_id: int, since: datetime | None, until: datetime | None, names: event_lines.Names
) -> list[Item]:
    # Kinds that messages show for themselves are left in the database.
    found = Event.objects.filter(conversation_id=conversation_id).exclude(
        kind__in=("message.received", "message.written", "message.sent", "note.written")
    )
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lte=until)
    rows = found.order_by("-seq").values_list("kind", "at", "actor__name", "data")[:MOST_EVENTS]
    items = []
    for kind, at, actor, data in reversed(list(rows)):
        text = event_lines.line(kind, actor or "", data, names)
        if text:
            items.append(Item(at, line=text, tone=_tone(kind)))
    return items


def _tone(kind: str) -> str:
    if kind in ("clock.breached", "message.failed", "page.escalated"):
        return "bad"
    return "warn" if kind in ("clock.warned", "page.triggered", "page.extended", "page.unacknowledged") else ""
