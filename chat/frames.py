"""What is said over the agents' socket: one JSON object a text frame, `t` is its name (docs/live.md)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chat.log import Happened, Position
from chat.presence import Seen
from chat.texts import loaded

VERSION: Final = 1
# Longer names and previews are cut, so that a fact stays below 1 kB.
LONGEST: Final = 120

# Close codes; 1012 asks to come again at once.
BAD_FRAME, LOGGED_OUT, FORBIDDEN, NO_HELLO, SLOW_DOWN, OLD_VERSION, COME_AGAIN = (
    4400,
    4401,
    4403,
    4408,
    4429,
    4426,
    1012,
)

_NEW = ("conversation.opened", "message.received", "message.written", "note.written")
_EDITED = ("message.sent", "message.failed", "message.retried", "message.delivered", "message.bounced")


@dataclass(frozen=True, slots=True)
class Fact:
    """An event as it is said, put into words once for all who are told of it."""

    position: Position
    conversation_id: int | None
    text: str


def facts(events: Iterable[Happened]) -> list[Fact]:
    return [Fact(one.position, one.conversation_id, event(one)) for one in events]


def frame(name: str, **fields: Any) -> str:
    return json.dumps({"t": name, **fields}, ensure_ascii=False, separators=(",", ":"))


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds, as browsers count."""
    return int(at.timestamp() * 1000)


def event(happened: Happened) -> str:
    """An `ev` frame: a fact of one conversation."""
    details: dict[str, Any] = {
        "kind": happened.kind,
        "at": milliseconds(happened.at),
        "by": happened.actor_kind,
        "name": _short(happened.agent if happened.actor_id else happened.customer),
        "channel": happened.channel,
        "status": happened.status,
        "priority": happened.priority,
        "assignee": happened.assignee_id,
        "team": happened.team_id,
    }
    if happened.actor_id:
        details["agent"] = happened.actor_id
    if happened.next_due_at is not None:
        details["sla"] = {"due": milliseconds(happened.next_due_at)}
    if happened.kind == "chat.offered":
        details["agents"] = list(happened.data.get("agents", ()))
    if happened.kind in _NEW:
        details["preview"] = _short(happened.preview)
        details["internal"] = happened.message_kind == "note"
    return frame(
        "ev",
        id=happened.id,
        conv=happened.conversation_id,
        seq=happened.seq,
        k="msg.new" if happened.kind in _NEW else "msg.edit" if happened.kind in _EDITED else "conv.update",
        d=details,
    )


def reset(why: str, head: int) -> dict[str, Any]:
    """What a visitor's page is told when it cannot go on from where it is: read the thread, then go on from `head`.
    `why`: it is "old", or "ahead" of what there is.
    """
    return {"t": "reset", "why": why, "head": head}


def who(conversation: int, agents: Iterable[Seen]) -> str:
    return frame("who", conv=conversation, agents=list_of(agents))


def list_of(agents: Iterable[Seen]) -> list[dict[str, Any]]:
    return [{"id": one.id, "name": one.name, "do": one.do} for one in agents]


def read(text: str) -> Mapping[str, Any]:
    """A frame of a browser. Raises ValueError where it is none."""
    given = loaded(text)
    if not isinstance(given, dict) or not isinstance(given.get("t"), str):
        raise ValueError("a frame is an object that says its name in `t`")
    return given


def number(given: Mapping[str, Any], name: str) -> int:
    """A whole number from 0 up, as PostgreSQL has them; 0 where there is none. Raises ValueError."""
    value = given.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"`{name}` is a whole number")
    return value


def _short(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
