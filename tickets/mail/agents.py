"""Mail from agents: an answer where they hold their own token, a customer's ticket where they forward one.

An agent's address in From proves nothing. Without a token given to that very agent, and never after a failed
authentication, such a mail has no more rights than anybody's.
"""

from uuid import NAMESPACE_OID, uuid5

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.customers import actions as customers
from helpdesk.customers.models import User
from tickets.mail import letters, threading
from tickets.mail.authentication import DOUBTS, Proof, proof
from tickets.mail.forwarded import ForwardedMail, forwarded_original
from tickets.mail.mailboxes import Mailboxes
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import Address, ParsedMail
from tickets.mail.trimming import newly_written
from tickets.models import InboundEmail


def file_agents_mail(
    agent: User,
    thread: threading.Thread | None,
    mail: InboundEmail,
    parsed: ParsedMail,
    mailboxes: Mailboxes,
    recipients: list[str],
    looked: Proof | None,
) -> Outcome | None:
    """The agent's answer or forward; None where the mail is to be treated like anybody's. Raises ProofNeeded."""
    proven = proof(parsed, looked)
    if proven in DOUBTS:
        return None
    if thread is not None and thread.token is not None and thread.token.kind == "agent":
        if thread.token.person_id != agent.pk:
            return None
        message = _answer(agent, thread, mail, parsed)
        if message is None:
            return Outcome(InboundEmail.State.FILED, "a second person reads it first", thread.conversation.pk)
        return Outcome(InboundEmail.State.FILED, "an agent's answer", message.conversation_id, message.pk)
    if thread is not None:
        return None
    original = forwarded_original(parsed)
    if original is None or mailboxes.is_ours(original.sender.email):
        return None
    message = _open_for(original, agent, mail, parsed, mailboxes, recipients, is_proven=proven is Proof.PASSED)
    return Outcome(InboundEmail.State.FILED, "forwarded by an agent", message.conversation_id, message.pk)


def _answer(agent: User, thread: threading.Thread, mail: InboundEmail, parsed: ParsedMail) -> Message | None:
    """None where a second person reads it first."""
    text = newly_written(parsed.text, parsed.html if parsed.is_html_only else "")
    files, client_id = letters.files_of(parsed), uuid5(NAMESPACE_OID, letters.external_id(parsed))
    try:
        with transaction.atomic():
            return conversations.answer(
                thread.conversation, agent, text, at=mail.received_at, files=files, client_id=client_id
            )
    except conversations.Refused:
        # A mail cannot be asked to say it in other words: it is held back on its way out, for everybody to see.
        return conversations.reply(
            thread.conversation.pk, agent, text, at=mail.received_at, files=files, client_id=client_id
        )


def _open_for(
    original: ForwardedMail,
    agent: User,
    mail: InboundEmail,
    parsed: ParsedMail,
    mailboxes: Mailboxes,
    recipients: list[str],
    *,
    is_proven: bool,
) -> Message:
    """The customer's ticket, with the agent's own words as a note. Acknowledged only if the agent was proven:
    anybody could make us write to a stranger otherwise.
    """
    sender = Address(original.sender.name, original.sender.email)
    customer = customers.find_or_create_customer("email", sender.email, sender.name, at=mail.received_at)
    letter = letters.Letter(mail, parsed, customer, sender, mailboxes, recipients)
    message = conversations.receive_message(
        conversations.Inbound(
            channel="email",
            customer=customer,
            at=mail.received_at,
            subject=original.subject,
            text=original.text,
            full_text=parsed.text,
            external_id=letters.external_id(parsed),
            team_id=letter.mailbox.team_id,
            priority=letters.stated_priority(parsed, letter.mailbox),
            files=letters.files_of(parsed),
            is_verified=is_proven,
            remark=f"Forwarded by {agent.name}" + ("" if is_proven else ", whose address was not proven"),
        )
    )
    letters.note_mail(message, letter, acknowledge=is_proven)
    if original.note.strip():
        conversations.note(message.conversation_id, agent, original.note, at=mail.received_at)
    return message
