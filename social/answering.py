"""What agents say on a network: looked at before it leaves, read by a second person where that is wanted, and never too
quick in public.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import Service, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from social import guard
from social.models import Approval, Thread
from social.network import Count, network

ASKED = "social.approval_asked"
"""A public answer waits for a second person: {approval}."""
DECIDED = "social.approval_decided"
"""A second person has decided: {approval, state}."""
OVERRIDDEN = "social.guard_overridden"
"""A lead let a public answer leave although it holds private data: {kinds, reason}."""


class Exposes(ValueError):
    """A public answer holds what must never stand in public: `kinds`. A lead may say why it does not matter here."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = list(kinds)


class TooLong(ValueError):
    """More than the network takes."""

    def __init__(self, count: Count) -> None:
        super().__init__(f"{count.length} of {count.limit}")
        self.count = count


class SecondReader(ValueError):
    """Who wrote it does not approve it, and what is decided is decided."""


@transaction.atomic
def answer(
    conversation_id: int,
    user: User,
    text: str,
    *,
    client_id: UUID,
    at: datetime,
    override: str = "",
    may_override: bool = False,
    seen: int | None = None,
    status: str = Status.PENDING,
) -> Message | Approval:
    """Answer in this thread: a message on its way, or an approval that waits. `override` is a lead's reason to let
    private data stand. Raises Exposes, TooLong, and what `conversations.reply` raises.
    """
    conversation = lock(conversation_id)
    thread = Thread.objects.select_related("account").get(pk=conversation.pk)
    check(conversation, thread, text, override=override if may_override else "")
    if override and may_override and thread.is_public:
        data = {"kinds": exposed(conversation, text), "reason": override[:300]}
        record(Fact(OVERRIDDEN, conversation.pk, Actor.agent(user), data=data), at=at)
    if thread.is_public and thread.account.needs_approval and not thread.is_manual:
        return _ask(conversation, user, text, client_id, at)
    return _reply(thread, user, text, client_id, at, seen=seen, status=status)


def check(conversation: Conversation, thread: Thread, text: str, *, override: str = "") -> None:
    """Raises TooLong, Exposes."""
    count = network(thread.account.network).count(text, is_public=thread.is_public)
    if not count.fits:
        raise TooLong(count)
    kinds = exposed(conversation, text) if thread.is_public and not override else []
    if kinds:
        raise Exposes(kinds)


def exposed(conversation: Conversation, text: str) -> list[str]:
    """What in it is private: by its shape, and the names of the customer's and our own machines."""
    names = Service.objects.filter(kind__in=[Service.Kind.SERVER, Service.Kind.WEBSITE]).filter(
        organizations=conversation.organization_id
    )
    private = list(names.values_list("name", flat=True)[:500]) if conversation.organization_id else []
    return guard.kinds(text, own=settings.PUBLIC_CONTACTS, private_names=private)


def _reply(
    thread: Thread,
    user: User,
    text: str,
    client_id: UUID,
    at: datetime,
    *,
    seen: int | None = None,
    status: str = Status.PENDING,
) -> Message:
    wait = thread.account.send_delay if thread.is_public and not thread.is_manual else settings.UNDO_SEND_SECONDS
    leaves_at = at + timedelta(seconds=wait)
    return conversations.reply(
        thread.pk, user, text, at=at, client_id=client_id, seen=seen, not_before=leaves_at, status=status
    )


def _ask(conversation: Conversation, user: User, text: str, client_id: UUID, at: datetime) -> Approval:
    approval, is_new = Approval.objects.get_or_create(
        client_id=client_id, defaults={"conversation": conversation, "text": text, "by": user, "at": at}
    )
    if is_new:
        record(Fact(ASKED, conversation.pk, Actor.agent(user), data={"approval": approval.pk}), at=at)
    return approval


@transaction.atomic
def decide(
    approval_id: int, user: User, *, approves: bool, at: datetime, text: str | None = None, reason: str = ""
) -> Approval:
    """A second person lets it leave, perhaps in better words, or does not. Raises SecondReader, Exposes, TooLong."""
    approval = Approval.objects.select_for_update(of=("self",)).select_related("conversation", "by").get(pk=approval_id)
    if approval.state != Approval.State.WAITING or approval.by_id == user.pk:
        raise SecondReader("somebody else must read it, and only once")
    approval.decided_by, approval.decided_at, approval.reason = user, at, reason[:300]
    approval.state = Approval.State.APPROVED if approves else Approval.State.DECLINED
    if approves:
        thread = Thread.objects.select_related("account").get(pk=approval.conversation_id)
        approval.text = text if text is not None else approval.text
        check(approval.conversation, thread, approval.text)
        approval.message = _reply(thread, approval.by, approval.text, approval.client_id, at)
    approval.save()
    data = {"approval": approval.pk, "state": approval.state}
    record(Fact(DECIDED, approval.conversation_id, Actor.agent(user), data=data), at=at)
    return approval
