"""What an answer must know of the mail before it: the thread, who reads along, whom mail no longer reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Customer
from tickets.mail.automatic_words import is_unread_address
from tickets.mail.composing import Envelope, Thread
from tickets.models import Mailbox, MailHeader, MailThread, SuspendedAddress


@dataclass(frozen=True, slots=True)
class Suspension:
    until: datetime
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Correspondence:
    """`answers_to` is where the customer reads, "" where nobody knows; `mailbox` is None before the first mail."""

    answers_to: str
    followers: tuple[str, ...]
    thread: Thread
    suspensions: Mapping[str, Suspension]
    has_files: bool
    wrote_at: datetime | None
    mailbox: Mailbox | None

    def suspended(self, address: str, at: datetime) -> str:
        """Why nothing is sent there, "" where nothing stands against it: a customer who wrote since is there again."""
        found = self.suspensions.get(address)
        if found is None or found.until <= at:
            return ""
        if address == self.answers_to and self.wrote_at is not None and self.wrote_at > found.since:
            return ""
        return f"{found.reason or 'the address does not exist'}; suspended until {found.until:%d %B}"


# The latest mail of a person is the one that is answered; a machine's only where nobody else wrote.
_KNOWN = f"""
WITH follower AS (
    SELECT customer.email FROM {Conversation.followers.through._meta.db_table} follows
    JOIN {Customer._meta.db_table} customer ON customer.id = follows.customer_id
    WHERE follows.conversation_id = %(conversation)s AND customer.email <> '' ORDER BY follows.id
), before AS (
    SELECT header.message_id, header.mail_id, header.sender, header.reply_to,
           message.kind, message.is_automatic, message.at
    FROM {MailHeader._meta.db_table} header JOIN {Message._meta.db_table} message ON message.id = header.message_id
    WHERE header.conversation_id = %(conversation)s AND header.message_id < %(message)s
)
SELECT (SELECT array_agg(email) FROM follower),
       (SELECT array_agg(mail_id ORDER BY message_id) FROM before WHERE mail_id <> ''),
       (SELECT mail_id FROM before WHERE kind = 'inbound' AND mail_id <> ''
        ORDER BY is_automatic, message_id DESC LIMIT 1),
       (SELECT reply_to FROM before WHERE kind = 'inbound' AND sender = %(address)s AND reply_to <> ''
        ORDER BY message_id DESC LIMIT 1),
       (SELECT max(at) FROM before WHERE kind = 'inbound'),
       EXISTS (SELECT 1 FROM {Attachment._meta.db_table} WHERE message_id = %(message)s),
       (SELECT json_agg(json_build_array(address, until, bounced_at, reason)) FROM {SuspendedAddress._meta.db_table}
        WHERE until IS NOT NULL AND (address IN (SELECT email FROM follower) OR address = %(address)s
              OR address IN (SELECT reply_to FROM before))),
       {columns(Mailbox, "mailbox")}
FROM (SELECT 1) AS one LEFT JOIN {MailThread._meta.db_table} thread ON thread.conversation_id = %(conversation)s
LEFT JOIN {Mailbox._meta.db_table} mailbox ON mailbox.id = thread.mailbox_id
"""


def correspondence_of(message: Message) -> Correspondence:
    """Everything an outbound message needs to know of what came before it, in one query."""
    return correspondence(message.conversation, before=message.pk)


def correspondence(conversation: Conversation, *, before: int) -> Correspondence:
    """What a mail needs to know of what came before the message of that id; the conversation has its customer."""
    customer = conversation.customer
    given: dict[str, int | str] = {"conversation": conversation.pk, "message": before, "address": customer.email}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, given)
        followers, mail_ids, parent, reply_to, wrote_at, has_files, suspensions, *mailbox = cursor.fetchone()
    return Correspondence(
        answers_to=reply_to if reply_to and is_unread_address(customer.email) else customer.email,
        followers=tuple(followers or ()),
        thread=Thread(tuple(mail_ids or ()), parent or ""),
        suspensions={
            address: Suspension(datetime.fromisoformat(until), datetime.fromisoformat(since), reason)
            for address, until, since, reason in suspensions or ()
        },
        has_files=has_files,
        wrote_at=wrote_at,
        mailbox=take(Mailbox, tuple(mailbox))[0] if mailbox[0] is not None else None,
    )


_NOTE = f"""
INSERT INTO {MailHeader._meta.db_table}
    (message_id, conversation_id, mail_id, parent_mail_id, sender, reply_to, "to", cc, subject)
VALUES (%s, %s, %s, '', %s, '', %s::varchar[], %s::varchar[], %s) ON CONFLICT (message_id) DO NOTHING
"""


def note_header(message: Message, mail_id: str, sender: str, envelope: Envelope, subject: str) -> None:
    """Remember the mail of an outbound message; rendering it again notes nothing new."""
    to, cc = [envelope.to], list(envelope.cc)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [message.pk, message.conversation_id, mail_id, sender, to, cc, subject[:500]])
