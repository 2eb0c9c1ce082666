"""What a channel is to the ground: a way in that ends in one Inbound, a way out that is one send()."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Message, Priority
from helpdesk.customers.models import Customer


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a message; `content_type` is sniffed, never the sender's word."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """Whatever came in on any channel, reduced to what the ground needs.

    `conversation_id` names the conversation it belongs to; without one it opens a new one. `html` is sanitised.
    """

    channel: str
    customer: Customer
    at: datetime
    text: str
    full_text: str = ""
    html: str = ""
    subject: str = ""
    external_id: str | None = None
    client_id: UUID | None = None
    owner: str = ""
    thread: str = ""
    conversation_id: int | None = None
    previous_id: int | None = None
    team_id: int | None = None
    priority: str = Priority.NORMAL
    followers: tuple[Customer, ...] = ()
    service_ids: tuple[int, ...] = ()
    files: tuple[File, ...] = ()
    is_automatic: bool = False
    is_verified: bool = True
    # The promises that hold instead of the plan's: what is said in public has goals and covered hours of its own.
    policy_id: int | None = None
    # Somebody waits for the answer while it is written: live conversations have goals of their own.
    is_live: bool = False
    remark: str = ""
    tags: tuple[str, ...] = field(default=())


class Ready(Protocol):
    """A message that only has to leave."""

    def send(self) -> str:
        """Let it leave; the provider's id. Raises a DeliveryError: Ambiguous when it may have left."""


class Channel(Protocol):
    """One way out. It is called outside any transaction."""

    def prepare(self, message: Message, *, at: datetime) -> Ready:
        """All that can be done and fail before anything leaves: render, connect. Raises a DeliveryError."""

    def has_sent(self, message: Message) -> bool | None:
        """After a crash in between: whether it left, None where nobody can tell."""


@cache
def channel(name: str) -> Channel:
    """The channel of that name in SUPPORT_CHANNELS. Raises KeyError for one that is not there."""
    made: Channel = import_string(settings.SUPPORT_CHANNELS[name])()
    return made
