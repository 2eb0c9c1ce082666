"""What follows from events, by mail: the acknowledgement, and telling an assignee what their customer wrote."""

from datetime import datetime, timedelta

from anymail.message import AnymailMessage
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import continuing
from helpdesk.conversations.models import DONE, Conversation, Message
from helpdesk.customers import mail_choices
from helpdesk.customers.models import User
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import RetryLater
from helpdesk.events.sending_mail import send_email
from helpdesk.oncall.models import Page
from tickets import limits
from tickets.desk import notices
from tickets.mail import acknowledgement, composing, tokens
from tickets.mail.automatic import INSTANCE_HEADER
from tickets.mail.channel import thread_of
from tickets.mail.waiting import waiting_thread
from tickets.models import MailThread

# Old mail (an import, a spool replayed) is filed, but nobody is told today that it has just arrived.
ACKNOWLEDGED_WITHIN = timedelta(hours=24)
# Two desks that acknowledge each other end when one of them is silent: a day's number, so that slow loops end as well.
PER_SENDER, PER_SENDER_WINDOW = 50, timedelta(days=1)
PER_DOMAIN, PER_DOMAIN_WINDOW = 1000, timedelta(hours=1)
MAIL = "email"
PAGE_GOES_FIRST = timedelta(seconds=2)
PATIENCE = timedelta(minutes=1)


def acknowledge(event: Event, at: datetime) -> None:
    """Tell the customer what they can expect: once a thread, never a machine, and only what is true already."""
    if continuing.is_continued(str(event.data.get("channel", ""))):
        _begin_mail(event)
    waiting = waiting_thread(event.conversation_id)
    if waiting is None or at - event.at > ACKNOWLEDGED_WITHIN or waiting.conversation.status in DONE:
        return
    conversation = waiting.conversation
    if not mail_choices.wants(conversation.customer, mail_choices.RECEIVED):
        return
    hours = waiting.office
    closed_hours = hours if hours is not None and not hours.is_open(event.at) else None
    if closed_hours is not None and not _on_call_knows(conversation, event, at):
        raise RetryLater("the engineer on call is told first", PAGE_GOES_FIRST)
    if _said_enough(conversation, at):
        return
    MailThread.objects.filter(pk=waiting.thread_id).update(acknowledged_at=at)
    text = acknowledgement.text(conversation, waiting.promised, closed_hours, asked_at=event.at)
    via = MAIL if continuing.is_continued(conversation.channel) else ""
    conversations.write_automatically(conversation, text, at=at, via=via)


def _begin_mail(event: Event) -> None:
    """A message left in a chat that nobody attends is answered by mail, and so is its acknowledgement; whoever is in a
    live chat is told there. Without an address the panel alone can say it.
    """
    assert event.conversation_id is not None, "it happens to conversations only"
    conversation = Conversation.objects.select_related("customer").get(pk=event.conversation_id)
    if conversation.customer.email and continuing.particulars(conversation, at=event.at).was_left:
        thread = thread_of(conversation)
        MailThread.objects.filter(pk=thread.pk, acknowledged_at=None).update(may_acknowledge=True)


def _said_enough(conversation: Conversation, at: datetime) -> bool:
    """Whether this sender or their domain was acknowledged too often lately: two machines may be talking."""
    address = conversation.customer.email
    sender, domain = f"acknowledged:{address}", f"acknowledged:@{address.rpartition('@')[2]}"
    counts = limits.count_each({sender: PER_SENDER_WINDOW, domain: PER_DOMAIN_WINDOW}, at)
    return counts[sender] > PER_SENDER or counts[domain] > PER_DOMAIN


def _on_call_knows(conversation: Conversation, event: Event, at: datetime) -> bool:
    told = Page.objects.filter(conversation=conversation).exists()
    return told or conversation.assignee_id is not None or at - event.at > PATIENCE


@outside
def tell_assignee(event: Event, at: datetime) -> None:
    """Mail the agent who has the conversation, with a way back that is theirs alone: answering answers the customer."""
    assert event.conversation_id is not None, "it happens to conversations only"
    conversation = Conversation.objects.select_related("customer", "assignee").get(pk=event.conversation_id)
    agent = conversation.assignee
    if agent is None or not agent.is_active or event.actor_id == agent.pk:
        return
    kind = notices.ASSIGNMENT if event.kind == "conversation.assigned" else notices.MESSAGE
    if not notices.wants_mail(agent, kind, at):
        return
    if event.data.get("automatic") or at - event.at > ACKNOWLEDGED_WITHIN:
        return
    if continuing.particulars(conversation, at=at).is_live:
        return  # both are there: the desk rings
    message = _latest_inbound(conversation, event)
    if message is not None:
        send_email(_notice(conversation, agent, message, event))


def _latest_inbound(conversation: Conversation, event: Event) -> Message | None:
    inbound = Message.objects.filter(conversation=conversation, kind=Message.Kind.INBOUND)
    if "message" in event.data:
        return inbound.filter(pk=event.data["message"]).first()
    return inbound.order_by("-pk").first()


def _notice(conversation: Conversation, agent: User, message: Message, event: Event) -> AnymailMessage:
    mailbox = thread_of(conversation).mailbox
    domain = composing.domain_of(mailbox)
    url = f"{settings.PUBLIC_URL}{reverse('tickets:conversation', args=[conversation.pk])}"
    about = {"customer": conversation.customer, "number": conversation.number, "subject": conversation.subject}
    with override(agent.language):
        wrote = _("%(customer)s wrote in #%(number)s “%(subject)s”:") % about
        how = _("Answer this mail to answer the customer, or open %(url)s") % {"url": url}
    text = f"{wrote}\n\n{message.text}\n\n-- \n{how}\n"
    return AnymailMessage(
        subject=composing.subject_of(conversation).removeprefix("Re: "),
        body=text,
        from_email=composing.address_of(conversation.customer.name or mailbox.name, mailbox.address),
        to=[agent.email],
        reply_to=[tokens.plus_address(mailbox.address, tokens.make("agent", conversation.pk, agent.pk))],
        headers={
            "Message-ID": f"<agent-{agent.pk}-event-{event.pk}@{domain}>",
            # No mail has this id; naming it in all of them keeps a conversation's notices together.
            "References": f"<conversation-{conversation.pk}@{domain}>",
            INSTANCE_HEADER: tokens.instance_id(),
            **composing.automatic_headers("auto-generated"),
        },
    )
