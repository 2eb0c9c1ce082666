"""receive_message(): whatever a customer sent becomes a message of a conversation, with its promises, in one commit."""

from datetime import datetime, timedelta
from uuid import UUID

from helpdesk.conversations import message_rows, promises
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.files import attach
from helpdesk.conversations.models import DONE, Conversation, Message, Status, Tag
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Service
from helpdesk.customers.services import mentioned_services, tag_names
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.transactions import in_transaction
from helpdesk.prepared import Prepared

# An answer to a ticket done longer ago than this opens a new one that points back.
REOPENS_WITHIN = timedelta(days=30)
MAX_FOLLOWERS = 25

_CONCERN = Prepared(
    "conversation_concerns",
    f"""
INSERT INTO {Conversation.services.through._meta.db_table} (conversation_id, service_id)
SELECT %s::bigint, unnest(%s::bigint[]) ON CONFLICT DO NOTHING
""",
)
# Returns the tags that are there, linked by this or before.
_TAG = Prepared(
    "tag_conversation",
    f"""
WITH tag AS (
    SELECT id FROM {Tag._meta.db_table} WHERE name = ANY(%s::text[])
), link AS (
    INSERT INTO {Conversation.tags.through._meta.db_table} (conversation_id, tag_id)
    SELECT %s::bigint, id FROM tag ON CONFLICT DO NOTHING
)
SELECT id FROM tag
""",
)
_LOCK = Prepared(
    "lock_conversation",
    f"""
SELECT {columns(Conversation, "c")} FROM {Conversation._meta.db_table} c WHERE id = %s FOR NO KEY UPDATE
""",
)
_SAID_BEFORE = Prepared(
    "customer_said_before",
    f"""
SELECT id FROM {Message._meta.db_table}
WHERE conversation_id = %s AND author_kind = '{Message.Author.CUSTOMER}' AND client_id = %s
""",
)


class UnknownPlan(Exception):
    """No plan holds for the customer and no default plan exists: the installation is not set up."""


@in_transaction
def receive_message(inbound: Inbound) -> Message:
    """File one inbound message. The same `external_id` or `client_id` in the same conversation is filed once."""
    conversation = _conversation_for(inbound)
    if conversation is None:
        return _open(inbound)
    return _append(conversation, inbound)


def _conversation_for(inbound: Inbound) -> Conversation | None:
    """The locked conversation to append to: merges followed, long-done ones left alone."""
    if inbound.conversation_id is None:
        return None
    conversation = lock(inbound.conversation_id)
    while conversation.merged_into_id is not None:
        conversation = lock(conversation.merged_into_id)
    done_at = conversation.resolved_at
    if done_at is not None and inbound.at - done_at > REOPENS_WITHIN and not inbound.is_automatic:
        return None
    return conversation


def lock(conversation_id: int) -> Conversation:
    """The conversation's row, held to the end of the transaction. Every change of a conversation begins here. Raises
    DoesNotExist.
    """
    row = _LOCK.row([conversation_id])
    if row is None:
        raise Conversation.DoesNotExist(f"there is no conversation {conversation_id}")
    return take(Conversation, row)[0]


def _open(inbound: Inbound) -> Message:
    policy_id, starts = promises.opening(
        inbound.customer.organization_id,
        inbound.priority,
        at=inbound.at,
        is_live=inbound.is_live,
        own_policy_id=inbound.policy_id,
    )
    if policy_id is None:
        raise UnknownPlan("create a plan and mark it as the default one")
    conversation = Conversation(
        channel=inbound.channel,
        owner=inbound.owner,
        thread=inbound.thread,
        subject=inbound.subject[:500],
        priority=inbound.priority,
        team_id=inbound.team_id,
        customer=inbound.customer,
        organization_id=inbound.customer.organization_id,
        policy_id=policy_id,
        previous_id=inbound.previous_id or inbound.conversation_id,
        opened_at=inbound.at,
        updated_at=inbound.at,
        last_message_at=inbound.at,
        preview=preview(inbound.text),
    )
    message = _message(inbound)
    message_rows.insert(conversation, message, starts, at=inbound.at)
    if inbound.files:
        attach(message, inbound.files)
    _recognise_services(conversation, inbound)
    follow(conversation, inbound)
    facts = [
        Fact(
            "conversation.opened",
            conversation.pk,
            CUSTOMER,
            public=True,
            data={"channel": inbound.channel, "message": message.pk, "automatic": inbound.is_automatic},
        ),
    ]
    record_all(facts, at=inbound.at)
    return message


def _append(conversation: Conversation, inbound: Inbound) -> Message:
    return _already_there(conversation, inbound) or append(conversation, inbound)


def append(conversation: Conversation, inbound: Inbound) -> Message:
    """File a message in this conversation; the caller holds its lock and knows that it is not there yet."""
    facts = []
    if not inbound.is_automatic:
        if conversation.status in DONE:
            facts.append(Fact("conversation.reopened", conversation.pk, CUSTOMER, public=True))
        _wake(conversation, inbound.at)
    conversation.updated_at = conversation.last_message_at = inbound.at
    conversation.preview = preview(inbound.text)
    message = _message(inbound)
    message_rows.append(conversation, message)
    if inbound.files:
        attach(message, inbound.files)
    follow(conversation, inbound)
    data = {"message": message.pk, "automatic": inbound.is_automatic}
    facts.append(Fact("message.received", conversation.pk, CUSTOMER, public=True, data=data))
    record_all(facts, at=inbound.at)
    return message


def _wake(conversation: Conversation, at: datetime) -> None:
    """The customer wrote: it is our turn again, and the clocks say so."""
    if conversation.status != Status.NEW:
        conversation.status, conversation.resolved_at = Status.OPEN, None
    conversation.snoozed_until, conversation.is_spam = None, False
    promises.written_again(conversation, at=at)


def _already_there(conversation: Conversation, inbound: Inbound) -> Message | None:
    if inbound.external_id is not None:
        return Message.objects.filter(conversation=conversation, external_id=inbound.external_id).first()
    known = inbound.client_id and said_before(conversation.pk, inbound.client_id)
    return Message.objects.select_related("conversation").get(pk=known) if known else None


def said_before(conversation_id: int, client_id: UUID) -> int | None:
    """The id of the message that the customer sent there under this client id."""
    row = _SAID_BEFORE.row([conversation_id, client_id])
    return None if row is None else row[0]


def _message(inbound: Inbound) -> Message:
    """What is to be written, without a conversation yet."""
    return Message(
        kind=Message.Kind.INBOUND,
        author_kind=Message.Author.CUSTOMER,
        customer=inbound.customer,
        text=inbound.text,
        full_text=inbound.full_text or inbound.text,
        html=inbound.html,
        at=inbound.at,
        via=inbound.channel,
        external_id=inbound.external_id,
        client_id=inbound.client_id,
        is_automatic=inbound.is_automatic,
        is_verified=inbound.is_verified,
        remark=inbound.remark[:200],
    )


def _recognise_services(conversation: Conversation, inbound: Inbound) -> None:
    services = list(Service.objects.filter(pk__in=inbound.service_ids)) if inbound.service_ids else []
    if not services:
        services = mentioned_services(f"{inbound.subject}\n{inbound.text}", inbound.customer.organization)
    if services:
        _CONCERN.run([conversation.pk, [service.pk for service in services]])
    add_tags(conversation, [*tag_names(services), *inbound.tags])


def add_tags(conversation: Conversation, names: list[str]) -> None:
    """Tag the conversation, making tags that are not there yet."""
    wanted = sorted({name.lower()[:80] for name in names})
    if wanted and len(_TAG.rows([wanted, conversation.pk])) < len(wanted):
        # In order, so that two conversations with the same new tags wait for each other instead of both.
        Tag.objects.bulk_create([Tag(name=name) for name in wanted], ignore_conflicts=True)
        _TAG.rows([wanted, conversation.pk])


def follow(conversation: Conversation, inbound: Inbound) -> None:
    """Those in copy see the answers, up to a bound; the customer does anyway."""
    others = [customer for customer in inbound.followers if customer.pk != conversation.customer_id]
    if others:
        room = MAX_FOLLOWERS - conversation.followers.count()
        conversation.followers.add(*others[: max(room, 0)])


def preview(text: str) -> str:
    """The first words, on one line."""
    return " ".join(text[:600].split())[:160]
