"""From public into private: by the network's own private reply where it has one, else by a link that opens a message.

A private reply is asked for in one transaction and sent by the worker; what became of it stands in the conversation as
a note. The network takes one for each comment, so that sending it twice says it once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import handling, promises
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Status
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.secrets import SecretUnreadable
from social import accounts
from social.models import Post, Thread
from social.network import AnswersInPrivate, Outgoing, TokenDead, network

ASKED: Final = "social.private_asked"
"""A person who wrote in public is answered in private: {post, text, user}."""
MOVED: Final = "social.private_sent"
"""The private answer has left: {post}."""
# A comment on a Page may be answered in private for seven days (Messenger Platform, Private Replies).
WITHIN: Final = timedelta(days=7)
LONGEST: Final = 2000
_NO_ID: Final = UUID(int=0)


@transaction.atomic
def reply_in_private(conversation_id: int, user: User, text: str, *, at: datetime) -> Post:
    """Answer the newest comment in private, once. Raises conversations.Refused."""
    conversation = lock(conversation_id)
    thread = Thread.objects.select_related("account", "person").get(pk=conversation.pk)
    theirs = Post.objects.filter(message__conversation=conversation.pk, deleted_at=None).exclude(person=None)
    comment = comment_to_answer(thread, list(theirs.order_by("-at", "-pk")[:5]), at=at)
    if comment is None:
        raise conversations.Refused(_("Nothing here can be answered in private any more."))
    if not text.strip() or len(text) > LONGEST:
        raise conversations.Refused(_("Write up to %(most)d characters.") % {"most": LONGEST})
    cannot = accounts.may_send(thread.account)
    if cannot:
        raise conversations.Refused(cannot)
    data = {"post": comment.pk, "text": text, "user": user.pk}
    record(Fact(ASKED, conversation.pk, Actor.agent(user), data=data), at=at)
    return comment


def comment_to_answer(thread: Thread, theirs: Sequence[Post], *, at: datetime) -> Post | None:
    """The newest of these posts that may be answered in private and was not; None where the network has no such way."""
    if not thread.is_public or thread.is_manual or "private_reply" not in network(thread.account.network).can:
        return None
    near = [one for one in theirs if one.kind == Post.Kind.COMMENT and one.at > at - WITHIN]
    if not near:
        return None
    asked = Event.objects.filter(conversation=thread.pk, kind=ASKED, data__post__in=[one.pk for one in near])
    answered = {event.data["post"] for event in asked}
    return next((one for one in near if one.pk not in answered), None)


def direct_link(thread: Thread) -> str:
    """Where an agent opens a private message to the person, as the account; "" where the person does not allow it, or
    the network has no such address.
    """
    person = thread.person
    if not thread.is_public or person.may_dm is False or person.unreachable_at is not None:
        return ""
    if "direct" not in network(thread.account.network).can or person.external_id.startswith("hand:"):
        return ""
    outgoing = Outgoing("", _NO_ID, person.updated_at, is_public=False, person=person.external_id)
    found = network(thread.account.network).deep_link(outgoing)
    return found if found.startswith("https://") else ""


@outside
def send(event: Event, at: datetime) -> None:
    """The handler of ASKED. Raises RetryLater."""
    post = Post.objects.select_related("account").filter(pk=event.data["post"]).first()
    if post is None or event.conversation_id is None:
        return
    way = network(post.account.network)
    assert isinstance(way, AnswersInPrivate), "it said that it can"
    try:
        way.private_reply(accounts.fresh(post.account, at=at), post.external_id, str(event.data["text"]))
    except RetryLater:
        raise
    except (DeliveryError, SecretUnreadable) as error:
        if isinstance(error, TokenDead):
            accounts.failed(post.account, error, at=at)
        _tell(event.conversation_id, f"Not answered in private: {error}", at)
    else:
        _answered(event, at)


@transaction.atomic
def _answered(event: Event, at: datetime) -> None:
    """It is an answer: the promise is kept, who gave it has taken the conversation, and it is theirs to write now."""
    assert event.conversation_id is not None, "it was asked for in one"
    conversation = lock(event.conversation_id)
    conversations.note_automatically(conversation, f"Answered in private:\n\n{event.data['text']}", at=at)
    record(Fact(MOVED, conversation.pk, data={"post": event.data["post"]}), at=at)
    promises.answered(conversation, at=at)
    user = User.objects.filter(pk=event.data.get("user")).first()
    if user is None:
        return
    if conversation.assignee_id is None:
        handling.assign(conversation, user, actor=Actor.agent(user), at=at)
    if conversation.status not in DONE:
        waits = conversations.Changes(status=Status.PENDING)
        conversations.change(conversation.pk, waits, actor=Actor.agent(user), at=at)


@transaction.atomic
def _tell(conversation_id: int, words: str, at: datetime) -> None:
    conversations.note_automatically(lock(conversation_id), words, at=at)
