"""What is done in a chat: begun, written, read, joined, turned into a ticket, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from chat import dues, entitlement, sent_files, visitor_log
from chat.entitlement import Entitlement
from chat.models import Chat, ChatDue, ChatGrant, Visit, Widget
from chat.sent_files import Sent
from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.incoming import lock, receive_message
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers import actions as customers
from helpdesk.customers.lookup import columns, customer_of, take
from helpdesk.customers.models import Customer, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared
from helpdesk.sla.models import Clock

CHANNEL: Final = "chat"
LONGEST_TEXT: Final = 10_000
LONGEST_SUBJECT: Final = 80
# Who writes again within this time takes up the same conversation; later a new one begins that points back.
TAKEN_UP_WITHIN: Final = timedelta(days=7)
# What is due of a live chat in its first minutes, as shares of the promised response.
SHARES: Final = {ChatDue.Kind.HALF: 0.5, ChatDue.Kind.MOST: 0.8, ChatDue.Kind.LATE: 1.0}
OFFERS: Final = ("schedule", "ticket")
# Who waits is looked for first after so long: their page opens its socket once it knows that there is a chat.
MISSED_AFTER: Final = timedelta(seconds=30)

_FIND = Prepared(
    "chat_of_public_id",
    f"""
SELECT {columns(Chat, "chat")}, {columns(Widget, "widget")}, {columns(Conversation, "conversation")}
FROM {Chat._meta.db_table} chat
JOIN {Widget._meta.db_table} widget ON widget.id = chat.widget_id
JOIN {Conversation._meta.db_table} conversation ON conversation.id = chat.conversation_id
WHERE chat.public_id = %s
""",
)
_SEEN = Prepared(
    "seen_by_visitor",
    f"""
WITH moved AS (
    UPDATE {Chat._meta.db_table} SET visitor_read = %(upto)s::bigint
    WHERE conversation_id = %(conversation)s::bigint AND visitor_read < %(upto)s::bigint RETURNING conversation_id
)
UPDATE {Message._meta.db_table} AS message SET delivery = 'delivered', error = ''
FROM moved, {Event._meta.db_table} AS event
WHERE message.conversation_id = moved.conversation_id AND message.delivery <> 'delivered'
    AND event.conversation_id = moved.conversation_id AND event.public_seq <= %(upto)s::bigint
    AND event.kind = 'message.written' AND (event.data ->> 'message')::bigint = message.id
""",
)


class NotEntitled(Exception):
    """Live chat is not included: `offers` are the other ways."""

    offers: Final = OFFERS


class SignFirst(Exception):
    """This widget is for those whom the page has signed for."""


class NeedsAddress(Exception):
    """Nobody could be answered without an address."""


class NothingSaid(ValueError):
    """Neither a text nor a file."""


class NotTheirs(LookupError):
    """There is no such chat, or it is somebody else's."""


@dataclass(frozen=True, slots=True)
class FirstWords:
    """How a visitor begins. `leisurely`: they write to be answered later, which everybody may."""

    text: str
    client_id: UUID
    uploads: Sequence[UUID] = ()
    name: str = ""
    email: str = ""
    leisurely: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A message that stands in the log under the public number `seq`; `is_repeated`: it had been said before."""

    chat: Chat
    message_id: int
    seq: int
    is_repeated: bool = False


def start(visit: Visit, given: FirstWords, *, at: datetime) -> Said:
    """Begin a conversation with its first message; the same client id again returns the first one.

    Raises NotEntitled, SignFirst, NeedsAddress, NothingSaid.
    """
    known = _begun_elsewhere(visit, given.client_id)
    if known is not None:
        return _begun(known)
    owner = f"visit:{visit.pk}"
    try:
        with transaction.atomic():
            return _start(visit, given, owner, at)
    except IntegrityError:
        known = Conversation.objects.filter(channel=CHANNEL, owner=owner, thread=str(given.client_id)).first()
        if known is None:
            raise
    return _begun(known)


def _begun_elsewhere(visit: Visit, client_id: UUID) -> Conversation | None:
    """Sent in another session of the same customer, whose answer got lost before the page signed in anew."""
    if not visit.is_verified:
        return None
    mine = Conversation.objects.filter(customer=visit.customer_id, channel=CHANNEL, chat__is_verified=True)
    return mine.filter(thread=str(client_id)).first()


def _begun(known: Conversation) -> Said:
    message = known.messages.order_by("pk").first()
    assert message is not None, "a conversation begins with a message"
    chat = Chat.objects.select_related("widget").get(conversation=known)
    chat.conversation = known
    return Said(chat, message.pk, visitor_log.number_of(known.pk, message.pk), is_repeated=True)


def _start(visit: Visit, given: FirstWords, owner: str, at: datetime) -> Said:
    widget = visit.widget
    if (widget.only_verified and not visit.is_verified) or visit.only_chat_id is not None:
        raise SignFirst
    customer = _customer(visit, given, at)
    if widget.needs_email and not customer.email:
        raise NeedsAddress
    mode = _mode(visit, customer, given, at)
    files = sent_files.named(visit, given.uploads)
    message = receive_message(
        Inbound(
            channel=CHANNEL,
            customer=customer,
            at=at,
            text=checked_text(given.text, files),
            subject=_subject(given.text),
            owner=owner,
            thread=str(given.client_id),
            client_id=given.client_id,
            team_id=widget.team_id,
            files=tuple(file for _upload, file in files),
            is_verified=visit.is_verified,
            is_live=mode == Chat.Mode.CHAT,
        )
    )
    sent_files.claim(files, message)
    chat = make_chat(visit, message, mode, at)
    return Said(chat, message.pk, 1)


def make_chat(visit: Visit, message: Message, mode: str, at: datetime) -> Chat:
    """What is a chat beside its conversation, which the message has just begun."""
    is_live = mode == Chat.Mode.CHAT
    chat = Chat.objects.create(
        conversation=message.conversation,
        widget=visit.widget,
        visit=visit,
        is_verified=visit.is_verified,
        mode=mode,
        state=Chat.State.WAITING if is_live else Chat.State.ENDED,
        started_at=at,
        ended_at=None if is_live else at,
    )
    if is_live:
        wait(chat.conversation_id, at)
    return chat


def wait(conversation_id: int, at: datetime) -> None:
    """The visitor waits for an agent: plan the offers and the reminders that the promise gives."""
    dues.plan(conversation_id, ChatDue.Kind.OFFER, at)
    dues.plan(conversation_id, ChatDue.Kind.LEFT, at + MISSED_AFTER)
    clock = Clock.objects.filter(
        conversation=conversation_id, target__in=promises.ANSWERS, met_at=None, cancelled_at=None, due_at__gt=at
    ).first()
    if clock is None or clock.due_at is None:
        return
    for kind, share in SHARES.items():
        dues.plan(conversation_id, kind, at + (clock.due_at - at) * share)


def _customer(visit: Visit, given: FirstWords, at: datetime) -> Customer:
    """The session's customer; a stranger becomes one now, and no sooner. Their address is a claim, not a proof."""
    if visit.customer is not None:
        _learn(visit.customer, given)
        return visit.customer
    customer = customers.find_or_create_customer(CHANNEL, f"visit:{visit.pk}", given.name, at=at)
    _learn(customer, given)
    Customer.objects.filter(pk=customer.pk).update(language=visit.language, timezone=visit.timezone)
    Visit.objects.filter(pk=visit.pk).update(customer=customer)
    visit.customer = customer
    return customer


def _learn(customer: Customer, given: FirstWords) -> None:
    """What they say about themselves fills what is empty, and overwrites nothing."""
    new = {"name": given.name[:200], "email": given.email[:320].lower()}
    changed = {key: value for key, value in new.items() if value and not getattr(customer, key)}
    if changed:
        Customer.objects.filter(pk=customer.pk).update(**changed)
        for key, value in changed.items():
            setattr(customer, key, value)


def _mode(visit: Visit, customer: Customer, given: FirstWords, at: datetime) -> str:
    if given.leisurely:
        return Chat.Mode.TICKET
    found = entitled(visit, customer, at=at)
    if not found.is_live:
        raise NotEntitled
    return Chat.Mode.CHAT if is_manned(found, at) else Chat.Mode.TICKET


def is_manned(found: Entitlement, at: datetime) -> bool:
    """Somebody is there in office hours, and whenever a chat is booked."""
    return found.why == "booking" or not promises.is_outside_office_hours(at)


def entitled(visit: Visit, customer: Customer | None, *, at: datetime) -> Entitlement:
    """What holds for this session. Who names somebody else's address has no more rights than that customer has."""
    if visit.is_verified or customer is None or not customer.email:
        return entitlement.of(customer, at=at)
    claimed = customer_of("email", customer.email)
    found = entitlement.of(customer if claimed is None else claimed, at=at)
    # What was agreed was agreed with whoever wrote here, not with whom they name.
    return found if found.is_live else entitlement.by_agreement(customer, at=at)


def chat_of(visit: Visit, public_id: UUID) -> Chat:
    """The session's chat of that id: begun in it, or anybody's of a customer who is vouched for. Raises NotTheirs."""
    row = _FIND.row([public_id])
    if row is None:
        raise NotTheirs(str(public_id))
    chat, row = take(Chat, row)
    chat.widget, row = take(Widget, row)
    chat.conversation, _ = take(Conversation, row)
    if not is_theirs(visit, chat):
        raise NotTheirs(str(public_id))
    return chat


def is_theirs(visit: Visit, chat: Chat) -> bool:
    if visit.pk == chat.visit_id or visit.only_chat_id == chat.pk:
        return True
    return visit.is_verified and chat.is_verified and chat.conversation.customer_id == visit.customer_id


def chats_of(visit: Visit, most: int) -> list[Chat]:
    """The session's chats, and those of its customer if the page vouches for them, newest first."""
    found = Chat.objects.select_related("conversation", "widget").order_by("-conversation_id")
    if visit.is_verified:
        return list(found.filter(conversation__customer=visit.customer_id, is_verified=True)[:most])
    return list(found.filter(Q(visit=visit) | Q(pk=visit.only_chat_id))[:most])


def read_by_visitor(conversation_id: int, upto: int) -> bool:
    """The visitor has seen everything up to this public number: what was sent is delivered. One statement; whether
    that was new.
    """
    return _SEEN.run({"conversation": conversation_id, "upto": upto}) > 0


def read_by_agent(conversation_id: int, upto: int) -> bool:
    """An agent has. Whether that was new."""
    return Chat.objects.filter(conversation=conversation_id, agent_read__lt=upto).update(agent_read=upto) > 0


@transaction.atomic
def join(conversation_id: int, user: User, *, at: datetime) -> bool:
    """An agent is there now: the waiting is over. False where that is known already, or nobody waits live."""
    conversation = lock(conversation_id)
    chat = Chat.objects.filter(conversation=conversation, mode=Chat.Mode.CHAT).exclude(state=Chat.State.ENDED).first()
    if chat is None or (chat.state == Chat.State.ACTIVE and conversation.assignee_id == user.pk and chat.joined_at):
        return False
    if conversation.assignee_id != user.pk:
        changes = conversations.Changes(assignee=user)
        conversations.change(conversation_id, changes, actor=Actor.agent(user), at=at)
    Chat.objects.filter(pk=chat.pk).update(
        state=Chat.State.ACTIVE,
        joined_at=at,
        offered_to=None,
        offered_until=None,
        hold_until=None,
        unseen_since=None,
    )
    dues.drop(conversation_id, ChatDue.Kind.OFFER, ChatDue.Kind.LEFT)
    record(Fact("chat.joined", conversation_id, Actor.agent(user), public=True, data={"agent": user.pk}), at=at)
    return True


def was_answered(chat: Chat) -> bool:
    """Whether a person was there, or has written: then there is something to rate."""
    if chat.joined_at is not None:
        return True
    answers = Message.objects.filter(conversation=chat.pk, kind=Message.Kind.OUTBOUND, is_automatic=False)
    return answers.exists()


@transaction.atomic
def end(conversation_id: int, *, actor: Actor, at: datetime) -> bool:
    """The live chat is over and was answered: it is resolved, and the customer is asked how it was. False if it was
    over already.
    """
    conversation = lock(conversation_id)
    ended = Chat.objects.filter(conversation=conversation, mode=Chat.Mode.CHAT).exclude(state=Chat.State.ENDED)
    was_joined = ended.filter(joined_at__isnull=False).exists()
    if not ended.update(state=Chat.State.ENDED, ended_at=at, offered_to=None, offered_until=None, hold_until=None):
        return False
    dues.drop(conversation_id, *(kind for kind in ChatDue.Kind.values if kind != ChatDue.Kind.MAIL))
    record(Fact("chat.ended", conversation_id, actor, public=True, data={"by": actor.kind}), at=at)
    if conversation.status not in DONE:
        changes = conversations.Changes(status=Status.RESOLVED)
        conversations.change(conversation_id, changes, actor=actor, at=at, may_lack_fields=True)
    if was_joined:
        record(Fact("chat.asked", conversation_id, public=True), at=at)
    return True


@transaction.atomic
def convert(conversation_id: int, actor: Actor, *, subject: str, at: datetime) -> bool:
    """From now on it is answered at leisure, by mail as well: the same conversation, with its number for the customer.
    False if that was so already.
    """
    lock(conversation_id)
    changed = Chat.objects.filter(conversation=conversation_id, mode=Chat.Mode.CHAT).update(
        mode=Chat.Mode.TICKET,
        state=Chat.State.ENDED,
        ended_at=at,
        offered_to=None,
        offered_until=None,
        hold_until=None,
    )
    if not changed:
        return False
    dues.drop(conversation_id, *(kind for kind in ChatDue.Kind.values if kind != ChatDue.Kind.MAIL))
    if subject.strip():
        changes = conversations.Changes(subject=subject.strip()[:500])
        conversations.change(conversation_id, changes, actor=actor, at=at)
    data = {"number": conversation_id, "subject": subject.strip()[:500]}
    record(Fact("chat.converted", conversation_id, actor, public=True, data=data), at=at)
    return True


@transaction.atomic
def grant(customer: Customer, user: User, *, until: datetime, at: datetime) -> ChatGrant:
    """Live chat for somebody whose plan does not include it. It stays on record who gave it."""
    made = ChatGrant.objects.create(customer=customer, by=user, at=at, until=until)
    data = {"customer": customer.pk, "until": until}
    record(Fact("chat.granted", None, Actor.agent(user), data=data), at=at)
    return made


def checked_text(text: str, files: Sequence[Sent]) -> str:
    """What is written down of it. Raises NothingSaid."""
    text = text.replace("\x00", "").strip()
    if not text and not files:
        raise NothingSaid("write something or add a file")
    return text[:LONGEST_TEXT]


def _subject(text: str) -> str:
    """The beginning of the first line: what a list shows until somebody names it better."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"
