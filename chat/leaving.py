"""Who waits for an agent and leaves gives up their turn for a while, not their question and not their place.

A look is planned for every chat that waits. Whose pages have all been gone for a while is offered to nobody, the others
move up, and nobody is called for them. Who comes back stands where they stood: the queue goes by when they came. Where
there is an address they need not come back: their chat becomes a request, acknowledged and answered by mail.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from chat import chats, dues, silence, visitor_presence
from chat.models import Booking, Chat, ChatDue
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER, SYSTEM

LOOKS_AGAIN: Final = timedelta(seconds=30)
# A page that changes, a train in a tunnel, a telephone in a pocket: none of them has left.
LEAVES_AFTER: Final = timedelta(minutes=3)
MAILS_AFTER: Final = timedelta(minutes=10)


def look(chat: Chat, at: datetime) -> datetime | None:
    """What CHAT_DUES calls: whether they are still there. The caller holds the lock."""
    if chat.mode != Chat.Mode.CHAT or chat.state not in (Chat.State.WAITING, Chat.State.LEFT):
        return None
    there = is_there(chat.pk)
    if there is None:
        # Who is not known to have left is there.
        Chat.objects.filter(pk=chat.pk, state=Chat.State.WAITING).update(unseen_since=None)
        return at + LOOKS_AGAIN
    if there:
        came_back(chat, at)
        return at + LOOKS_AGAIN
    if chat.unseen_since is None:
        Chat.objects.filter(pk=chat.pk).update(unseen_since=at)
        return at + LEAVES_AFTER
    return _look_while_gone(chat, chat.unseen_since, at)


def is_there(conversation_id: int) -> bool | None:
    """Whether a page of theirs is; None where nobody can say it, for Redis is dead."""
    known = visitor_presence.sought([conversation_id])
    return None if known is None else conversation_id in known


def _look_while_gone(chat: Chat, since: datetime, at: datetime) -> datetime | None:
    if at < since + LEAVES_AFTER:
        return since + LEAVES_AFTER
    if chat.state == Chat.State.WAITING:
        _leave(chat, since, at)
    if not chat.conversation.customer.email:
        return None
    if at < since + MAILS_AFTER:
        return since + MAILS_AFTER
    agreed = Booking.objects.filter(conversation=chat.pk, state=Booking.State.BOOKED, ends_at__gt=at)
    ends_at = agreed.values_list("ends_at", flat=True).first()
    # At an hour that was agreed they are waited for.
    if ends_at is not None:
        return ends_at
    _answer_by_mail(chat, at)
    return None


def _leave(chat: Chat, since: datetime, at: datetime) -> None:
    Chat.objects.filter(pk=chat.pk).update(state=Chat.State.LEFT, offered_to=None, offered_until=None, nudge="")
    dues.drop(chat.pk, ChatDue.Kind.OFFER, *silence.PROMISED)
    promises.pause(chat.conversation, at=at)
    record(Fact("chat.left", chat.pk, SYSTEM, data={"since": since}), at=at)


def _answer_by_mail(chat: Chat, at: datetime) -> None:
    promises.at_leisure(chat.conversation, at=at)
    chats.convert(chat.pk, SYSTEM, subject="", at=at)
    # An acknowledgement tells them, which quotes nothing: nobody has proven that this address is theirs.
    upto = Conversation.objects.values_list("last_public_seq", flat=True).get(pk=chat.pk)
    Chat.objects.filter(pk=chat.pk).update(mailed_upto=upto)
    record(Fact("chat.given_up", chat.pk, SYSTEM, data={"channel": chats.CHANNEL}), at=at)


def came_back(chat: Chat, at: datetime) -> None:
    """A sign of life of somebody who waits, or has left: they wait where they waited. The caller holds the lock."""
    if chat.unseen_since is None or chat.state not in (Chat.State.WAITING, Chat.State.LEFT):
        return
    Chat.objects.filter(pk=chat.pk).update(state=Chat.State.WAITING, unseen_since=None)
    if chat.state == Chat.State.LEFT:
        promises.resume(chat.conversation, at=at)
        chats.wait(chat.pk, at)
        record(Fact("chat.returned", chat.pk, CUSTOMER), at=at)
    chat.state, chat.unseen_since = Chat.State.WAITING, None


def arrived(chat: Chat, at: datetime) -> None:
    """A page of theirs has opened, or asks: nothing to do but for those who were missed."""
    if chat.unseen_since is None or chat.mode != Chat.Mode.CHAT:
        return
    with transaction.atomic():
        conversation = lock(chat.pk)
        now = Chat.objects.get(pk=chat.pk)
        now.conversation = conversation
        came_back(now, at)
    chat.state, chat.unseen_since = now.state, now.unseen_since
