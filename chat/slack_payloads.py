"""What Slack tells us of a thread, reduced to what a chat needs. Pure; verify signatures first.

https://docs.slack.dev/reference/events/message and /interactivity (message shortcuts). Each parser returns what it
found, None for something readable that does not concern us, or raises UnreadablePayload; nothing else, whatever the
bytes.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from chat.slack_words import SEND_SHORTCUT
from helpdesk.events.payloads import UnreadablePayload, as_dict, as_list, form_fields, json_object
from helpdesk.events.safe_text import one_line, storable

LONGEST_TEXT: Final = 10_000
MOST_FILES: Final = 10
# The word by which a reply in the thread goes to the customer.
REPLY: Final = "!reply"
_SAYS: Final = (None, "", "file_share", "thread_broadcast")
# <https://x|label>, <@U1|ann>, <#C1|general>, <!here>: Slack's own marks (docs.slack.dev/messaging/formatting).
_MARK: Final = re.compile(r"<([@#!]?)([^<>|\s]{1,3000})(?:\|([^<>]{0,3000}))?>")


@dataclass(frozen=True, slots=True)
class Written:
    """Somebody wrote in a thread: as plain text, with the names of files. `is_reply`: it begins with REPLY, which the
    text leaves out; `is_shortcut`: somebody chose to send this message to the customer.
    """

    team: str
    channel: str
    thread_ts: str
    ts: str
    user: str
    text: str
    files: tuple[str, ...] = ()
    is_reply: bool = False
    is_shortcut: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A message of a thread was edited, or deleted."""

    channel: str
    thread_ts: str
    ts: str
    is_deleted: bool


def parse_event(raw: bytes) -> Written | Changed | None:
    """The body of an Events API call."""
    body = json_object(raw)
    event = as_dict(body.get("event"))
    if body.get("type") != "event_callback" or event.get("type") != "message":
        return None
    subtype = event.get("subtype")
    if subtype in ("message_changed", "message_deleted"):
        return _change(event, is_deleted=subtype == "message_deleted")
    if subtype not in _SAYS or event.get("bot_id"):
        return None
    return _written(_text(body.get("team_id")), _text(event.get("channel")), event)


def parse_shortcut(raw: bytes) -> Written | None:
    """The form of an interactivity call: the message shortcut “Send to customer”. `user` is who chose it."""
    form = form_fields(raw)
    if "payload" not in form:
        return None
    payload = json_object(form["payload"].encode("utf-8", "replace"))
    if payload.get("type") != "message_action" or payload.get("callback_id") != SEND_SHORTCUT:
        return None
    message = as_dict(payload.get("message"))
    by_us = message.get("bot_id") or not message.get("user")
    chosen = {**message, "user": as_dict(payload.get("user")).get("id")}
    team, channel = _text(as_dict(payload.get("team")).get("id")), _text(as_dict(payload.get("channel")).get("id"))
    found = _written(team, channel, chosen, is_shortcut=True)
    return None if by_us else found


def _written(team: str, channel: str, event: dict[str, Any], *, is_shortcut: bool = False) -> Written | None:
    thread_ts, ts, user = (_text(event.get(name)) for name in ("thread_ts", "ts", "user"))
    if not thread_ts or thread_ts == ts:
        return None  # not in a thread
    if not channel or not ts or not user:
        raise UnreadablePayload("a message without channel, time or author")
    text = plain(event["text"]) if isinstance(event.get("text"), str) else ""
    files = [as_dict(one).get("name") for one in as_list(event.get("files"))[:MOST_FILES]]
    names = tuple(one_line(name, 100) for name in files if isinstance(name, str))
    word, rest = text[: len(REPLY)], text[len(REPLY) :]
    is_reply = word.lower() == REPLY and not rest[:1].strip()
    return Written(team, channel, thread_ts, ts, user, rest.strip() if is_reply else text, names, is_reply, is_shortcut)


def _change(event: dict[str, Any], *, is_deleted: bool) -> Changed | None:
    before, after = as_dict(event.get("previous_message")), as_dict(event.get("message"))
    original = before if is_deleted or not after else after
    if original.get("bot_id") or (not is_deleted and before.get("text") == after.get("text")):
        return None  # our own, or only a link that was unfolded
    thread_ts, ts = _text(original.get("thread_ts")), _text(original.get("ts"))
    channel = _text(event.get("channel"))
    if not thread_ts or not ts or not channel or thread_ts == ts:
        return None
    return Changed(channel, thread_ts, ts, is_deleted)


def plain(text: str) -> str:
    """Slack's text as people read it: marks resolved, the three escapes undone."""
    shown = _MARK.sub(_shown, storable(text, LONGEST_TEXT * 2))
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()[:LONGEST_TEXT]


def _shown(mark: re.Match[str]) -> str:
    kind, target, label = mark.groups()
    if kind:
        return f"{'@' if kind != '#' else '#'}{label or target}"
    address = target.removeprefix("mailto:")
    return address if not label or label in (address, target) else f"{label} ({address})"


def _text(value: Any) -> str:
    return one_line(value, 40) if isinstance(value, str) else ""
