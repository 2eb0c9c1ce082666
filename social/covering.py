"""Shelter for agents: a post is covered until somebody asks to see it, or shown again where it was no abuse."""

from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from social.models import Post

COVERED: Final = "social.covered"
"""An agent has said that a post is abusive, or that it is not: {message, is_abusive}."""


@transaction.atomic
def cover(post: Post, user: User, *, is_abusive: bool, at: datetime) -> bool:
    """Whether that was news. Nobody on the network sees any of it."""
    assert post.message is not None, "what is covered stands in a conversation"
    lock(post.message.conversation_id)
    if not Post.objects.filter(pk=post.pk).exclude(is_abusive=is_abusive).update(is_abusive=is_abusive):
        return False
    data = {"message": post.message_id, "is_abusive": is_abusive}
    record(Fact(COVERED, post.message.conversation_id, Actor.agent(user), data=data), at=at)
    return True
