"""The manual log: what was said where nothing is connected, pasted in; answered there, and marked as posted."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Message, Status
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from social import answering, channel, saying
from social.happenings import Author, Said
from social.models import Account, Arrival, Post, Thread
from social.network import Outgoing, Sent, network

POSTED = "social.posted_by_hand"
"""An agent has said it on the network themselves: {message, url}."""


class CannotLog(ValueError):
    """It belongs to no conversation: who wrote it is muted, blocked, or one of us."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What an agent saw there: the address of the post, who wrote it, the words, and when."""

    url: str
    handle: str
    text: str
    at: datetime
    name: str = ""
    is_public: bool = True


@transaction.atomic
def log(account: Account, pasted: Pasted, user: User, *, at: datetime) -> Thread:
    """File it as if it had come by itself; the same address is filed once. Its thread, answered by hand. Raises
    CannotLog.
    """
    post_id = pasted.url.strip()[:250] or f"pasted:{sha256(pasted.text.encode()).hexdigest()[:40]}"
    known = Post.objects.filter(account=account, external_id=post_id).select_related("message").first()
    if known is not None and known.message is not None:
        return Thread.objects.get(pk=known.message.conversation_id)
    handle = pasted.handle.strip().lstrip("@")
    said = Said(
        id=post_id,
        at=min(pasted.at, at),
        author=Author(id=f"hand:{handle.lower()}", handle=f"@{handle}", name=pasted.name),
        text=pasted.text,
        kind="post" if pasted.is_public else "direct",
        thread=f"hand:{handle.lower()}:{'public' if pasted.is_public else 'private'}",
        is_public=pasted.is_public,
        root=post_id,
        url=pasted.url.strip(),
        names_us=True,
    )
    filed = saying.file(account, said, Arrival(account=account, key=said.key), at=at)
    post = Post.objects.select_related("message").filter(account=account, external_id=post_id).first()
    if post is None or post.message is None:
        raise CannotLog(filed.why)
    Thread.objects.filter(pk=post.message.conversation_id).update(is_manual=True)
    record(Fact("social.logged_by_hand", post.message.conversation_id, Actor.agent(user)), at=at)
    return Thread.objects.get(pk=post.message.conversation_id)


def deep_link(message: Message, thread: Thread) -> str:
    """Where the answer is to be written; the post's own address where the network has no better one."""
    outgoing: Outgoing = channel.made_of(message, thread)
    return network(thread.account.network).deep_link(outgoing) or thread.url


@transaction.atomic
def mark_posted(message_id: int, url: str, user: User, *, at: datetime) -> bool:
    """The agent has posted it there: now it is an answer, and theirs to write. False where it left by itself."""
    message = Message.objects.select_related("conversation").get(pk=message_id)
    conversation = lock(message.conversation_id)
    waits = Message.objects.filter(pk=message.pk, delivery__in=[Message.Delivery.FAILED, Message.Delivery.PENDING])
    if not waits.update(delivery=Message.Delivery.SENT, provider_id=url[:998], error=""):
        return False
    thread = Thread.objects.select_related("account", "person").get(pk=message.conversation_id)
    channel.keep(thread.account, message, channel.made_of(message, thread), Sent(url or f"hand:{message.pk}", url))
    promises.answered(conversation, at=at)
    if answering.is_by_hand(thread) and conversation.status == Status.OPEN:
        theirs = conversations.Changes(status=Status.PENDING)
        conversations.change(conversation.pk, theirs, actor=Actor.agent(user), at=at)
    data = {"message": message.pk, "url": url[:500]}
    record(Fact(POSTED, message.conversation_id, Actor.agent(user), data=data), at=at)
    return True
