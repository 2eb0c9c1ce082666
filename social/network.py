"""What a network is to the room: one file in social/networks/ with a class that does this.

Reading is pure; calls go out through `social.calls` and raise the DeliveryErrors of `helpdesk.events.outcomes`, or
TokenDead where only new credentials help. Nothing here knows the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.events.outcomes import NeverRetry
from social.happenings import Batch, Media


class TokenDead(NeverRetry):
    """Our credentials are not accepted any more. Told by the provider's code, never by its words."""


class WindowClosed(NeverRetry):
    """The network lets us answer only within a time after the person wrote, and it is over."""


class NotSummoned(NeverRetry):
    """The network lets us answer in public only whom mentioned us."""


class Unreachable(NeverRetry):
    """The person cannot be written to: they blocked us, left, or opted out."""


class CannotTell(Exception):
    """Nobody can say whether it left: the network has no way to look it up."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An account with its secrets opened, for one call. It is never logged: `repr` leaves the secrets out."""

    network: str
    external_id: str
    handle: str
    base_url: str
    secrets: Mapping[str, str] = field(repr=False)
    # An address that somebody has typed on the settings page is called through the guard.
    is_typed: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be said. `client_id` is the same however often it is tried; `answers` is the post it replies to,
    `root` the thread's first one, `person` whom a private message is for, `answers_handle` who wrote that post.
    """

    text: str
    client_id: UUID
    at: datetime
    is_public: bool
    answers: str = ""
    answers_handle: str = ""
    answers_kind: str = ""
    root: str = ""
    person: str = ""
    thread: str = ""
    names_us: bool = True
    files: tuple["OutgoingFile", ...] = ()
    last_said_at: datetime | None = None
    since: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The network's id of what was said, and where people see it."""

    id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How long a text is in the network's own counting. `segments` where a text is cut into several."""

    length: int
    limit: int
    segments: int = 1

    @property
    def fits(self) -> bool:
        return self.length <= self.limit


@dataclass(frozen=True, slots=True)
class Polled:
    """What a reading brought, how far it got, and after how many seconds to read again. `others` is what came along for
    somebody else: the pages' buttons of a bot that customers write to as well.
    """

    batch: Batch
    cursor: dict[str, Any]
    again_in: float
    others: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """Who the credentials are. `detail` says what is not as it should be, in one line."""

    external_id: str
    handle: str
    name: str = ""
    expires_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Renewed:
    """New secrets in place of those that end, and when these end."""

    secrets: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call or an event costs, in millionths of a dollar; `what` is the price list's word."""

    what: str
    amount: int
    units: int = 1


@dataclass(frozen=True, slots=True)
class Why:
    """Of a step against somebody: one of ModerationAction.Reason, and the agent's own words."""

    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to enter when an account is connected: a secret, or an option where `is_secret` is False."""

    name: str
    label: str
    is_secret: bool = True
    is_required: bool = True
    help_text: str = ""


class Network(Protocol):
    """One network. `can` names what it has calls for: publish, reply, direct, private_reply, hide, mute, block, report,
    delete (our own posts), delete_theirs. What it can not is done by hand, through `deep_link`.
    """

    name: str
    title: str
    can: frozenset[str]
    # What must be known of an account, for the settings page.
    needs: Sequence["Need"]
    polls: bool
    # Whether what its author deletes there must be forgotten here as well.
    forgets_deleted: bool

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        """Whether a webhook's call was signed with this account's secret; False where it has none. Pure."""

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        """What a GET on the webhook is answered with, where the network asks so; None refuses. Pure."""

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        """What a webhook's body holds. Pure, never raises: what it cannot read is `unread`."""

    def count(self, text: str, *, is_public: bool) -> Count:
        """The network's own counting. Pure."""

    def fit(self, text: str, link: str) -> str:
        """An announcement shortened to one post, with the link kept. Pure."""

    def costs(self, call: str, text: str = "") -> Cost | None:
        """What a call (publish, reply, direct) or something read (read_public, read_direct) costs; None is nothing."""

    def deep_link(self, outgoing: Outgoing) -> str:
        """Where a person answers by hand; "" where there is no such address."""

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        """Read what is new since the cursor. Raises a DeliveryError."""

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        """Say it. Raises a DeliveryError: Ambiguous when it may have been said."""

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        """Whether it was said, after a call whose end is not known. Raises CannotTell, a DeliveryError."""

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        """One of ModerationAction.Kind that `can` names; a report says why. Raises a DeliveryError."""

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        """A file's name and bytes, through the guard for addresses that others give. Raises a DeliveryError."""

    def renew(self, connection: Connection) -> Renewed | None:
        """New credentials, where they end after a while; None where they do not. Raises TokenDead, a DeliveryError."""

    def probe(self, connection: Connection) -> Probe:
        """Who we are with these credentials. Raises TokenDead, a DeliveryError."""


@runtime_checkable
class AnswersInPrivate(Protocol):
    """A network whose `can` names private_reply."""

    def private_reply(self, connection: Connection, comment: str, text: str) -> Sent:
        """One private message to who wrote a public comment. Raises a DeliveryError."""


@runtime_checkable
class LooksAgain(Protocol):
    """A network that does not tell of edits and deletions: posts of the last days are looked at again."""

    most_looked_at: int

    def look_again(self, connection: Connection, posts: Sequence[str], *, at: datetime) -> Batch:
        """What became of these posts: edited or removed; what was said again is known. Raises a DeliveryError."""


NETWORKS: Final = "SOCIAL_NETWORKS"


@cache
def network(name: str) -> Network:
    """The network of that name in SOCIAL_NETWORKS. Raises KeyError for one that is not there."""
    made: Network = import_string(getattr(settings, NETWORKS)[name])()
    return made
