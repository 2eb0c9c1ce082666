"""The way out for what agents write on a network: the account's own file sends it, and the post is kept beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Message
from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.secrets import SecretUnreadable
from social import accounts, answering, spending
from social.models import Account, Person, Post, Thread
from social.network import (
    CannotTell,
    Connection,
    Network,
    NotSummoned,
    Outgoing,
    OutgoingFile,
    Sent,
    Unreachable,
    WindowClosed,
    network,
)

# What is not connected now may be in a while; the outbox keeps it, and the composer says why it waits.
LOOK_AGAIN: Final = timedelta(minutes=10)
# How a message's error begins whose last attempt nobody knows the end of.
PERHAPS: Final = "It may have left; it is looked for first"
A_MOMENT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """A message with all that its network needs. `send` returns the network's id."""

    account: Account
    connection: Connection
    network: Network
    outgoing: Outgoing
    message: Message
    thread: Thread

    def send(self) -> str:
        call = "reply" if self.outgoing.is_public else "direct"
        try:
            sent = self._found() or self._say()
        except Unreachable:
            Person.objects.filter(pk=self.thread.person_id).update(unreachable_at=timezone.now())
            raise
        except DeliveryError as error:
            accounts.failed(self.account, error, at=timezone.now())
            raise
        spending.note(self.account, self.network.costs(call, self.outgoing.text), at=timezone.now())
        accounts.worked(self.account, at=timezone.now())
        keep(self.account, self.message, self.outgoing, sent)
        return sent.id

    def _found(self) -> Sent | None:
        """What may have left the last time is looked for before it is said again. Raises RetryLater."""
        if not self.message.error.startswith(PERHAPS):
            return None
        try:
            return looked_up(self.account, self.message, self.network, self.connection, self.outgoing)
        except CannotTell:
            return None
        except Ambiguous as error:
            raise RetryLater(f"{PERHAPS}: {error.reason}", A_MOMENT) from error

    def _say(self) -> Sent:
        """A lost answer is looked up, as often as it takes; it stays Ambiguous where that cannot be."""
        try:
            return self.network.send(self.connection, self.outgoing)
        except Ambiguous as error:
            reason = f"{PERHAPS}: {error.reason}"
            try:
                sent = looked_up(self.account, self.message, self.network, self.connection, self.outgoing)
            except CannotTell:
                raise error from None
            except DeliveryError:
                raise RetryLater(reason, A_MOMENT) from error
            if sent is None:
                raise RetryLater(reason, A_MOMENT) from error
            return sent


class SocialChannel:
    """One way out for all networks; which one it is says the conversation's account."""

    def prepare(self, message: Message, *, at: datetime) -> OnItsWay:
        """Raises NeverRetry for what the network would refuse, RetryLater while the account cannot send."""
        thread = _thread(message)
        account, way = thread.account, network(thread.account.network)
        if thread.is_manual:
            raise NeverRetry("this was logged by hand: open it on the network, answer there and mark it as posted")
        refused = answering.why_not(message, thread)
        if refused:
            raise NeverRetry(refused)
        cannot = accounts.may_send(account)
        if cannot:
            raise RetryLater(cannot, LOOK_AGAIN)
        outgoing = made_of(message, thread)
        _check(way, outgoing, thread, at)
        return OnItsWay(account, _opened(account, at), way, outgoing, message, thread)

    def has_sent(self, message: Message) -> bool | None:
        """Whether it stands on the network, by our own row of it or by looking there; None where nobody can tell."""
        if Post.objects.filter(message=message).exists():
            return True
        thread = _thread(message)
        outgoing = made_of(message, thread)
        try:
            way, opened = network(thread.account.network), _opened(thread.account, timezone.now())
            sent = looked_up(thread.account, message, way, opened, outgoing)
        except CannotTell:
            return None
        if sent is None:
            return False
        keep(thread.account, message, outgoing, sent)
        return True


def looked_up(
    account: Account, message: Message, way: Network, connection: Connection, outgoing: Outgoing
) -> Sent | None:
    """What stands there of a message; an earlier one of the same words is not it. Raises CannotTell, DeliveryError."""
    sent = way.find(connection, outgoing)
    if sent is None:
        return None
    others = Post.objects.filter(account=account, external_id=sent.id[:250]).exclude(message=None)
    return None if others.exclude(message=message).exists() else sent


def _thread(message: Message) -> Thread:
    kept = Thread.objects.select_related("account", "person").filter(conversation=message.conversation_id).first()
    if kept is None:
        raise NeverRetry("this conversation is on no network")
    return kept


def _opened(account: Account, at: datetime) -> Connection:
    try:
        return accounts.fresh(account, at=at)
    except SecretUnreadable as error:
        raise NeverRetry(str(error)) from error


def made_of(message: Message, thread: Thread) -> Outgoing:
    """A message as its network will say it: in answer to what the person said last."""
    last = Post.objects.filter(message__conversation=thread.conversation_id, deleted_at=None).order_by("-at", "-pk")
    theirs = last.exclude(person=None).first()
    return Outgoing(
        text=message.text,
        client_id=client_id_of(message),
        at=message.at,
        is_public=thread.is_public,
        answers=theirs.external_id if theirs else thread.root,
        answers_handle=thread.person.handle,
        answers_kind=theirs.kind if theirs else "",
        root=thread.root,
        person=thread.person.external_id,
        thread=message.conversation.thread,
        names_us=theirs.names_us if theirs else False,
        files=tuple(
            OutgoingFile(one.name, one.content_type, content_of(one)) for one in message.attachments.order_by("pk")
        ),
        last_said_at=theirs.at if theirs else None,
        since=theirs.external_id if theirs else "",
    )


def client_id_of(message: Message) -> UUID:
    """The same for every attempt at a message, on every process."""
    return uuid5(NAMESPACE_OID, f"{settings.PUBLIC_URL}/messages/{message.pk}")


def _check(way: Network, outgoing: Outgoing, thread: Thread, at: datetime) -> None:
    count = way.count(outgoing.text, is_public=outgoing.is_public)
    if not count.fits:
        raise NeverRetry(f"it has {count.length} characters, {way.title} takes {count.limit}")
    if thread.window_ends_at is not None and thread.window_ends_at <= at:
        raise WindowClosed(f"{way.title} lets us answer until {thread.window_ends_at:%Y-%m-%d %H:%M} UTC; that is over")
    if thread.person.unreachable_at is not None:
        raise Unreachable("the person cannot be written to: they blocked us or left")
    if outgoing.is_public and "reply" not in way.can:
        raise NotSummoned(f"{way.title} has no call for public answers: answer there and mark it as posted")


def keep(account: Account, message: Message, outgoing: Outgoing, sent: Sent) -> None:
    """Our own post, once: its echo is then known. An echo that was quicker than the answer becomes this message."""
    post, is_new = Post.objects.get_or_create(
        account=account,
        external_id=sent.id[:250],
        defaults={
            "message": message,
            "person": None,
            "kind": Post.Kind.REPLY if outgoing.is_public else Post.Kind.DIRECT,
            "is_public": outgoing.is_public,
            "parent": outgoing.answers[:250],
            "root": outgoing.root[:250],
            "url": sent.url[:1000],
            "text": message.text,
            "at": message.at,
        },
    )
    if not is_new and post.message_id is None and post.person_id is None:
        Post.objects.filter(pk=post.pk).update(message=message)
