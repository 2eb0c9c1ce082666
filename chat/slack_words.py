"""What Slack is told of a chat: its first message, and what followed, in lines. Pure; Slack's escapes throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from helpdesk.events.safe_text import one_line, storable
from helpdesk.oncall.pagers.slack_calls import escaped

# Slack cuts a message at 40,000 characters and shows 4,000 well (chat.postMessage).
MOST_CHARACTERS: Final = 3500
MOST_OF_ONE: Final = 2500
SEND_SHORTCUT: Final = "send_to_customer"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing to tell: an event's `seq` and kind, who did it, and the words, "" where the kind says it all. `files`
    are names; `from_slack`: it was written there.
    """

    seq: int
    kind: str
    who: str
    text: str = ""
    files: Sequence[str] = ()
    is_inbound: bool = False
    from_slack: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What stands above a chat: who asks, what they are to us, where to answer."""

    number: int
    customer: str
    organization: str
    plan: str
    is_verified: bool
    page: str
    url: str


def first(card: Card, happened: Sequence[Happened]) -> dict[str, Any]:
    """The message that begins a thread: text for notifications, blocks to look at."""
    words = lines(happened)
    who = escaped(one_line(card.customer, 100))
    facts = [
        ("Organization", card.organization),
        ("Plan", card.plan),
        ("Identity", "verified" if card.is_verified else "not verified"),
        ("Page", card.page),
    ]
    fields = [
        {"type": "mrkdwn", "text": f"*{name}*\n{escaped(one_line(value, 200))}"} for name, value in facts if value
    ]
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": one_line(f"💬 Chat #{card.number}: {card.customer}", 150)},
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": words[:2900] or "…"}},
        {"type": "section", "fields": fields},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": HELP}]},
    ]
    if card.url.startswith(("https://", "http://")) and len(card.url) <= 3000:
        button = {
            "type": "button",
            "style": "primary",
            "text": {"type": "plain_text", "text": "Open the chat"},
            "action_id": "open_conversation",
            "url": card.url,
        }
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": f"💬 {who} waits in chat #{card.number}", "blocks": blocks, **_PLAIN}


HELP: Final = (
    "Replies in this thread are *internal notes*. To answer the customer begin with `!reply`, or choose "
    "“Send to customer” from a message's menu."
)
_PLAIN: Final = {"unfurl_links": False, "unfurl_media": False}


def following(happened: Sequence[Happened]) -> dict[str, Any]:
    """A message within the thread."""
    return {"text": lines(happened) or "…", **_PLAIN}


def fitting(happened: Sequence[Happened]) -> Sequence[Happened]:
    """As many of the first ones as one message shows well, at least one."""
    room = MOST_CHARACTERS
    for place, one in enumerate(happened):
        room -= len(_line(one)) + 1
        if room < 0 and place:
            return happened[:place]
    return happened


def lines(happened: Sequence[Happened]) -> str:
    return "\n".join(line for line in map(_line, happened) if line)


def _line(one: Happened) -> str:
    who = escaped(one_line(one.who, 100))
    if one.kind == "chat.joined":
        return f"_{who} has joined_"
    if one.kind == "chat.ended":
        return f"_The chat was ended by {who or 'itself'}_"
    if one.kind == "chat.converted":
        return f"_{who} made it a request, to be answered at leisure_"
    if one.kind == "chat.left":
        return "_The customer has left while they waited_"
    if one.kind == "chat.returned":
        return "_The customer is back and waits again_"
    if one.from_slack:
        return f"✅ _Sent to the customer by {who}_"
    words = escaped(storable(one.text.strip(), MOST_OF_ONE))
    named = "".join(f" 📎 {escaped(one_line(name, 100))}" for name in list(one.files)[:10])
    arrow = "" if one.is_inbound else " → customer"
    return f"*{who or 'Customer'}*{arrow}: {words}{named}"
