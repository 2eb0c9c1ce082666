"""The words of a digest: what was said, below it how to go on and what was said before, in the customer's language."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import format_datetime

from anymail.message import AnymailMessage
from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape, linebreaks, urlize
from django.utils.translation import get_supported_language_variant, override
from django.utils.translation import gettext as _

from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.continuing import TRANSCRIPT, Particulars
from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from helpdesk.sla.week import InvalidHours, read_zone
from tickets.mail import composing, tokens
from tickets.mail.acknowledgement import DEFAULT_LANGUAGE, local_time
from tickets.mail.automatic import INSTANCE_HEADER
from tickets.mail.composing import Envelope, Thread
from tickets.models import Digest, Mailbox

QUOTED_MESSAGES = 6
QUOTED_CHARACTERS = 600
# A transcript of everything: the newest messages, and of each no more than anybody reads.
TRANSCRIPT_MESSAGES = 500
TRANSCRIPT_CHARACTERS = 20_000
# What goes along; beyond it files are named and wait in the chat. Mail servers refuse mails not much larger.
MOST_BYTES_OF_FILES = 15 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """All that one digest says. `before` is quoted, `number` tells that it is a request now."""

    digest: Digest
    conversation: Conversation
    known: Particulars
    said: Sequence[Message]
    before: Sequence[Message]
    is_transcript: bool
    number: int | None
    asked_at: datetime


def letter(digest: Digest, event: Event, conversation: Conversation, known: Particulars) -> Letter | None:
    """What the event asked for, as far as it is still there; None where nothing of it is."""
    shown = Message.objects.filter(conversation=conversation).exclude(kind=Message.Kind.NOTE).exclude(via=FORWARD)
    shown = shown.select_related("agent", "customer").prefetch_related("attachments").defer("full_text", "search")
    if event.data.get("what") == TRANSCRIPT:
        # As it was when it was asked for, however late the mail leaves.
        newest = shown.filter(at__lte=event.at).order_by("-pk")[:TRANSCRIPT_MESSAGES]
        said, before = list(newest)[::-1], []
    else:
        said = list(shown.filter(pk__in=event.data.get("messages", ())).order_by("pk"))
        first = said[0].pk if said else 2**62
        before = list(shown.filter(pk__lt=first).order_by("-pk")[:QUOTED_MESSAGES])[::-1]
    number = event.data.get("number")
    if not said and number is None:
        return None
    return Letter(digest, conversation, known, said, before, event.data.get("what") == TRANSCRIPT, number, event.at)


def compose(told: Letter, mailbox: Mailbox, envelope: Envelope, thread: Thread) -> EmailMultiAlternatives:
    """The mail, the same however often it is rendered."""
    with override(_language(told.known.language)):
        text, html = _text(told, mailbox), _html(told, mailbox)
        subject = _subject(told)
    email: EmailMultiAlternatives = AnymailMessage(
        subject=subject,
        body=text,
        # The envelope's sender; the header From is given beside it, as Django and anymail both read it.
        from_email=envelope.bounce_to,
        to=[envelope.to],
        cc=list(envelope.cc),
        reply_to=[envelope.reply_to],
        headers={
            "From": composing.address_of(_sender(told, mailbox), mailbox.address),
            "Date": format_datetime(told.asked_at),
            "Message-ID": f"<{mail_id_of(told.digest, mailbox)}>",
            INSTANCE_HEADER: tokens.instance_id(),
            **thread.headers(),
            **(composing.automatic_headers("auto-generated") if told.is_transcript else {}),
        },
    )
    email.attach_alternative(html, "text/html")
    for attachment in _carried(told):
        kind = attachment.content_type if attachment.content_type.count("/") == 1 else composing.FALLBACK_TYPE
        email.attach(one_line(attachment.name, 160), content_of(attachment), kind)
    return email


def mail_id_of(digest: Digest, mailbox: Mailbox) -> str:
    return tokens.digest_mail_id(digest.conversation_id, digest.pk, composing.domain_of(mailbox))


def _language(wanted: str) -> str:
    try:
        return get_supported_language_variant(wanted or DEFAULT_LANGUAGE)
    except LookupError:
        return DEFAULT_LANGUAGE


def _subject(told: Letter) -> str:
    if told.is_transcript:
        return _("Transcript of our conversation [#%(number)s]") % {"number": told.conversation.number}
    return composing.subject_of(told.conversation)


def _sender(told: Letter, mailbox: Mailbox) -> str:
    """The agent who wrote last, as the chat called them; a transcript is nobody's."""
    agents = [message.agent_id for message in told.said if message.agent_id is not None]
    name = told.known.names.get(agents[-1], "") if agents and not told.is_transcript else ""
    return f"{name} ({mailbox.name})" if name else mailbox.name


def _carried(told: Letter) -> Iterator[Attachment]:
    room = 0 if told.is_transcript else MOST_BYTES_OF_FILES
    for attachment in _files(told.said):
        if attachment.size <= room:
            room -= attachment.size
            yield attachment


def _files(said: Iterable[Message]) -> Iterator[Attachment]:
    for message in said:
        yield from message.attachments.all()


def _speaker(told: Letter, message: Message, mailbox: Mailbox) -> str:
    if message.kind == Message.Kind.INBOUND:
        return one_line(message.customer.name if message.customer else "", 80) or _("You")
    name = told.known.names.get(message.agent_id, "") if message.agent_id is not None else ""
    return name or mailbox.name


def _zone(told: Letter) -> tzinfo:
    try:
        return read_zone(told.known.timezone) if told.known.timezone else UTC
    except InvalidHours:
        return UTC  # whatever a browser said it was


def _when(told: Letter, message: Message) -> str:
    return local_time(message.at, _zone(told))


def _words(message: Message, most: int) -> str:
    """Its text, cut, and its files by name."""
    text = message.text if len(message.text) <= most else message.text[: most - 1].rstrip() + "…"
    names = [f"[{one_line(file.name, 160)}]" for file in message.attachments.all()]
    return "\n".join(part for part in (text, *names) if part)


def _is_several(told: Letter) -> bool:
    return told.is_transcript or len({message.agent_id for message in told.said}) > 1


def _new(told: Letter, mailbox: Mailbox) -> list[tuple[str, Message]]:
    """What is told, each with the line above it, "" where one person says all of it."""
    return [(_head(told, one, mailbox) if _is_several(told) else "", one) for one in told.said]


def _head(told: Letter, message: Message, mailbox: Mailbox) -> str:
    return f"{_speaker(told, message, mailbox)}, {_when(told, message)}:"


def _converted(told: Letter) -> str:
    if told.number is None:
        return ""
    return _(
        "This conversation is our request #%(number)s now: we answer it by mail as well, and you can answer here."
    ) % {"number": told.number}


def _invitation(told: Letter) -> str:
    return _("Answer this mail, or go on in the chat:") if told.known.link else ""


def _text(told: Letter, mailbox: Mailbox) -> str:
    most = TRANSCRIPT_CHARACTERS if told.is_transcript else 10**7
    parts = ["\n".join(filter(None, (head, _plain(told, one, most)))) for head, one in _new(told, mailbox)]
    parts.append(_converted(told))
    parts.append("\n".join(filter(None, (_invitation(told), told.known.link))))
    footer = composing.footer_of(mailbox)
    parts.append(f"-- \n{footer}" if footer else "")
    if told.before:
        quoted = [f"{_head(told, one, mailbox)}\n{_words(one, QUOTED_CHARACTERS)}" for one in told.before]
        lines = "\n\n".join(quoted).splitlines()
        parts.append("\n".join((_("Earlier in this conversation:"), *(f"> {line}".rstrip() for line in lines))))
    return "\n\n".join(part for part in parts if part)


def _plain(told: Letter, message: Message, most: int) -> str:
    """A message that is told now: its files go along, except in a transcript or where they are too large."""
    if told.is_transcript:
        return _words(message, most)
    carried = {file.pk for file in _carried(told)}
    left = [f"[{one_line(file.name, 160)}]" for file in message.attachments.all() if file.pk not in carried]
    return "\n".join(part for part in (message.text, *left) if part)


def _html(told: Letter, mailbox: Mailbox) -> str:
    most = TRANSCRIPT_CHARACTERS if told.is_transcript else 10**7
    parts = []
    for head, message in _new(told, mailbox):
        parts.append(f'<div style="color:#666;margin-top:1em">{escape(head)}</div>' if head else "")
        is_ours = message.html and message.agent_id is not None and not told.is_transcript
        parts.append(message.html if is_ours else _lines(_plain(told, message, most)))
    parts.append(_lines(_converted(told)))
    if told.known.link:
        link = f'<a href="{escape(told.known.link)}">{escape(_("Go on in the chat"))}</a>'
        parts.append(f"<p>{link}</p>")
    footer = composing.footer_of(mailbox)
    parts.append(f'<div style="color:#666">{linebreaks(escape(footer))}</div>' if footer else "")
    if told.before:
        quoted = "".join(
            f"<div>{escape(_head(told, one, mailbox))}</div>{_lines(_words(one, QUOTED_CHARACTERS))}"
            for one in told.before
        )
        title = escape(_("Earlier in this conversation:"))
        parts.append(
            f'<div style="color:#666">{title}</div>'
            f'<blockquote style="margin:0;padding-left:1em;border-left:2px solid #ccc;color:#666">{quoted}</blockquote>'
        )
    return f'<!doctype html><html><body style="font:15px/1.5 sans-serif">{"".join(parts)}</body></html>'


def _lines(text: str) -> str:
    return linebreaks(urlize(text, autoescape=True), autoescape=False) if text else ""
