"""What can happen on a network, in words that all networks share: each network's file reduces what it got to these.

A happening knows the `key` that makes it one and the same whoever tells us of it, and can be written down as JSON.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

Kind = Literal["post", "comment", "reply", "quote", "direct"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who said something. `may_dm` and the like are null where the network does not say."""

    id: str
    handle: str = ""
    name: str = ""
    avatar_url: str = ""
    may_dm: bool | None = None
    follows_us: bool | None = None
    followed_by_us: bool | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file of a post: an address that may expire, or an `id` that the network's file can fetch."""

    kind: str
    url: str = ""
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something, in public or to us; or we did, from elsewhere (`by_us`).

    `thread` is what keeps a conversation together: for a public one the person and the root, for a private one the
    chat. `window_ends_at` is until when the network lets us answer privately.
    """

    id: str
    at: datetime
    author: Author
    text: str
    kind: Kind
    thread: str
    is_public: bool = True
    by_us: bool = False
    root: str = ""
    parent: str = ""
    url: str = ""
    names_us: bool = False
    allows: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    window_ends_at: datetime | None = None
    # What pictures that were sent together have in common: they become one message (social.albums).
    album: str = ""
    # A deep link's payload (/start CODE), or a code alone: who says it claims a customer or a ticket.
    claims: str = ""

    @property
    def key(self) -> str:
        return f"said:{self.id}"

    @property
    def subject(self) -> str:
        return self.author.id if not self.by_us else self.thread

    @property
    def about(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Edited:
    """A post's text changed; `version` tells apart the edits of one post (a time, a number)."""

    id: str
    at: datetime
    text: str
    version: str
    person: str = ""

    @property
    def key(self) -> str:
        return f"edited:{self.id}:{self.version}"

    @property
    def subject(self) -> str:
        return self.person or self.id

    @property
    def about(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Removed:
    """A post was deleted (`deleted`) or brought back (`restored`), hidden by somebody of ours (`hidden`) or shown again
    (`shown`).
    """

    id: str
    at: datetime
    how: Literal["deleted", "restored", "hidden", "shown"] = "deleted"
    person: str = ""

    @property
    def key(self) -> str:
        return f"{self.how}:{self.id}" if self.how == "deleted" else f"{self.how}:{self.id}:{self.at.timestamp():.0f}"

    @property
    def subject(self) -> str:
        return self.person or self.id

    @property
    def about(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Reported:
    """The network says what became of a message of ours. `person` where it names everything up to `at` at once."""

    id: str
    at: datetime
    state: Literal["sent", "delivered", "read", "failed"]
    error: str = ""
    person: str = ""

    @property
    def key(self) -> str:
        return f"{self.state}:{self.id or self.person}:{self.at.timestamp():.0f}"

    @property
    def subject(self) -> str:
        return self.person or self.id

    @property
    def about(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person can be written to again, or no more (they blocked us, left, or opted out)."""

    person: str
    at: datetime
    is_reachable: bool

    @property
    def key(self) -> str:
        return f"reachable:{self.person}:{self.at.timestamp():.0f}:{self.is_reachable}"

    @property
    def subject(self) -> str:
        return self.person

    @property
    def about(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Revoked:
    """Somebody took our access away: the token is dead."""

    at: datetime
    detail: str = ""

    @property
    def key(self) -> str:
        return f"revoked:{self.at.timestamp():.0f}"

    @property
    def subject(self) -> str:
        return ""

    @property
    def about(self) -> str:
        return ""


Happening = Said | Edited | Removed | Reported | Reachable | Revoked


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that could not be understood: kept as it is, visible, to be tried again."""

    error: str
    raw: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call or one reading held: happenings by the id of the account that they belong to, in the order given,
    and what could not be read. Nothing of a batch is left out. An account id of "" is the only one there is.
    """

    happenings: tuple[tuple[str, Happening], ...] = ()
    unread: tuple[Unread, ...] = ()
    # Items that are well understood and nothing of ours to do, by why: likes, typing, somebody else's page.
    ignored: tuple[str, ...] = ()


_KINDS: Final = MappingProxyType(
    {kind.__name__.lower(): kind for kind in (Said, Edited, Removed, Reported, Reachable, Revoked)}
)


class NotAHappening(ValueError):
    """What was written down is none of ours."""


def to_json(happening: Happening) -> dict[str, Any]:
    """What `from_json` reads again; times as ISO 8601."""
    written = {name: _plain(value) for name, value in asdict(happening).items()}
    return {"happening": type(happening).__name__.lower(), **written}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def from_json(body: dict[str, Any]) -> Happening:
    """The happening that `to_json` wrote down. Raises NotAHappening."""
    try:
        kind = _KINDS[body["happening"]]
        values = {f.name: body[f.name] for f in fields(kind) if f.name in body}
        values["at"] = datetime.fromisoformat(values["at"])
        if kind is Said:
            values |= _said(values)
        made: Happening = kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise NotAHappening(f"{type(error).__name__}: {error}") from error
    return made


def _said(values: dict[str, Any]) -> dict[str, Any]:
    window = values.get("window_ends_at")
    return {
        "author": Author(**values["author"]),
        "media": tuple(Media(**one) for one in values.get("media", ())),
        "allows": tuple(values.get("allows", ())),
        "window_ends_at": datetime.fromisoformat(window) if window else None,
    }
