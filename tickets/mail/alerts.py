"""Monitoring mail: one ticket while a check is in trouble, done when it recovers."""

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.handling import Changes
from helpdesk.conversations.models import DONE, Priority, Status
from helpdesk.customers import actions as customers
from helpdesk.events.actors import SYSTEM
from tickets.mail import letters
from tickets.mail.mailboxes import Mailboxes
from tickets.mail.monitoring import Alert
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import Address, ParsedMail
from tickets.models import InboundEmail, MailThread


def file_alert(
    alert: Alert, mail: InboundEmail, parsed: ParsedMail, sender: Address, mailboxes: Mailboxes, recipients: list[str]
) -> Outcome:
    """Open the check's ticket, add to it, or resolve it. A recovery of nothing we know of is only kept."""
    thread = _open_ticket(alert, sender)
    if thread is None and (alert.recovered or alert.informational):
        return Outcome(InboundEmail.State.AUTOMATIC, f"{alert.source}: nothing is open for this check")
    customer = customers.find_or_create_customer("email", sender.email, sender.name, at=mail.received_at)
    letter = letters.Letter(mail, parsed, customer, sender, mailboxes, recipients)
    message = conversations.receive_message(
        Inbound(
            channel="email",
            customer=customer,
            at=mail.received_at,
            subject=alert.title or parsed.subject,
            text=parsed.text,
            external_id=letters.external_id(parsed),
            conversation_id=thread.conversation_id if thread else None,
            team_id=letter.mailbox.team_id,
            priority=Priority.HIGH if alert.severity == "critical" else letter.mailbox.priority,
            files=letters.files_of(parsed),
            is_automatic=True,
            tags=("monitoring", alert.source),
        )
    )
    letters.note_mail(message, letter, acknowledge=False, alert_key=_key(alert, sender))
    if alert.recovered:
        conversations.change(
            message.conversation_id,
            Changes(status=Status.RESOLVED),
            actor=SYSTEM,
            at=mail.received_at,
            may_lack_fields=True,
        )
        MailThread.objects.filter(conversation_id=message.conversation_id).update(alert_key="")
    return Outcome(InboundEmail.State.FILED, f"{alert.source} alert", message.conversation_id, message.pk)


def _open_ticket(alert: Alert, sender: Address) -> MailThread | None:
    """The ticket of this check, if it is still in work. One that an agent closed lets the next alert open a new one."""
    thread = MailThread.objects.select_for_update().filter(alert_key=_key(alert, sender)).first()
    if thread is not None and thread.conversation.status in DONE:
        MailThread.objects.filter(pk=thread.pk).update(alert_key="")
        return None
    return thread


def _key(alert: Alert, sender: Address) -> str:
    """The check as its own monitoring tells it: another sender's recovery closes nothing."""
    return f"{alert.source}:{sender.email}:{alert.key}"[:255]
