"""Our mail as it leaves: from the mailbox's address, with signed ways back, stable ids, plain and HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime, quote

from anymail.message import AnymailMessage
from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape, linebreaks, urlize

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.company import names
from helpdesk.events.safe_text import one_line
from tickets.mail import subjects, tokens
from tickets.mail.automatic import INSTANCE_HEADER
from tickets.models import Mailbox

MAX_REFERENCES = 20
# An id that long is nobody's in earnest, and a header line must stay below 998 characters (RFC 5322 §2.1.1).
MAX_ID = 500
MAX_SUBJECT = 200
MAX_NAME = 100
FALLBACK_TYPE = "application/octet-stream"


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
    """ "Re: [#12] The site is slow". The number stands where mail programs expect a list's name, which they leave out
    when they compare subjects (RFC 5256 §2.1); behind the subject it would begin a new thread in Gmail.
    """
    bare = subjects.without_prefixes(one_line(conversation.subject, MAX_SUBJECT)) or "Your request"
    return f"Re: [#{conversation.number}] {bare}"


@dataclass(frozen=True, slots=True)
class Thread:
    """The Message-IDs a mail follows, oldest first, and the one it answers."""

    ids: Sequence[str] = ()
    parent: str = ""

    def headers(self) -> dict[str, str]:
        """The first id and the latest ones, the answered one last, so that every mail program finds a place for it
        (RFC 5322 §3.6.4).
        """
        known = [mail_id for mail_id in dict.fromkeys(self.ids) if _is_fit(mail_id)]
        parent = self.parent if _is_fit(self.parent) else next(reversed(known), "")
        if not parent:
            return {}
        others = [mail_id for mail_id in known if mail_id != parent]
        if len(others) >= MAX_REFERENCES:
            others = [others[0], *others[-(MAX_REFERENCES - 2) :]]
        references = " ".join(f"<{mail_id}>" for mail_id in [*others, parent])
        return {"In-Reply-To": f"<{parent}>", "References": references}


def _is_fit(mail_id: str) -> bool:
    """Whether an id a stranger gave may stand in a header of ours."""
    clean = mail_id.isascii() and mail_id.isprintable() and not any(c in mail_id for c in " <>")
    return 0 < len(mail_id) <= MAX_ID and clean


def address_of(name: str, address: str) -> str:
    """Name and address for a header. The name is quoted, and encoded later, by the backend that needs it."""
    plain = one_line(name, MAX_NAME)
    return f'"{quote(plain)}" <{address}>' if plain else address


def compose(
    message: Message,
    mailbox: Mailbox,
    envelope: Envelope,
    thread: Thread,
    files: Iterable[Attachment],
    *,
    subject: str = "",
) -> EmailMultiAlternatives:
    """The mail of an outbound message, the same however often it is rendered."""
    headers = {
        "From": address_of(_sender_name(message, mailbox), mailbox.address),
        "Date": format_datetime(message.at),
        "Message-ID": f"<{mail_id_of(message, mailbox)}>",
        INSTANCE_HEADER: tokens.instance_id(),
        **thread.headers(),
        **(automatic_headers("auto-replied") if message.is_automatic else {}),
    }
    footer = footer_of(mailbox)
    text = message.text + (f"\n\n-- \n{footer}" if footer else "")
    email: EmailMultiAlternatives = AnymailMessage(
        subject=subject or subject_of(message.conversation),
        body=text,
        # The envelope's sender; the header From is given beside it, as Django and anymail both read it.
        from_email=envelope.bounce_to,
        to=[envelope.to],
        cc=list(envelope.cc),
        reply_to=[envelope.reply_to],
        headers=headers,
    )
    email.attach_alternative(_html(message, footer), "text/html")
    for attachment in files:
        kind = attachment.content_type if attachment.content_type.count("/") == 1 else FALLBACK_TYPE
        email.attach(one_line(attachment.name, 160), content_of(attachment), kind)
    return email


def automatic_headers(kind: str) -> Mapping[str, str]:
    """No machine is to answer this (RFC 3834 §5; the second header says so to Exchange)."""
    bulk = {"Precedence": "bulk"} if kind == "auto-replied" else {}
    return {"Auto-Submitted": kind, "X-Auto-Response-Suppress": "All", **bulk}


def _sender_name(message: Message, mailbox: Mailbox) -> str:
    return f"{message.agent.name} ({mailbox.name})" if message.agent else mailbox.name


def footer_of(mailbox: Mailbox) -> str:
    """What stands under our mails: the mailbox's signature, else the company's name where it has one."""
    return mailbox.signature or names()[0]


def _html(message: Message, footer: str) -> str:
    body = message.html or linebreaks(urlize(message.text, autoescape=True), autoescape=False)
    signature = f'<div style="color:#666">{linebreaks(escape(footer))}</div>' if footer else ""
    return f'<!doctype html><html><body style="font:15px/1.5 sans-serif">{body}{signature}</body></html>'
