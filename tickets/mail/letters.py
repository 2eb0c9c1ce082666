"""A customer's mail as a message: whose it is, where it goes, what is shown of it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.incoming import MAX_FOLLOWERS
from helpdesk.conversations.models import DONE, Conversation, Message, Priority
from helpdesk.customers import actions as customers
from helpdesk.customers.models import Customer
from helpdesk.prepared import Prepared
from tickets import limits
from tickets.mail import subjects, threading
from tickets.mail.automatic import may_acknowledge
from tickets.mail.mailboxes import Mailboxes
from tickets.mail.parsed import Address, ParsedMail
from tickets.mail.sanitize import sanitize
from tickets.mail.tokens import instance_id
from tickets.mail.trimming import newly_written
from tickets.models import InboundEmail, Mailbox, MailHeader, MailThread

FLOOD_WINDOW = timedelta(minutes=10)
FLOOD_OF_A_STRANGER = 20
# A customer company's machines may report a lot; this only keeps them from filling the database.
FLOOD_OF_A_CUSTOMER = 3000


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail with all that is known of it before it is filed."""

    mail: InboundEmail
    parsed: ParsedMail
    customer: Customer
    sender: Address
    mailboxes: Mailboxes
    recipients: list[str]

    @property
    def mailbox(self) -> Mailbox:
        return self.mailboxes.meant(self.recipients)


def recipients(mail: InboundEmail, parsed: ParsedMail) -> list[str]:
    """Whom the mail was sent to, the envelope first: it cannot lie about why we have the mail."""
    headers = [address.email for address in (*parsed.to, *parsed.cc)]
    return list(dict.fromkeys([*mail.rcpt_to, *parsed.delivered_to, *headers]))


def is_answer(parsed: ParsedMail, reason: str) -> bool:
    """An out-of-office note and the like: a machine's answer that asks for nothing."""
    if reason in ("report", "null-return-path", "daemon"):
        return bool(parsed.in_reply_to) or reason == "null-return-path"
    return reason in ("autoresponder", "subject") or "auto-replied" in parsed.header("auto-submitted").lower()


def admitted(
    thread: threading.Thread | None, sender: Address, parsed: ParsedMail, *, reason: str
) -> threading.Thread | None:
    """The thread, if this sender may write in it. A stranger without anything of ours in hand opens a new ticket,
    and so does a person who uses an old mail of a finished ticket to write about something else.
    """
    if thread is None:
        return None
    if not thread.is_signed and not threading.is_participant(thread.conversation, sender.email):
        return None
    changed = subjects.differs(thread.conversation.subject, parsed.subject)
    if changed and not reason and thread.token is None and thread.conversation.status in DONE:
        return None
    return thread


def file_letter(letter: Letter, thread: threading.Thread | None, *, reason: str, doubt: str) -> Message:
    """Append to the thread or open a conversation, with mail's own facts beside it. `doubt`: why the sender may be
    forged, "" where nothing says so.
    """
    conversation = thread.conversation if thread else None
    is_known = conversation is None or threading.is_participant(conversation, letter.sender.email)
    inbound = _inbound(letter, conversation, reason, doubt, is_known)
    if conversation is None:
        inbound = _grouped_if_flood(letter, inbound)
    message = conversations.receive_message(inbound)
    note_mail(message, letter, acknowledge=_may_be_acknowledged(letter, inbound, doubt))
    return message


def _inbound(letter: Letter, conversation: Conversation | None, reason: str, doubt: str, is_known: bool) -> Inbound:
    parsed, mailbox = letter.parsed, letter.mailbox
    html, remarks = _safe_html(parsed)
    if doubt:
        remarks.append(doubt)
    if not is_known:
        remarks.append("From somebody who was not part of this conversation")
    if conversation is not None and subjects.differs(conversation.subject, parsed.subject):
        remarks.append(f"Subject changed: {parsed.subject[:120]}")
    # A forward says what it says in the part below its header block.
    is_forward = subjects.is_forward(parsed.subject)
    text = parsed.text if is_forward else newly_written(parsed.text, parsed.html if parsed.is_html_only else "")
    return Inbound(
        channel="email",
        customer=letter.customer,
        at=letter.mail.received_at,
        subject=subjects.opening(parsed.subject, has_parent=bool(parsed.in_reply_to or parsed.references)),
        text=text,
        full_text=parsed.text,
        html=html,
        external_id=external_id(parsed),
        conversation_id=conversation.pk if conversation else None,
        team_id=mailbox.team_id,
        priority=stated_priority(parsed, mailbox),
        followers=_followers(letter, conversation) if is_known and not doubt else (),
        files=files_of(parsed),
        is_automatic=bool(reason),
        is_verified=is_known and not doubt,
        remark="; ".join([*remarks, *parsed.defects])[:200],
    )


def _safe_html(parsed: ParsedMail) -> tuple[str, list[str]]:
    if not parsed.html:
        return "", []
    safe = sanitize(parsed.html)
    return safe.html, [safe.notice] if safe.notice else []


def external_id(parsed: ParsedMail) -> str:
    """What makes the message one: its content, since anybody can use a Message-ID again."""
    return f"{parsed.message_id[:900]}#{parsed.content_hash[:32]}"


def stated_priority(parsed: ParsedMail, mailbox: Mailbox) -> str:
    """The mailbox's priority. A sender's "high importance" raises normal and low ones by one, never to urgent."""
    flags = (parsed.header("importance"), parsed.header("x-priority")[:1], parsed.header("priority"))
    is_important = flags[0].lower() == "high" or flags[1] in ("1", "2") or flags[2].lower() == "urgent"
    if is_important and mailbox.priority in (Priority.NORMAL, Priority.LOW):
        return Priority.HIGH if mailbox.priority == Priority.NORMAL else Priority.NORMAL
    return mailbox.priority


def files_of(parsed: ParsedMail) -> tuple[File, ...]:
    return tuple(File(p.name, p.content_type, p.content, p.content_id, p.inline) for p in parsed.attachments)


def _followers(letter: Letter, conversation: Conversation | None) -> tuple[Customer, ...]:
    """Those in To and Cc who are neither we nor the sender; in an existing thread only whom a participant adds."""
    others = dict.fromkeys((*letter.parsed.to, *letter.parsed.cc))
    wanted = [
        a for a in others if "@" in a.email and a.email != letter.sender.email and not letter.mailboxes.is_ours(a.email)
    ]
    at = letter.mail.received_at
    people = [
        customers.find_or_create_customer("email", a.email, a.name, at=at)
        for a in wanted[:MAX_FOLLOWERS]
        if not a.email.startswith(("bounce+", "reply+"))
    ]
    if conversation is not None and letter.customer.pk != conversation.customer_id:
        people.append(letter.customer)
    return tuple(people)


def _grouped_if_flood(letter: Letter, inbound: Inbound) -> Inbound:
    """Too many new tickets from one sender go into their latest one, stored but without notice."""
    many = FLOOD_OF_A_CUSTOMER if letter.customer.organization_id else FLOOD_OF_A_STRANGER
    if limits.count(f"mail:{letter.sender.email}", FLOOD_WINDOW, letter.mail.received_at) <= many:
        return inbound
    latest = Conversation.objects.filter(customer=letter.customer).order_by("-pk").values_list("pk", flat=True).first()
    if latest is None:
        return inbound
    return replace(inbound, conversation_id=latest, is_automatic=True, remark="One of very many mails in a short time")


def _may_be_acknowledged(letter: Letter, inbound: Inbound, doubt: str) -> bool:
    return (
        not inbound.is_automatic
        and not doubt
        and not letter.mailboxes.is_ours(letter.sender.email)
        and may_acknowledge(letter.parsed, letter.mail.mail_from or None, instance_id())
    )


_NOTE = Prepared(
    "note_mail",
    f"""
WITH header AS (
    INSERT INTO {MailHeader._meta.db_table}
        (message_id, conversation_id, mail_id, parent_mail_id, sender, reply_to, "to", cc, subject)
    VALUES (%s, %s, %s, %s, %s, %s, %s::varchar[], %s::varchar[], %s) ON CONFLICT DO NOTHING
)
INSERT INTO {MailThread._meta.db_table} (conversation_id, mailbox_id, may_acknowledge, alert_key)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
""",
)


def note_mail(message: Message, letter: Letter, *, acknowledge: bool, alert_key: str = "") -> None:
    """Mail's own facts of a message and, on a first one, of its conversation. Filing twice notes once."""
    parsed = letter.parsed
    parent = next(iter([*parsed.in_reply_to[:1], *parsed.references[-1:]]), "")
    reply_to = parsed.reply_to[0].email if parsed.reply_to else ""
    to, cc = ([address.email[:320] for address in addresses][:100] for addresses in (parsed.to, parsed.cc))
    _NOTE.run(
        [
            *(message.pk, message.conversation_id, parsed.message_id[:998], parent[:998]),
            *(letter.sender.email[:320], reply_to[:320], to, cc, parsed.subject[:500]),
            *(message.conversation_id, letter.mailbox.pk, acknowledge, alert_key[:255]),
        ]
    )
