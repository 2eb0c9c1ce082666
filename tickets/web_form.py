"""A ticket from the customers' form: who sent it is not proven, and the same form opens one conversation only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.db import IntegrityError, transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.models import Conversation
from helpdesk.customers import actions as customers
from helpdesk.customers.models import Customer
from helpdesk.customers.services import mentioned_services
from helpdesk.events.actors import CUSTOMER
from tickets import limits
from tickets.desk import blocking
from tickets.models import Mailbox, MailThread, Topic

CHANNEL = "form"
SALT = "tickets.web_form"
OPEN_FOR = timedelta(hours=24)
# People need longer than this to say what is wrong; what was quicker is taken, with a remark for the agent.
PEOPLE_NEED = timedelta(seconds=1)
PER_ADDRESS, PER_ADDRESS_WINDOW = 10, timedelta(hours=1)
PER_SENDER, PER_SENDER_WINDOW = 30, timedelta(minutes=10)


class TooMany(Exception):
    """This network address or e-mail address has sent very many forms."""


class Blocked(Exception):
    """Nothing is taken from this sender any more."""


class StaleForm(ValueError):
    """The form was not shown by us, or too long ago."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One form as it was sent. `token` is what `new_token` gave the page; `remote` the sender's network address."""

    email: str
    name: str
    subject: str
    message: str
    priority: str
    token: str
    remote: str
    service: str = ""
    files: list[File] = field(default_factory=list)
    # Whoever is signed in, or vouched for by the site around the form: then it is certain who writes.
    customer: Customer | None = None
    topic: Topic | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


def new_token(at: datetime) -> str:
    """What makes one shown form one ticket: a number of its own and the time, signed."""
    return signing.dumps([str(uuid4()), at.timestamp()], salt=SALT, compress=False)


def submit(submission: Submission, *, at: datetime) -> Conversation:
    """Open the conversation; the same form sent twice finds the first one. Raises TooMany, StaleForm, Blocked."""
    number, shown_at = _read(submission.token, at)
    known = _opened(number)
    if known is not None:
        return known
    _limit(submission, at)
    if blocking.blocked(submission.email) is not None:
        raise Blocked(submission.email)
    is_quick = at - shown_at < PEOPLE_NEED
    try:
        return _open(submission, number, "Sent faster than people type" if is_quick else "", at)
    except IntegrityError:
        # The same form, sent twice at once: the unique thread let one of them through.
        known = _opened(number)
        if known is None:
            raise
        return known


def _read(token: str, at: datetime) -> tuple[UUID, datetime]:
    try:
        number, shown = signing.loads(token, salt=SALT)
        shown_at = datetime.fromtimestamp(shown, tz=at.tzinfo)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise StaleForm("not a form of ours") from error
    if not timedelta(minutes=-1) < at - shown_at < OPEN_FOR:
        raise StaleForm("shown too long ago")
    return UUID(number), shown_at


def _opened(number: UUID) -> Conversation | None:
    return Conversation.objects.filter(channel=CHANNEL, owner=CHANNEL, thread=str(number)).first()


def _limit(submission: Submission, at: datetime) -> None:
    sender = limits.count(f"form:ip:{submission.remote}", PER_SENDER_WINDOW, at)
    address = limits.count(f"form:{submission.email.lower()}", PER_ADDRESS_WINDOW, at)
    if sender > PER_SENDER or address > PER_ADDRESS:
        raise TooMany


@transaction.atomic
def _open(submission: Submission, number: UUID, remark: str, at: datetime) -> Conversation:
    mailbox = Mailbox.objects.filter(is_default=True).first()
    customer = submission.customer
    if customer is None:
        customer = customers.find_or_create_customer("email", submission.email, submission.name, at=at)
    topic = submission.topic
    named = mentioned_services(submission.service, None) if submission.service else []
    about = f"\n\nAbout: {submission.service}" if submission.service else ""
    message = conversations.receive_message(
        Inbound(
            channel=CHANNEL,
            owner=CHANNEL,
            thread=str(number),
            customer=customer,
            at=at,
            subject=submission.subject,
            text=f"{submission.message}{about}",
            priority=(topic.priority if topic else "") or submission.priority,
            team_id=topic.team_id if topic and topic.team_id else mailbox.team_id if mailbox else None,
            service_ids=tuple(service.pk for service in named),
            files=tuple(submission.files),
            client_id=number,
            is_verified=submission.customer is not None,
            remark=remark,
        )
    )
    if submission.custom:
        change = conversations.Changes(custom=dict(submission.custom))
        conversations.change(message.conversation_id, change, actor=CUSTOMER, at=at)
    if mailbox is not None:
        MailThread.objects.create(conversation_id=message.conversation_id, mailbox=mailbox, may_acknowledge=True)
    return message.conversation
