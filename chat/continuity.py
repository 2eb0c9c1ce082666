"""What nobody has seen in the panel goes out by mail, once, and the conversation goes on either way.

The sweep of `chat.dues` asks here, with the conversation's row locked. How far was mailed is remembered in the
transaction that records what is asked of the mail room: a sweep that runs again finds nothing to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from chat import links, visitor_presence
from chat.models import Chat, ChatAgent, ChatDue
from helpdesk.conversations import continuing
from helpdesk.conversations.continuing import Particulars
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import together
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared

# Who has the panel before their eyes is not written to, but not for ever: they may have fallen asleep over it.
LOOKS_AGAIN: Final = timedelta(seconds=60)
WATCHES_FOR: Final = timedelta(minutes=10)
MOST: Final = 100
MAIL: Final = "email"
NO_ADDRESS: Final = "No address: not mailed"
CONVERTED, ADDRESS_ASKED, ADDRESS_GIVEN = "chat.converted", "chat.address_asked", "chat.address_given"
TRANSCRIPTS, TRANSCRIPTS_WITHIN = 5, timedelta(hours=1)
ADDRESSES: Final = 3

# Sooner than planned, never later: an agent who writes on and on does not put the mail off.
_PLAN = Prepared(
    "plan_chat_mail",
    f"""
INSERT INTO {ChatDue._meta.db_table} (chat_id, kind, due_at)
SELECT conversation_id, 'mail', %s::timestamptz FROM {Chat._meta.db_table} WHERE conversation_id = %s::bigint
ON CONFLICT (chat_id, kind) DO UPDATE SET due_at = least({ChatDue._meta.db_table}.due_at, excluded.due_at)
""",
)
_UNSEEN = Prepared(
    "unseen_by_visitor",
    f"""
SELECT event.public_seq, event.at, event.kind, message.id, message.is_automatic
FROM {Event._meta.db_table} AS event
LEFT JOIN {Message._meta.db_table} AS message ON message.conversation_id = event.conversation_id
    AND message.kind = 'outbound' AND event.kind = 'message.written' AND message.id = (event.data ->> 'message')::bigint
WHERE event.conversation_id = %s AND event.public_seq > %s
    AND (event.kind = '{CONVERTED}' OR (event.kind = 'message.written' AND message.via = %s))
ORDER BY event.public_seq LIMIT {MOST}
""",
)


class NoAddress(ValueError):
    """Nobody has said where to write to."""


class KeepsAddress(ValueError):
    """The page vouches for another address, to which answers go; `args[0]` is it."""


class NothingYet(ValueError):
    """No agent has written yet: strangers must not have us mail their own words to others."""


class TooOften(ValueError):
    """It was asked for too often lately; `seconds` until it may be again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class _Unseen:
    """What the customer may not have seen: from `since` on, `messages` by their ids; `is_converted`: and its number."""

    since: datetime
    messages: Sequence[int]
    is_converted: bool
    has_more: bool
    last: int


def mail_after() -> timedelta:
    """How long an answer may stay unseen in the panel."""
    return timedelta(seconds=settings.CHAT_MAIL_AFTER)


@together
def plan_mail(events: Sequence[Event], at: datetime) -> None:
    """An agent has written, or said that it is a request now: look later whether the customer has seen it. Where
    nobody chats live, look at once.
    """
    chats = Chat.objects.in_bulk([event.conversation_id for event in events if event.conversation_id is not None])
    for event in events:
        chat = chats.get(event.conversation_id)
        if chat is None or (event.data.get("automatic") and chat.mode == Chat.Mode.CHAT):
            continue
        if event.kind == "message.retried":
            _mail_again(chat, event, at)
            continue
        wait = timedelta() if _goes_at_once(chat) else mail_after()
        _PLAN.run([event.at + wait, chat.pk])


def _goes_at_once(chat: Chat) -> bool:
    """It is answered at leisure, or the customer has written by mail last: that is where they are."""
    if chat.mode == Chat.Mode.TICKET:
        return True
    said = Message.objects.filter(conversation=chat.pk, kind=Message.Kind.INBOUND, is_automatic=False)
    return said.order_by("-pk").values_list("via", flat=True).first() == MAIL


def _mail_again(chat: Chat, event: Event, at: datetime) -> None:
    """An agent sends again what mail could not deliver."""
    message = event.data.get("message")
    asked = Event.objects.filter(conversation=chat.pk, kind=continuing.ASKED, data__messages__contains=[message])
    if asked.exists():
        data = {"what": continuing.ANSWERS, "messages": [message]}
        record(Fact(continuing.ASKED, chat.pk, data=data), at=at)


def mail_unseen(chat: Chat, at: datetime) -> datetime | None:
    """Mail what stands unseen in the log, all of it in one mail; when to look again, None when this is done."""
    conversation = chat.conversation
    unseen = _unseen(chat)
    if unseen is None or conversation.is_spam or conversation.merged_into_id is not None:
        return None
    if visitor_presence.is_watching(chat.pk) and at < unseen.since + mail_after() + WATCHES_FOR:
        return at + LOOKS_AGAIN
    if not conversation.customer.email:
        _ask_for_address(conversation, unseen, at)
        return None
    upto = unseen.last if unseen.has_more else conversation.last_public_seq
    Chat.objects.filter(pk=chat.pk).update(mailed_upto=upto)
    number = {"number": conversation.number} if unseen.is_converted else {}
    data = {"what": continuing.ANSWERS, "messages": list(unseen.messages), **number}
    record(Fact(continuing.ASKED, chat.pk, data=data), at=at)
    return at if unseen.has_more else None


def _unseen(chat: Chat) -> _Unseen | None:
    rows = _UNSEEN.rows([chat.pk, max(chat.visitor_read, chat.mailed_upto), chat.conversation.channel])
    messages = [message for _number, _at, _kind, message, _automatic in rows if message is not None]
    is_converted = any(kind == CONVERTED for _number, _at, kind, _message, _automatic in rows)
    # While somebody chats, what a machine says beside it is no reason to write.
    by_people = any(message is not None and not automatic for *_rest, message, automatic in rows)
    if not (is_converted or by_people or (messages and chat.mode == Chat.Mode.TICKET)):
        return None
    return _Unseen(rows[0][1], messages, is_converted, len(rows) == MOST, rows[-1][0])


def _ask_for_address(conversation: Conversation, unseen: _Unseen, at: datetime) -> None:
    """Agents see that it did not leave; the panel asks where to, once."""
    Message.objects.filter(pk__in=unseen.messages, remark="").update(remark=NO_ADDRESS)
    if not Event.objects.filter(conversation=conversation, kind=ADDRESS_ASKED).exists():
        record(Fact(ADDRESS_ASKED, conversation.pk, public=True), at=at)


@transaction.atomic
def give_address(chat: Chat, email: str, *, at: datetime) -> None:
    """The customer says where answers go; what waits for it leaves now. The caller has checked that it is an address
    and whose chat it is. Raises KeepsAddress, TooOften.
    """
    conversation = lock(chat.pk)
    customer = conversation.customer
    if customer.email == email:
        return
    if customer.email and chat.is_verified:
        raise KeepsAddress(customer.email)
    given = Event.objects.filter(conversation=conversation, kind=ADDRESS_GIVEN).count()
    if given >= ADDRESSES:
        raise TooOften(int(TRANSCRIPTS_WITHIN.total_seconds()))
    type(customer).objects.filter(pk=customer.pk).update(email=email)
    Message.objects.filter(conversation=conversation, remark=NO_ADDRESS).update(remark="")
    record(Fact(ADDRESS_GIVEN, chat.pk, CUSTOMER, data={"was": customer.email}), at=at)
    _PLAN.run([at, chat.pk])


@transaction.atomic
def mail_transcript(chat: Chat, *, at: datetime) -> str:
    """Mail the customer what was said; the address it goes to. Raises NoAddress, NothingYet, TooOften."""
    conversation = lock(chat.pk)
    if not conversation.customer.email:
        raise NoAddress
    answers = Message.objects.filter(conversation=conversation, kind=Message.Kind.OUTBOUND, agent__isnull=False)
    if not answers.exists():
        raise NothingYet
    asked = Event.objects.filter(
        conversation=conversation,
        kind=continuing.ASKED,
        data__what=continuing.TRANSCRIPT,
        at__gt=at - TRANSCRIPTS_WITHIN,
    )
    times = list(asked.order_by("-pk").values_list("at", flat=True)[:TRANSCRIPTS])
    if len(times) == TRANSCRIPTS:
        raise TooOften(int((times[-1] + TRANSCRIPTS_WITHIN - at).total_seconds()) + 1)
    record(Fact(continuing.ASKED, chat.pk, CUSTOMER, data={"what": continuing.TRANSCRIPT}), at=at)
    return conversation.customer.email


def particulars(conversation: Conversation, at: datetime) -> Particulars:
    """What the mail room asks of a chat (`CONTINUED_BY_MAIL`)."""
    chat = Chat.objects.select_related("widget", "visit").filter(pk=conversation.pk).first()
    if chat is None:
        return Particulars(language=conversation.customer.language, timezone=conversation.customer.timezone)
    visit, customer = chat.visit, conversation.customer
    return Particulars(
        language=(visit.language if visit else "") or customer.language,
        timezone=(visit.timezone if visit else "") or customer.timezone,
        link=links.make(chat, at=at),
        names=_names(conversation.pk),
        is_live=chat.mode == Chat.Mode.CHAT and chat.state != Chat.State.ENDED,
        was_left=chat.mode == Chat.Mode.TICKET and (chat.ended_at == chat.started_at or chat.unseen_since is not None),
    )


def _names(conversation_id: int) -> Mapping[int, str]:
    """What customers call the agents who wrote here; who is not shown has no name."""
    wrote = Message.objects.filter(conversation=conversation_id, kind=Message.Kind.OUTBOUND, agent__isnull=False)
    agents = User.objects.filter(pk__in=wrote.values("agent")).values_list("pk", "name")
    shown = {row.pk: row for row in ChatAgent.objects.filter(pk__in=[pk for pk, _name in agents])}
    return {
        pk: (shown[pk].public_name if pk in shown else "") or name.partition(" ")[0]
        for pk, name in agents
        if pk not in shown or shown[pk].is_shown
    }
