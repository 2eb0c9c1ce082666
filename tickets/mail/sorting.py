"""What becomes of one mail: the order of questions, each answered in its own function."""

from datetime import datetime

from helpdesk.customers import actions as customers
from helpdesk.customers.models import User
from helpdesk.prepared import Prepared
from tickets.mail import agents, alerts, bounce_filing, invitations, letters, threading, tokens
from tickets.mail.authentication import DOUBTS, Proof, proof, verdict
from tickets.mail.automatic import automatic_reason
from tickets.mail.bounces import read_bounce
from tickets.mail.mailboxes import Mailboxes
from tickets.mail.monitoring import recognise
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import Address, ParsedMail
from tickets.models import BlockedSender, InboundEmail

# A machine's answer to one of our mails is part of that thread or of nothing; other automatic mail may be a request.
_ANSWERING = ("auto-submitted", "autoresponder", "subject", "report", "null-return-path", "daemon")


class Unfileable(Exception):
    """A mail nobody could be answered on. It is quarantined, where a person decides."""


class FiledMeanwhile(Exception):
    """Another worker settled the mail; what this one did is rolled back."""


def sort(
    mail: InboundEmail, parsed: ParsedMail, mailboxes: Mailboxes, *, at: datetime, looked: Proof | None = None
) -> Outcome:
    """Decide and do. Runs inside the transaction that settles the ledger's row. Raises Unfileable, and ProofNeeded
    where it matters whether From is true and `looked`, what our own look found, is not given yet.
    """
    recipients = letters.recipients(mail, parsed)
    reason = automatic_reason(parsed, mail.mail_from or _null_path(mail), tokens.instance_id())
    if reason == "own-instance":
        return Outcome(InboundEmail.State.AUTOMATIC, "our own mail came back")
    duplicate, agent_id, blocked_by = _known(mail, parsed)
    if duplicate is not None:
        return duplicate
    bounce = read_bounce(bytes(mail.raw), parsed)
    if bounce is not None:
        return bounce_filing.file_bounce(bounce, recipients, mail, parsed, at=at)
    if blocked_by is not None and agent_id is None:
        return Outcome(InboundEmail.State.BLOCKED, f"{blocked_by} is blocked")
    sender = _sender(mail, parsed)
    settled, invited = invitations.take(parsed, at=at)
    if settled is not None:
        return settled
    alert = recognise(parsed)
    if alert is not None:
        return alerts.file_alert(alert, mail, parsed, sender, mailboxes, recipients)
    thread = invited or threading.find(parsed, recipients, mail.received_at)
    if agent_id is not None and not reason:
        agent = User.objects.get(pk=agent_id)
        outcome = agents.file_agents_mail(agent, thread, mail, parsed, mailboxes, recipients, looked)
        if outcome is not None:
            return outcome
    return _file_customers_mail(mail, parsed, sender, thread, reason, mailboxes, recipients, looked)


def _null_path(mail: InboundEmail) -> str | None:
    """An envelope we were given with an empty sender is the null path; a way in without envelopes says nothing."""
    return "" if mail.source in ("smtp", "lmtp") else None


_KNOWN = Prepared(
    "known_mail",
    f"""
SELECT filed.conversation_id, filed.message_id, filed.id IS NOT NULL,
       (SELECT id FROM {User._meta.db_table} WHERE email = %s AND is_active),
       (SELECT min(handle) FROM {BlockedSender._meta.db_table} WHERE handle IN (%s, %s))
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT id, conversation_id, message_id FROM {InboundEmail._meta.db_table}
    WHERE state = 'filed' AND mail_id = %s AND content_hash = %s AND content_hash <> '' AND id <> %s LIMIT 1
) AS filed ON true
""",
)


def _known(mail: InboundEmail, parsed: ParsedMail) -> tuple[Outcome | None, int | None, str | None]:
    """The same mail if it came before by another way (same Message-ID and same content; the same id with other
    content is kept), the agent whose address the sender bears, and what blocks the sender.
    """
    sender = parsed.sender.email if parsed.sender else ""
    writer = sender if "@" in sender else mail.mail_from.strip("<>").lower()
    domain = "@" + writer.rpartition("@")[2]
    row = _KNOWN.row([sender, writer, domain, parsed.message_id[:998], parsed.content_hash, mail.pk])
    assert row is not None, "it always answers with one row"
    conversation_id, message_id, is_known, agent_id, blocked_by = row
    if not is_known:
        return None, agent_id, blocked_by
    known = Outcome(InboundEmail.State.DUPLICATE, "the same mail came before", conversation_id, message_id)
    return known, agent_id, blocked_by


def _sender(mail: InboundEmail, parsed: ParsedMail) -> Address:
    if parsed.sender is not None and "@" in parsed.sender.email:
        return parsed.sender
    if "@" in mail.mail_from:
        return Address("", mail.mail_from.strip("<>").lower())
    raise Unfileable("neither the mail nor its envelope names a sender who could be answered")


def _file_customers_mail(
    mail: InboundEmail,
    parsed: ParsedMail,
    sender: Address,
    thread: threading.Thread | None,
    reason: str,
    mailboxes: Mailboxes,
    recipients: list[str],
    looked: Proof | None,
) -> Outcome:
    customer = customers.find_or_create_customer("email", sender.email, sender.name, at=mail.received_at)
    if customer.blocked_at is not None:
        return Outcome(InboundEmail.State.BLOCKED, "this customer is blocked")
    thread = letters.admitted(thread, sender, parsed, reason=reason)
    # Without anything of ours in hand, only the From says that this is a participant.
    is_claim = thread is not None and not thread.is_signed
    proven = proof(parsed, looked) if is_claim or looked is not None else verdict(parsed)
    if reason in _ANSWERING and thread is None and letters.is_answer(parsed, reason):
        return Outcome(InboundEmail.State.AUTOMATIC, f"automatic answer ({reason})")
    letter = letters.Letter(mail, parsed, customer, sender, mailboxes, recipients)
    message = letters.file_letter(letter, thread, reason=reason, doubt=DOUBTS.get(proven, ""))
    state = InboundEmail.State.AUTOMATIC if reason and thread is not None else InboundEmail.State.FILED
    return Outcome(state, reason, message.conversation_id, message.pk)
