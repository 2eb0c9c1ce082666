"""How things stand for a visitor: who they are, who is there, whether they may chat live, how far the chat has come."""

from datetime import datetime
from typing import Any

from chat import chats, widgets
from chat.chats import LONGEST_TEXT
from chat.frames import milliseconds
from chat.models import Chat, Visit, Widget
from helpdesk.static_files import build

MOST_FILES = 5
MOST_BYTES = 10 * 1024 * 1024


def state(visit: Visit, chat: Chat | None, *, at: datetime) -> dict[str, Any]:
    """The body of `welcome`, and of a session's answer."""
    entitled = chats.entitled(visit, visit.customer, at=at)
    may = "live" if entitled.is_live or (chat is not None and chat.state == Chat.State.ACTIVE) else "schedule"
    found: dict[str, Any] = {
        "now": milliseconds(at),
        # What the page may know its visitor by; it opens nothing.
        "visitor": visit.digest[:16],
        "conv": None if chat is None else str(chat.public_id),
        "head": 0 if chat is None else chat.conversation.last_public_seq,
        "me": {
            "verified": visit.is_verified,
            "name": visit.customer.name if visit.customer else "",
            "email": visit.customer.email if visit.customer else "",
        },
        "entitle": {
            "chat": may,
            "until": None if entitled.until is None else milliseconds(entitled.until),
            "why": entitled.why,
        },
        "limits": {"text": LONGEST_TEXT, "files": MOST_FILES, "bytes": MOST_BYTES},
        "build": build(),
        **_there(visit.widget, visit.language, at),
    }
    if chat is not None:
        found["read"] = {"agent": chat.agent_read, "visitor": chat.visitor_read}
        found["chat"] = of_chat(chat)
    return found


def of_chat(chat: Chat) -> dict[str, Any]:
    """A chat in a list or a welcome."""
    return {
        "conv": str(chat.public_id),
        "number": chat.conversation_id,
        "mode": chat.mode,
        "state": chat.state,
        "status": chat.conversation.status,
        "subject": chat.conversation.subject,
        "head": chat.conversation.last_public_seq,
        "read": chat.visitor_read,
        "started": milliseconds(chat.started_at),
        "preview": chat.conversation.preview,
    }


def _there(widget: Widget, language: str, at: datetime) -> dict[str, Any]:
    """`team` and `avail`: who is there, and how soon they answer; the same for everybody, so from the page's config."""
    known = widgets.config(widget, widgets.language_of(language), at=at)
    return {"team": known["team"], "avail": known["avail"]}
