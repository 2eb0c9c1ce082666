"""Shelter for agents: a post is covered until somebody asks to see it, or shown again where it was no abuse."""

from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations.incoming import lock, preview
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from social.models import Post

LONGEST_SUBJECT: Final = 80
# One wording for all agents: it stands where the words would be stored.
IN_LISTS: Final = "A covered post: perhaps abusive"
COVERED: Final = "social.covered"
"""An agent has said that a post is abusive, or that it is not: {message, is_abusive}."""


def cover_in_lists(message: Message) -> None:
    """Lists do not show the words either, before somebody asks for them. The caller holds the lock."""
    shown = Conversation.objects.filter(pk=message.conversation_id)
    said, subject = preview(message.text), subject_of(message.text)
    shown.filter(preview=said).update(preview=IN_LISTS)
    shown.exclude(subject="").filter(subject=subject).update(subject=IN_LISTS)


def uncover_in_lists(message: Message) -> None:
    """They show the words again, where they were this message's. The caller holds the lock."""
    shown = Conversation.objects.filter(pk=message.conversation_id)
    if not message.conversation.messages.filter(pk__gt=message.pk).exclude(kind=Message.Kind.NOTE).exists():
        shown.filter(preview=IN_LISTS).update(preview=preview(message.text))
    if not message.conversation.messages.filter(pk__lt=message.pk).exists():
        shown.filter(subject=IN_LISTS).update(subject=subject_of(message.text))


def subject_of(text: str) -> str:
    """What a conversation is called that begins with these words."""
    return preview(text)[:LONGEST_SUBJECT]


@transaction.atomic
def cover(post: Post, user: User, *, is_abusive: bool, at: datetime) -> bool:
    """Whether that was news. Nobody on the network sees any of it."""
    assert post.message is not None, "what is covered stands in a conversation"
    lock(post.message.conversation_id)
    if not Post.objects.filter(pk=post.pk).exclude(is_abusive=is_abusive).update(is_abusive=is_abusive):
        return False
    (cover_in_lists if is_abusive else uncover_in_lists)(post.message)
    data = {"message": post.message_id, "is_abusive": is_abusive}
    record(Fact(COVERED, post.message.conversation_id, Actor.agent(user), data=data), at=at)
    return True
