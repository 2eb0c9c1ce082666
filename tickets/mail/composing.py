"""Our mail as it leaves: from the mailbox's address, with signed ways back, stable ids, plain and HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formataddr

from anymail.message import AnymailMessage
from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape, linebreaks, urlize

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Conversation, Message
from tickets.mail import tokens
from tickets.mail.automatic import INSTANCE_HEADER
from tickets.models import Mailbox, MailHeader

MAX_REFERENCES = 20
MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a mail goes to, who may answer it, and what a bounce comes back to."""

    to: str
    cc: Sequence[str]
    reply_to: str
    bounce_to: str


def domain_of(mailbox: Mailbox) -> str:
    return mailbox.address.rpartition("@")[2]


def bounce_address(message_id: int, mailbox: Mailbox) -> str:
    """A return path of its own for each message (VERP), so that a bounce tells which one did not arrive."""
    return f"bounce+{tokens.make('message', message_id)}@{domain_of(mailbox)}"


def mail_id_of(message: Message, mailbox: Mailbox) -> str:
    return tokens.message_id(message.conversation_id, message.pk, domain_of(mailbox))


def subject_of(conversation: Conversation) -> str:
    subject = " ".join(conversation.subject.split())[:MAX_SUBJECT] or "Your request"
    prefix = "" if subject.lower().startswith("re:") else "Re: "
    return f"{prefix}{subject} [#{conversation.number}]"


def references_of(conversation: Conversation, before: int) -> list[str]:
    """The Message-IDs of the thread, oldest first: the first one and the latest (RFC 5322 §3.6.4)."""
    ids = MailHeader.objects.filter(conversation=conversation, message_id__lt=before).exclude(mail_id="")
    known = list(ids.order_by("message_id").values_list("mail_id", flat=True))
    return known if len(known) <= MAX_REFERENCES else [known[0], *known[-(MAX_REFERENCES - 1) :]]


def compose(message: Message, mailbox: Mailbox, envelope: Envelope) -> EmailMultiAlternatives:
    """The mail of an outbound message, the same bytes' worth however often it is rendered."""
    conversation = message.conversation
    references = references_of(conversation, message.pk)
    headers = {
        "From": formataddr((_sender_name(message, mailbox), mailbox.address)),
        "Message-ID": f"<{mail_id_of(message, mailbox)}>",
        INSTANCE_HEADER: tokens.instance_id(),
        **threading_headers(references),
        **(automatic_headers("auto-replied") if message.is_automatic else {}),
    }
    text = message.text + (f"\n\n-- \n{mailbox.signature}" if mailbox.signature else "")
    email = AnymailMessage(
        subject=subject_of(conversation),
        body=text,
        # The envelope's sender; the header From is given beside it, as Django and anymail both read it.
        from_email=envelope.bounce_to,
        to=[envelope.to],
        cc=list(envelope.cc),
        reply_to=[envelope.reply_to],
        headers=headers,
    )
    email.attach_alternative(_html(message, mailbox), "text/html")
    for attachment in message.attachments.all():
        email.attach(attachment.name, content_of(attachment), attachment.content_type)
    return email


def threading_headers(references: Sequence[str]) -> Mapping[str, str]:
    if not references:
        return {}
    return {"In-Reply-To": f"<{references[-1]}>", "References": " ".join(f"<{mail_id}>" for mail_id in references)}


def automatic_headers(kind: str) -> Mapping[str, str]:
    """No machine is to answer this (RFC 3834 §5; the second header says so to Exchange)."""
    bulk = {"Precedence": "bulk"} if kind == "auto-replied" else {}
    return {"Auto-Submitted": kind, "X-Auto-Response-Suppress": "All", **bulk}


def _sender_name(message: Message, mailbox: Mailbox) -> str:
    return f"{message.agent.name} ({mailbox.name})" if message.agent else mailbox.name


def _html(message: Message, mailbox: Mailbox) -> str:
    body = message.html or linebreaks(urlize(escape(message.text)), autoescape=False)
    signature = f'<p style="color:#666">{linebreaks(escape(mailbox.signature))}</p>' if mailbox.signature else ""
    return f'<!doctype html><html><body style="font:15px/1.5 sans-serif">{body}{signature}</body></html>'


