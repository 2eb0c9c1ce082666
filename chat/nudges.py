"""What agents are reminded of in a live chat: that nobody has answered yet, that somebody waits, that it may be over.

Each is a row of ChatDue; its function looks anew under the lock and returns when to look again. A reminder is an event,
`chat.nudged`, that customers do not see: open pages of the desk are told by the feed, and agents as they have chosen.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from chat import chats, dues, offers, presence
from chat.models import Chat, ChatAgent, ChatDue
from chat.silence import ENDS_AFTER, HOLD_LASTS, TYPED_WITHIN, WAITS_AFTER, last_said
from helpdesk.conversations import answers
from helpdesk.conversations.models import Message
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM
from helpdesk.sla.models import Clock, Target

HALF, MOST, LATE, WAITS, BACK, ANYTHING = "half", "most", "late", "waits", "back", "anything"
# What CHAT_DUES calls.


def half(chat: Chat, at: datetime) -> datetime | None:
    """Half of the promised time has gone: everybody who is there is asked once more."""
    if _is_answered(chat):
        return None
    offers.begin_again(chat, at)
    _nudge(chat, HALF, _available(chat) if chat.state == Chat.State.WAITING else _held_by(chat), at)
    return None


def most(chat: Chat, at: datetime) -> datetime | None:
    """Most of it has: who leads is asked to take over."""
    if not _is_answered(chat):
        _nudge(chat, MOST, _leads(), at)
    return None


def late(chat: Chat, at: datetime) -> datetime | None:
    """All of it has: the customer is told so, and that they need not wait here."""
    if _is_answered(chat):
        return None
    _nudge(chat, LATE, [*_leads(), *_held_by(chat)], at)
    with translation.override(language_of(chat)):
        answers.write_automatically(chat.conversation, _sorry(chat.conversation.customer.email), at=at)
    return None


def _sorry(email: str) -> str:
    begin = _("I am sorry: it takes longer than we promised, and nobody has had time for you yet.")
    if email:
        rest = _("You can go on waiting here, or leave: our answer reaches you at %(email)s as well.")
        return f"{begin} {rest}" % {"email": email}
    return f"{begin} " + _("You can go on waiting here, or leave us your e-mail address: then we answer there.")


def waits(chat: Chat, at: datetime) -> datetime | None:
    """The customer has waited a while, and nobody is typing."""
    last = last_said(chat.pk)
    if not _is_held(chat) or last is None or last.kind != Message.Kind.INBOUND:
        return None
    if chat.hold_until is not None and chat.hold_until > at:
        return chat.hold_until
    soonest = max(last.at + WAITS_AFTER, (_typed_at(chat) or last.at) + TYPED_WITHIN)
    if soonest > at:
        return soonest
    _nudge(chat, WAITS, _held_by(chat), at)
    # Each time after twice as long: who has gone home is not called a hundred times.
    return at + max(at - last.at, WAITS_AFTER)


def back(chat: Chat, at: datetime) -> datetime | None:
    """The agent said that they would be right back, and the time is over, whoever of both spoke last."""
    last = last_said(chat.pk)
    if not _is_held(chat) or chat.hold_until is None:
        return None
    _nudge(chat, BACK, _held_by(chat), at)
    if last is not None and last.kind == Message.Kind.INBOUND:
        dues.plan(chat.pk, ChatDue.Kind.WAITS, at + HOLD_LASTS)
        return None
    # The customer has been told to wait, and does: each time after twice as long.
    return at + (at - chat.hold_until + HOLD_LASTS)


def anything(chat: Chat, at: datetime) -> datetime | None:
    """Nothing was said since the answer: is there anything else? If nobody says a word more, the chat ends kindly."""
    last = last_said(chat.pk)
    if not _is_held(chat) or last is None or last.kind != Message.Kind.OUTBOUND:
        return None
    _nudge(chat, ANYTHING, _held_by(chat), at)
    dues.plan(chat.pk, ChatDue.Kind.END, at + ENDS_AFTER)
    return None


def end(chat: Chat, at: datetime) -> datetime | None:
    """Silence ends it: kindly, and with the question how it was."""
    last = last_said(chat.pk)
    if not _is_held(chat) or last is None or last.kind != Message.Kind.OUTBOUND:
        return None
    with translation.override(language_of(chat)):
        words = _("I have not heard from you for a while, so I close this chat. Write again and it goes on here.")
        answers.write_automatically(chat.conversation, words, at=at)
    chats.end(chat.pk, actor=SYSTEM, at=at)
    return None


# What they look at.


def language_of(chat: Chat) -> str:
    """What the customer reads: their browser's language, else what is known of them; English where we speak neither."""
    wanted = (chat.visit.language if chat.visit else "") or chat.conversation.customer.language
    try:
        return translation.get_supported_language_variant((wanted or "en").lower())
    except LookupError:
        return "en"


def _is_answered(chat: Chat) -> bool:
    """Whether the promise of a first answer is kept, or holds no more."""
    if chat.mode != Chat.Mode.CHAT or chat.state == Chat.State.ENDED:
        return True
    owed = Clock.objects.filter(conversation=chat.pk, target=Target.FIRST_RESPONSE, met_at=None, cancelled_at=None)
    return not owed.exists()


def _is_held(chat: Chat) -> bool:
    return chat.mode == Chat.Mode.CHAT and chat.state == Chat.State.ACTIVE


def _held_by(chat: Chat) -> list[int]:
    return [chat.conversation.assignee_id] if chat.conversation.assignee_id is not None else []


def _available(chat: Chat) -> list[int]:
    there = ChatAgent.objects.filter(pk__in=offers.team_of(chat), state=ChatAgent.State.AVAILABLE)
    return sorted(there.values_list("pk", flat=True))


def _leads() -> list[int]:
    return sorted(User.objects.filter(role=User.Role.ADMIN, is_active=True).values_list("pk", flat=True))


def _typed_at(chat: Chat) -> datetime | None:
    assert chat.conversation.assignee_id is not None, "an active chat is somebody's"
    return presence.typed_at(chat.pk, chat.conversation.assignee_id)


def _nudge(chat: Chat, kind: str, agents: Collection[int], at: datetime) -> None:
    _set(chat, kind)
    data: dict[str, Any] = {"nudge": kind, "agents": list(dict.fromkeys(agents))}
    record(Fact("chat.nudged", chat.pk, SYSTEM, data=data), at=at)


def _set(chat: Chat, kind: str) -> None:
    Chat.objects.filter(pk=chat.pk).update(nudge=kind)
    chat.nudge = kind
