"""The way out for mail, form and API conversations: one mail to the customer, those in copy along."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.lookup import columns, take
from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import open_connection, send_through
from tickets.mail import composing, tokens
from tickets.mail.correspondence import Correspondence, correspondence_of, note_header
from tickets.mail.file_backend import file_name
from tickets.mail.mailboxes import Mailboxes, NoMailbox
from tickets.models import Mailbox, MailThread

FILES = "tickets.mail.file_backend.EmailBackend"


@dataclass(frozen=True, slots=True)
class ReadyMail:
    """A rendered mail on an open connection."""

    email: EmailMultiAlternatives
    connection: BaseEmailBackend
    message_id: int

    def send(self) -> str:
        """The provider's id where it gives one, for bounces that name it; else our Message-ID. Raises a DeliveryError,
        also when the server took the mail for those in copy and not for the customer.
        """
        refused = send_through(self.connection, self.email)
        if refused:
            self._tell(refused)
        status = getattr(self.email, "anymail_status", None)
        given = getattr(status, "message_id", None)
        return (given if isinstance(given, str) else self.email.extra_headers["Message-ID"]).strip("<>")

    def _tell(self, refused: Mapping[str, str]) -> None:
        told = "; ".join(f"{address}: {words}" for address, words in refused.items())
        if self.email.to[0] in refused:
            raise NeverRetry(f"it went to those in copy only; the mail server refused {told}")
        Message.objects.filter(pk=self.message_id).update(remark=one_line(f"Not taken for {told}", 200))


class EmailChannel:
    """Sends through Django's mail backend: SMTP, an ESP by anymail, or files."""

    def prepare(self, message: Message, *, at: datetime) -> ReadyMail:
        known = correspondence_of(message)
        mailbox, envelope, email = _rendered(message, known, at)
        # Its Message-ID is known before it leaves, so that an answer finds its way whatever happens to us meanwhile.
        note_header(message, composing.mail_id_of(message, mailbox), mailbox.address, envelope, str(email.subject))
        return ReadyMail(email, open_connection(), message.pk)

    def source(self, message: Message, *, at: datetime) -> bytes:
        """The mail as it leaves or has left, rendered again. Raises a DeliveryError where it cannot be."""
        return _rendered(message, correspondence_of(message), at)[2].message().as_bytes()

    def has_sent(self, message: Message) -> bool | None:
        """Files can be looked for. A mail server cannot be asked."""
        if settings.EMAIL_BACKEND != FILES:
            return None
        mailbox = thread_of(message.conversation).mailbox
        name = file_name(f"<{composing.mail_id_of(message, mailbox)}>")
        return (Path(settings.SENT_MAIL_DIR) / f"{name}.eml").exists()


def _rendered(
    message: Message, known: Correspondence, at: datetime
) -> tuple[Mailbox, composing.Envelope, EmailMultiAlternatives]:
    mailbox = known.mailbox or thread_of(message.conversation).mailbox
    token = tokens.make("customer", message.conversation_id, message.conversation.customer_id)
    envelope = composing.Envelope(
        to=answer_address(known, at),
        cc=[] if message.is_automatic else copies(message.conversation, known, at),
        reply_to=tokens.plus_address(mailbox.address, token),
        bounce_to=composing.bounce_address(message.pk, mailbox),
    )
    files = list(message.attachments.all()) if known.has_files else []
    return mailbox, envelope, composing.compose(message, mailbox, envelope, known.thread, files)


_THREAD = f"""
SELECT {columns(MailThread, "thread")}, {columns(Mailbox, "mailbox")} FROM {MailThread._meta.db_table} thread
JOIN {Mailbox._meta.db_table} mailbox ON mailbox.id = thread.mailbox_id WHERE thread.conversation_id = %s
"""


def thread_of(conversation: Conversation) -> MailThread:
    """Mail's side of a conversation; one that began elsewhere goes on from its team's mailbox, else the default one."""
    with connection.cursor() as cursor:
        cursor.execute(_THREAD, [conversation.pk])
        row = cursor.fetchone()
    if row is None:
        theirs = Mailboxes().of_team(conversation.team_id)
        return MailThread.objects.get_or_create(conversation=conversation, defaults={"mailbox": theirs})[0]
    thread, row = take(MailThread, row)
    thread.mailbox, _ = take(Mailbox, row)
    return thread


def ways_back(conversation: Conversation) -> tuple[str, str] | None:
    """For mails of other rooms about a conversation (`MAIL_WAYS_BACK`): the sender, as in a From header, and the signed
    address whose mail is filed in it; None before there is a mailbox.
    """
    try:
        mailbox = thread_of(conversation).mailbox
    except NoMailbox:
        return None
    token = tokens.make("customer", conversation.pk, conversation.customer_id)
    return composing.address_of(mailbox.name, mailbox.address), tokens.plus_address(mailbox.address, token)


def answer_address(known: Correspondence, at: datetime) -> str:
    """The customer's address; their Reply-To only where the address itself is one nobody reads. Raises NeverRetry."""
    address = known.answers_to
    if not address:
        raise NeverRetry("this customer has no e-mail address")
    reason = known.suspended(address, at)
    if reason:
        raise NeverRetry(f"mail to {address} bounced: {reason}")
    return address


def copies(conversation: Conversation, known: Correspondence, at: datetime) -> list[str]:
    """Those who read along, as far as mail reaches them."""
    return [
        address
        for address in known.followers
        if address not in (conversation.customer.email, known.answers_to) and not known.suspended(address, at)
    ]
