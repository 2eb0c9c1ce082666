"""What agents say on a network: looked at before it leaves, read by a second person where that is wanted, and never too
quick in public.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import NothingToSay, check_overtaken
from helpdesk.conversations.channel import File
from helpdesk.conversations.files import content_of, keep
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import Service, User
from helpdesk.events import private_data
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from social import permissions, wording
from social.models import Approval, ApprovalFile, Thread, TicketClaim
from social.network import Count, network

_HASHED: Final = re.compile(r"#[ ]?(\d{1,12})\b", re.ASCII)
ASKED = "social.approval_asked"
"""A public answer waits for a second person: {approval}."""
DECIDED = "social.approval_decided"
"""A second person has decided: {approval, state}."""
OVERRIDDEN = "social.guard_overridden"
"""An admin let a public answer leave although it holds private data: {kinds, reason}, and {message} or {approval}."""


class Exposes(conversations.Refused):
    """A public answer holds what must never stand in public: `kinds`. An admin may say why it does not matter here."""

    def __init__(self, kinds: Sequence[str]) -> None:
        found = ", ".join(wording.private_kind(kind) for kind in kinds)
        super().__init__(_("This would stand in public: %(what)s.") % {"what": found}, may_insist=True)
        self.kinds = list(kinds)


class TooLong(conversations.Refused):
    """More than the network takes."""

    def __init__(self, count: Count) -> None:
        words = _("It is too long: %(length)d of %(limit)d.") % {"length": count.length, "limit": count.limit}
        super().__init__(words)
        self.count = count


class SecondReader(ValueError):
    """Who wrote it does not approve it, and what is decided is decided."""


def from_desk(
    conversation_id: int,
    user: User,
    text: str,
    *,
    at: datetime,
    client_id: UUID | None = None,
    files: Iterable[File] = (),
    seen: int | None = None,
    status: str = "",
    insists: str = "",
    holds: timedelta | None = None,
) -> Message | None:
    """For NETWORK_DESK: an answer from the composer, a macro, the API …; None where it waits for a second person. A
    private one stays here for `holds`, as long as any reply where that is None. Raises what `answer` raises.
    """
    said = answer(
        conversation_id,
        user,
        text,
        client_id=client_id or uuid4(),
        at=at,
        files=files,
        seen=seen,
        status=status or Status.PENDING,
        override=insists.strip(),
        may_override=permissions.may_override(user),
        holds=holds,
    )
    return said if isinstance(said, Message) else None


@transaction.atomic
def answer(
    conversation_id: int,
    user: User,
    text: str,
    *,
    client_id: UUID,
    at: datetime,
    files: Iterable[File] = (),
    override: str = "",
    may_override: bool = False,
    seen: int | None = None,
    status: str = Status.PENDING,
    holds: timedelta | None = None,
) -> Message | Approval:
    """Answer in this thread: a message on its way, or an approval that waits. `override` is an admin's reason to let
    private data stand. Raises Exposes, TooLong, and what `conversations.reply` raises.
    """
    conversation = lock(conversation_id)
    thread = Thread.objects.select_related("account").filter(pk=conversation.pk).first()
    if thread is None:
        raise conversations.Refused(_("This conversation is on no network: write to them in another one."))
    reason = override if may_override else ""
    check(conversation, thread, text, override=reason)
    said: Message | Approval
    if needs_second_reader(thread):
        said = _ask(conversation, user, text, client_id, at, seen=seen, files=files)
        named = {"approval": said.pk}
    else:
        said = _reply(thread, user, text, client_id, at, files=files, seen=seen, status=status, holds=holds)
        named = {"message": said.pk}
    if reason and thread.is_public:
        _keep_override(conversation, user, text, reason, named, at)
    return said


def needs_second_reader(thread: Thread) -> bool:
    """Whether what we say there is read by a second person first; what is posted by hand is read by whoever posts."""
    return thread.is_public and thread.account.needs_approval and not thread.is_manual


def is_by_hand(thread: Thread) -> bool:
    """Whether somebody posts it there themselves: it was logged by hand, or the network has no call for it."""
    return thread.is_manual or (thread.is_public and "reply" not in network(thread.account.network).can)


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
    kinds = private_data.kinds(text, own=settings.PUBLIC_CONTACTS, private_names=private)
    return kinds if "number" in kinds or not _names_ticket(conversation, text) else [*kinds, "number"]


def _names_ticket(conversation: Conversation, text: str) -> bool:
    """Whether it has the number of this conversation, or of a ticket opened for who wrote in it, however short."""
    named = {int(number) for number in _HASHED.findall(text[: private_data.LONGEST])}
    if not named:
        return False
    theirs = TicketClaim.objects.filter(thread__person__threads=conversation.pk)
    return conversation.pk in named or theirs.filter(pk__in=named).exists()


def why_not(message: Message, thread: Thread) -> str:
    """Why an agent's public message may not leave as it is, however it came here (a macro, the API, a mail from an
    agent); "" where it may. What the house writes itself was checked where its words are kept.
    """
    if not thread.is_public or message.agent_id is None or thread.is_manual:
        return ""
    if needs_second_reader(thread) and not Approval.objects.filter(message=message, state="approved").exists():
        return "a second person has to read what this account says in public"
    kinds = exposed(message.conversation, message.text)
    known = Event.objects.filter(conversation=message.conversation_id, kind=OVERRIDDEN, data__message=message.pk)
    return f"it would stand in public: {', '.join(kinds)}" if kinds and not known.exists() else ""


def _keep_override(
    conversation: Conversation, user: User, text: str, reason: str, named: dict[str, int], at: datetime
) -> None:
    kinds = exposed(conversation, text)
    if kinds:
        data = {"kinds": kinds, "reason": reason[:300], **named}
        record(Fact(OVERRIDDEN, conversation.pk, Actor.agent(user), data=data), at=at)


def _reply(
    thread: Thread,
    user: User,
    text: str,
    client_id: UUID,
    at: datetime,
    *,
    files: Iterable[File] = (),
    seen: int | None = None,
    status: str = Status.PENDING,
    holds: timedelta | None = None,
) -> Message:
    leaves_at = at + _wait(thread, timedelta(seconds=settings.UNDO_SEND_SECONDS) if holds is None else holds)
    by_hand = is_by_hand(thread)
    return conversations.reply(
        thread.pk,
        user,
        text,
        at=at,
        client_id=client_id,
        files=files,
        seen=seen,
        not_before=leaves_at,
        # Until it stands there it is still we who act.
        status=Status.OPEN if by_hand and status == Status.PENDING else status,
        is_for_hand=by_hand,
    )


def _wait(thread: Thread, otherwise: timedelta) -> timedelta:
    is_slow = thread.is_public and not thread.is_manual
    return timedelta(seconds=thread.account.send_delay) if is_slow else otherwise


@transaction.atomic
def by_the_house(conversation: Conversation, text: str, *, at: datetime) -> Message:
    """For NETWORK_DESK: what a rule says there, where nobody has to read it first. The caller holds the lock. Raises
    Exposes, TooLong, conversations.Refused.
    """
    thread = Thread.objects.select_related("account").get(pk=conversation.pk)
    check(conversation, thread, text)
    if needs_second_reader(thread):
        raise conversations.Refused(_("A second person reads what this account says in public: no rule says it."))
    leaves_at = at + _wait(thread, timedelta(0))
    return conversations.write_automatically(conversation, text, at=at, not_before=leaves_at)


def _ask(
    conversation: Conversation,
    user: User,
    text: str,
    client_id: UUID,
    at: datetime,
    *,
    seen: int | None,
    files: Iterable[File],
) -> Approval:
    held = list(files)
    if not held and not text.strip():
        raise NothingToSay("write something or add a file")
    known = Approval.objects.filter(client_id=client_id, conversation=conversation).first()
    if known is not None:
        return known
    if seen is not None:
        check_overtaken(conversation, user, seen)
    approval = Approval.objects.create(conversation=conversation, text=text, by=user, at=at, client_id=client_id)
    ApprovalFile.objects.bulk_create(
        ApprovalFile(
            approval=approval,
            name=file.name[:160] or "attachment",
            content_type=file.content_type[:120],
            size=len(file.content),
            sha256=keep(file.content),
        )
        for file in held
    )
    record(Fact(ASKED, conversation.pk, Actor.agent(user), data={"approval": approval.pk}), at=at)
    return approval


@transaction.atomic
def decide(
    approval_id: int, user: User, *, approves: bool, at: datetime, text: str | None = None, reason: str = ""
) -> Approval:
    """A second person lets it leave, perhaps in better words, or does not. Raises SecondReader, Exposes, TooLong."""
    approval = _waiting(approval_id)
    if not permissions.may_decide(user, approval):
        raise SecondReader("somebody else must read it, and only once")
    if approves:
        words = approval.text if text is None else text
        approval.message = _approved(approval, words, user, at)
        approval.text = words
    state = Approval.State.APPROVED if approves else Approval.State.DECLINED
    return _decided(approval, state, user, reason, at)


@transaction.atomic
def withdraw(approval_id: int, user: User, *, at: datetime) -> Approval:
    """Who wrote it takes it back before it is decided. Raises SecondReader."""
    approval = _waiting(approval_id)
    if not permissions.may_withdraw(user, approval):
        raise SecondReader("it is not theirs to take back")
    return _decided(approval, Approval.State.WITHDRAWN, user, "", at)


def _waiting(approval_id: int) -> Approval:
    approval = Approval.objects.select_for_update(of=("self",)).select_related("conversation", "by").get(pk=approval_id)
    if approval.state != Approval.State.WAITING:
        raise SecondReader("it is decided already")
    return approval


def _approved(approval: Approval, text: str, user: User, at: datetime) -> Message:
    conversation = lock(approval.conversation_id)
    thread = Thread.objects.select_related("account").get(pk=conversation.pk)
    known = Event.objects.filter(conversation=conversation.pk, kind=OVERRIDDEN, data__approval=approval.pk).first()
    # A reason that was given holds for the words that it was given for.
    reason = str(known.data.get("reason", "")) if known is not None and text == approval.text else ""
    check(conversation, thread, text, override=reason)
    files = [File(one.name, one.content_type, content_of(one)) for one in approval.files.all()]
    message = _reply(thread, approval.by, text, approval.client_id, at, files=files)
    if reason:
        _keep_override(conversation, user, text, reason, {"message": message.pk}, at)
    return message


def _decided(approval: Approval, state: Approval.State, user: User, reason: str, at: datetime) -> Approval:
    approval.state, approval.decided_by, approval.decided_at, approval.reason = state, user, at, reason[:300]
    approval.save()
    data = {"approval": approval.pk, "state": state.value}
    record(Fact(DECIDED, approval.conversation_id, Actor.agent(user), data=data), at=at)
    return approval
