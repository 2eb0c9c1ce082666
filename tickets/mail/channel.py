"""The way out for mail, form and API conversations: one mail to the customer, those in copy along."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.sending_mail import open_connection, send_through
from tickets.mail import composing, tokens
from tickets.mail.automatic_words import is_unread_address
from tickets.mail.file_backend import file_name
from tickets.mail.mailboxes import Mailboxes
from tickets.models import MailHeader, MailThread, SuspendedAddress

FILES = "tickets.mail.file_backend.EmailBackend"


@dataclass(frozen=True, slots=True)
class ReadyMail:
    """A rendered mail on an open connection."""

    email: EmailMultiAlternatives
    connection: BaseEmailBackend

    def send(self) -> str:
        """The provider's id where it gives one, for bounces that name it; else our Message-ID."""
        send_through(self.connection, self.email)
        status = getattr(self.email, "anymail_status", None)
        return str(getattr(status, "message_id", None) or self.email.extra_headers["Message-ID"]).strip("<>")


class EmailChannel:
    """Sends through Django's mail backend: SMTP, an ESP by anymail, or files."""

    def prepare(self, message: Message, *, at: datetime) -> ReadyMail:
        thread = thread_of(message.conversation)
        envelope = composing.Envelope(
            to=_answer_address(message, at),
            cc=[] if message.is_automatic else _copies(message.conversation, at),
            reply_to=tokens.plus_address(
                thread.mailbox.address, tokens.make("customer", message.conversation_id, message.conversation.customer_id)
            ),
            bounce_to=composing.bounce_address(message.pk, thread.mailbox),
        )
        email = composing.compose(message, thread.mailbox, envelope)
        MailHeader.objects.get_or_create(
            message=message,
            defaults={
                "conversation_id": message.conversation_id,
                "mail_id": composing.mail_id_of(message, thread.mailbox),
                "sender": thread.mailbox.address,
                "to": [envelope.to],
                "cc": list(envelope.cc),
                "subject": email.subject[:500],
            },
        )
        return ReadyMail(email, open_connection())

    def has_sent(self, message: Message) -> bool | None:
        """Files can be looked for. A mail server cannot be asked."""
        if settings.EMAIL_BACKEND != FILES:
            return None
        mailbox = thread_of(message.conversation).mailbox
        name = file_name(f"<{composing.mail_id_of(message, mailbox)}>")
        return (Path(settings.SENT_MAIL_DIR) / f"{name}.eml").exists()


def thread_of(conversation: Conversation) -> MailThread:
    """Mail's side of a conversation; one that began elsewhere goes on from the default mailbox."""
    found = MailThread.objects.select_related("mailbox").filter(conversation=conversation).first()
    if found is None:
        default = Mailboxes().meant([])
        found, _ = MailThread.objects.get_or_create(conversation=conversation, defaults={"mailbox": default})
    return found


def _answer_address(message: Message, at: datetime) -> str:
    """The customer's address; their Reply-To only where the address itself is one nobody reads."""
    address = message.conversation.customer.email
    if not address:
        raise NeverRetry("this customer has no e-mail address")
    if is_unread_address(address):
        latest = MailHeader.objects.filter(conversation=message.conversation).exclude(reply_to="").order_by("-pk").first()
        address = latest.reply_to if latest else address
    suspended = SuspendedAddress.objects.filter(address=address, until__gt=at).first()
    if suspended is not None:
        raise NeverRetry(f"mail to {address} bounced ({suspended.reason}); it is suspended until {suspended.until:%d %B}")
    return address


def _copies(conversation: Conversation, at: datetime) -> list[str]:
    addresses = [a for a in conversation.followers.values_list("email", flat=True) if a]
    suspended = set(
        SuspendedAddress.objects.filter(address__in=addresses, until__gt=at).values_list("address", flat=True)
    )
    return [a for a in addresses if a not in suspended and a != conversation.customer.email]
