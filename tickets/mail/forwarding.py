"""Passing something of a conversation on to somebody outside: a mail of ours, recorded in the thread."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction

from helpdesk.conversations import answers
from helpdesk.conversations.channel import File
from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Attachment, Message
from helpdesk.customers.models import User
from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.safe_text import one_line
from helpdesk.events.sending_mail import open_connection
from tickets.mail import composing
from tickets.mail.channel import EmailChannel, ReadyMail, thread_of
from tickets.mail.mailboxes import Mailboxes
from tickets.models import MailHeader

MOST_ADDRESSES = 10


class CannotForward(ValueError):
    """Nobody to send it to, or one who may not get it; the text says why."""


def addresses_in(typed: str) -> list[str]:
    """The mail addresses in a list by commas, semicolons or lines, each once. Raises CannotForward."""
    words = typed[:4000].replace(";", ",").replace("\n", ",").split(",")
    found = list(dict.fromkeys(word.strip().lower() for word in words if word.strip()))
    for address in found:
        try:
            validate_email(address)
        except ValidationError as error:
            raise CannotForward(f"“{address[:80]}” is no mail address") from error
    if len(found) > MOST_ADDRESSES:
        raise CannotForward(f"at most {MOST_ADDRESSES} addresses")
    return found


@transaction.atomic
def forward(
    conversation_id: int,
    user: User,
    addresses: Sequence[str],
    text: str,
    *,
    at: datetime,
    html: str = "",
    files: Iterable[File] = (),
) -> Message:
    """Send the text and files to these addresses from the conversation's mailbox. Raises CannotForward, NothingToSay.

    An answer to it comes back into the conversation, marked as from somebody outside it.
    """
    if not addresses:
        raise CannotForward("say to whom")
    boxes = Mailboxes()
    for address in addresses:
        if boxes.is_ours(address):
            raise CannotForward(f"{address} is one of our own mailboxes")
    remark = one_line(f"Forwarded to {', '.join(addresses)}", 200)
    message = answers.forward(conversation_id, user, text, at=at, remark=remark, html=html, files=files)
    mailbox = thread_of(message.conversation).mailbox
    subject = message.conversation.subject
    MailHeader.objects.create(
        message=message,
        conversation_id=conversation_id,
        mail_id=composing.mail_id_of(message, mailbox),
        sender=mailbox.address,
        to=list(addresses),
        subject=f"Fwd: {one_line(subject, composing.MAX_SUBJECT)}"[:500],
    )
    return message


def files_of(attachments: Iterable[Attachment]) -> list[File]:
    """Files of earlier messages, to go along."""
    return [File(a.name, a.content_type, content_of(a), a.content_id, a.inline) for a in attachments]


class ForwardChannel(EmailChannel):
    """The way out for what was forwarded: to those named in its header, and to nobody else."""

    def prepare(self, message: Message, *, at: datetime) -> ReadyMail:
        """Raises a DeliveryError."""
        return ReadyMail(self._rendered(message), open_connection(), message.pk)

    def source(self, message: Message, *, at: datetime) -> bytes:
        """The mail as it leaves or has left, rendered again. Raises a DeliveryError where it cannot be."""
        return self._rendered(message).message().as_bytes()

    def _rendered(self, message: Message) -> EmailMultiAlternatives:
        header = MailHeader.objects.filter(message=message).first()
        if header is None or not header.to:
            raise NeverRetry("nobody knows whom it was forwarded to")
        mailbox = thread_of(message.conversation).mailbox
        envelope = composing.Envelope(
            to=header.to[0],
            cc=header.to[1:],
            # Without a token: whoever answers is nobody we know.
            reply_to=mailbox.address,
            bounce_to=composing.bounce_address(message.pk, mailbox),
        )
        files = list(message.attachments.all())
        return composing.compose(message, mailbox, envelope, composing.Thread(), files, subject=header.subject)
