"""What a visitor says in a chat: the way that every message goes, in as few statements as it can."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chat import chats, leaving, sent_files, silence, visitor_log
from chat.chats import Said
from chat.models import Chat, Visit
from helpdesk.conversations import promises
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.incoming import append, lock, receive_message
from helpdesk.conversations.models import DONE, Conversation, Message
from helpdesk.events.transactions import in_transaction
from helpdesk.prepared import Prepared

_LOOK: Final = Prepared(
    "look_at_chat",
    f"""
SELECT mode, state, ended_at, unseen_since, (
    SELECT message.id FROM {Message._meta.db_table} message
    WHERE message.conversation_id = chat.conversation_id AND message.author_kind = '{Message.Author.CUSTOMER}'
        AND message.client_id = %s)
FROM {Chat._meta.db_table} chat WHERE conversation_id = %s
""",
)
_LAST_NUMBER: Final = Prepared(
    "last_public_number", f"SELECT last_public_seq FROM {Conversation._meta.db_table} WHERE id = %s"
)


def say(
    visit: Visit, public_id: UUID, text: str, *, client_id: UUID, uploads: Sequence[UUID] = (), at: datetime
) -> Said:
    """Write one message more; the same client id again returns the first one. Taken up long after its end, a new
    conversation begins that points back. Raises NotTheirs, NothingSaid, NotEntitled.
    """
    chat = chats.chat_of(visit, public_id)
    ended = chat.ended_at
    is_long_ago = ended is not None and chat.mode == Chat.Mode.CHAT and at - ended > chats.TAKEN_UP_WITHIN
    # The link of a mail opens its own conversation and begins no other.
    if is_long_ago and visit.only_chat_id is None:
        return chats.start(visit, chats.FirstWords(text, client_id, uploads), at=at)
    return _say(visit, chat, text, client_id, uploads, at)


@in_transaction
def _say(visit: Visit, chat: Chat, text: str, client_id: UUID, uploads: Sequence[UUID], at: datetime) -> Said:
    conversation = chat.conversation = lock(chat.conversation_id)
    # It may have been ended while this waited for the row.
    known = _look_again(visit, chat, client_id)
    if known is not None:
        return _said(visit, chat, known, at, is_repeated=True)
    assert visit.customer is not None, "who has a chat is a customer"
    files = sent_files.named(visit, uploads)
    inbound = Inbound(
        channel=chats.CHANNEL,
        customer=visit.customer,
        at=at,
        text=chats.checked_text(text, files),
        client_id=client_id,
        conversation_id=conversation.pk,
        files=tuple(file for _upload, file in files),
        is_verified=visit.is_verified,
    )
    goes_on = _goes_on(conversation)
    message = append(conversation, inbound) if goes_on else receive_message(inbound)
    sent_files.claim(files, message)
    if message.conversation_id != chat.conversation_id:
        return _said(visit, chat, message, at)
    if chat.state == Chat.State.ENDED and chat.mode == Chat.Mode.CHAT:
        _take_up(visit, chat, at)
    elif chat.unseen_since is not None and chat.mode == Chat.Mode.CHAT:
        leaving.came_back(chat, at)
    silence.customer_wrote(conversation.pk, at)
    # One public fact was added under the lock, and nothing else where the conversation simply goes on.
    number = conversation.last_public_seq + 1 if goes_on else _last_number(conversation.pk)
    return Said(chat, message.pk, number)


def _goes_on(conversation: Conversation) -> bool:
    """Whether what is written there certainly stays there."""
    return conversation.status not in DONE and conversation.merged_into_id is None


def _look_again(visit: Visit, chat: Chat, client_id: UUID) -> Message | None:
    """Read, under the lock, how the chat is and whether this was said before: here, or where what was written after the
    end of this conversation began anew.
    """
    row = _LOOK.row([client_id, chat.pk])
    assert row is not None, "chats are never deleted"
    chat.mode, chat.state, chat.ended_at, chat.unseen_since, known = row
    if known is None and chat.conversation.status in DONE:
        elsewhere = Chat.objects.filter(visit=visit).values_list("pk", flat=True)
        said = Message.objects.filter(author_kind=Message.Author.CUSTOMER, client_id=client_id)
        return said.filter(conversation__in=elsewhere).select_related("conversation").first()
    return None if known is None else Message.objects.select_related("conversation").get(pk=known)


def _said(visit: Visit, chat: Chat, message: Message, at: datetime, *, is_repeated: bool = False) -> Said:
    """Where the message stands: here; in a new conversation that points back, if this one was done long ago; or in the
    one that this was merged into, which the visitor sees only if it is theirs.
    """
    number = message.conversation_id
    if number == chat.conversation_id:
        return Said(chat, message.pk, visitor_log.number_of(number, message.pk), is_repeated)
    there = Chat.objects.select_related("conversation", "widget").filter(conversation=number).first()
    if there is None and message.conversation.previous_id == chat.conversation_id:
        there = chats.make_chat(visit, message, Chat.Mode.TICKET, at)
    if there is None or not chats.is_theirs(visit, there):
        return Said(chat, message.pk, _last_number(chat.conversation_id), is_repeated)
    return Said(there, message.pk, visitor_log.number_of(number, message.pk), is_repeated)


def _take_up(visit: Visit, chat: Chat, at: datetime) -> None:
    """An ended chat goes on: live where that is included and somebody is there, else to be answered at leisure."""
    found = chats.entitled(visit, visit.customer, at=at)
    if not (found.is_live and chats.is_manned(found, at)):
        Chat.objects.filter(pk=chat.pk).update(mode=Chat.Mode.TICKET)
        return
    Chat.objects.filter(pk=chat.pk).update(
        state=Chat.State.WAITING, ended_at=None, joined_at=None, unseen_since=None, declined_by=[]
    )
    promises.wait_live(chat.conversation, at=at)
    chats.wait(chat.conversation_id, at)


def _last_number(conversation_id: int) -> int:
    row = _LAST_NUMBER.row([conversation_id])
    assert row is not None, "conversations are never deleted"
    number: int = row[0]
    return number
