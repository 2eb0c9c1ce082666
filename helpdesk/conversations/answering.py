"""Saying something to a customer by the road of where they are: what agents write on a network takes the same one
whoever asks for it, the composer, a macro, the API, a mail or a page. That room is asked (settings.NETWORK_DESK), which
none of ours imports.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.answers import reply, write_automatically
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import User


def answer(
    conversation: Conversation,
    user: User,
    text: str,
    *,
    at: datetime,
    html: str = "",
    files: Iterable[File] = (),
    client_id: UUID | None = None,
    status: str = Status.PENDING,
    holds: timedelta = timedelta(0),
) -> Message | None:
    """An agent's answer, which stays here for `holds`, in public as long as its account says; None where it waits for a
    second person. Raises Refused for what may not stand there, and what `reply` raises.
    """
    if conversation.channel not in settings.SOCIAL_NETWORKS:
        return reply(
            conversation.pk,
            user,
            text,
            at=at,
            html=html,
            files=files,
            client_id=client_id,
            status=status,
            not_before=at + holds if holds else None,
        )
    said: Message | None = import_string(settings.NETWORK_DESK["answer"])(
        conversation.pk, user, text, at=at, client_id=client_id, files=files, status=status, holds=holds
    )
    return said


def say(conversation: Conversation, text: str, *, at: datetime) -> None:
    """The house itself says it, by a rule. The caller holds the lock. Raises Refused for what may not stand there."""
    if conversation.channel in settings.SOCIAL_NETWORKS:
        import_string(settings.NETWORK_DESK["say"])(conversation, text, at=at)
    else:
        write_automatically(conversation, text, at=at)
