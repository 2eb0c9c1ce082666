"""What Facebook says happened on a Page and in its Messenger. Pure, never raises, keeps every item of a batch.

Sources: developers.facebook.com/docs/graph-api/webhooks/reference/page (feed), /docs/messenger-platform/reference/
webhook-events (messages, echoes, deliveries, reads, postbacks, standby).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Edited, Happening, Media, Removed, Reported, Said
from social.networks.gathering import Gathering

WINDOW: Final = timedelta(days=7)
_ITEMS: Final = frozenset({"comment", "post", "status", "photo", "video", "share", "link"})
_SHOWN: Final[Mapping[str, Literal["hidden", "shown", "deleted"]]] = {
    "hide": "hidden",
    "unhide": "shown",
    "remove": "deleted",
}


def read_entries(found: Any, *, at: datetime) -> Batch:
    """Every entry with every change and message of a delivery."""
    gathered = Gathering()
    for entry in as_list(as_dict(found).get("entry")) or [found]:
        page = str(as_dict(entry).get("id", ""))
        changes, told = as_list(as_dict(entry).get("changes")), _told(as_dict(entry))
        for change in changes:
            gathered.take(change, partial(_change, change, page))
        for event in told:
            gathered.take(event, partial(_event, event, page, at))
        if not changes and not told:
            gathered.take(entry, partial(_nothing, entry))
    return gathered.done()


def _told(entry: Mapping[str, Any]) -> list[Any]:
    """Messenger's events; those of a conversation that another app has in hand stand under `standby`."""
    messaging = entry.get("messaging")
    return [
        *(as_list(messaging) or ([messaging] if isinstance(messaging, dict) else [])),
        *as_list(entry.get("standby")),
    ]


def _nothing(entry: Any) -> str:
    if not as_dict(entry).get("id"):
        raise ValueError("this is no delivery of Facebook's")
    return "an entry with nothing in it"


def _change(change: Mapping[str, Any], page: str) -> list[tuple[str, Happening]] | str:
    if change["field"] != "feed":
        return f"a change of {str(change['field'])[:60]}"
    value = change["value"]
    item, verb = str(value["item"]), str(value["verb"])
    if item not in _ITEMS:
        return f"a {item[:40]}"
    found = str(value.get("comment_id") or value["post_id"])
    at, who = _time(value["created_time"]), str(as_dict(value.get("from")).get("id", ""))
    if verb in _SHOWN:
        return [(page, Removed(found, at, _SHOWN[verb], who))]
    said = _comment(value, found, page, item)
    if verb in ("edited", "edit"):
        return [(page, said), (page, Edited(found, at, said.text, str(int(at.timestamp())), who))]
    return [(page, said)] if verb == "add" else f"a {item} that was {verb[:40]}"


def _comment(value: Mapping[str, Any], found: str, page: str, item: str) -> Said:
    writer = as_dict(value.get("from"))
    who, root = str(writer.get("id") or f"unknown:{found}"), str(value.get("post_id") or found)
    parent = str(value.get("parent_id") or "")
    return Said(
        id=found,
        at=_time(value["created_time"]),
        author=Author(id=who, name=str(writer.get("name") or "")),
        text=str(value.get("message") or ""),
        kind="comment" if item == "comment" else "post",
        thread=f"post:{root}:{who}",
        by_us=who == page,
        root=root,
        parent=parent if parent != root else "",
        url=str(
            value.get("permalink_url")
            or as_dict(value.get("post")).get("permalink_url")
            or f"https://www.facebook.com/{found}"
        ),
        names_us=True,
        allows=_allowed(value),
        media=_pictures(value),
    )


def _allowed(value: Mapping[str, Any]) -> tuple[str, ...]:
    named = {"can_hide": "hide", "can_reply_privately": "private_reply"}
    # The webhook does not say; whoever commented may be answered privately once, until we are told otherwise.
    return tuple(word for field, word in named.items() if value.get(field, True) is True)


def _pictures(value: Mapping[str, Any]) -> tuple[Media, ...]:
    links = [
        value.get("photo"),
        value.get("link") if value.get("item") == "photo" else None,
        *as_list(value.get("photos")),
    ]
    attached = as_dict(as_dict(as_dict(value.get("attachment")).get("media")).get("image")).get("src")
    return tuple(
        Media("photo", str(link)) for link in dict.fromkeys([*links, attached]) if isinstance(link, str) and link
    )


def _event(event: Mapping[str, Any], page: str, at: datetime) -> list[tuple[str, Happening]] | str:
    sender, recipient = str(event["sender"]["id"]), str(event["recipient"]["id"])
    happened = _time(event["timestamp"]) if "timestamp" in event else at
    if "delivery" in event:
        watermark = _time(event["delivery"]["watermark"])
        return [(recipient, Reported("", watermark, "delivered", person=sender))]
    if "read" in event:
        watermark = _time(event["read"].get("watermark") or event.get("timestamp") or int(at.timestamp()))
        return [(recipient, Reported("", watermark, "read", person=sender))]
    if "postback" in event:
        back = event["postback"]
        found = str(back.get("mid") or f"postback:{sender}:{int(happened.timestamp() * 1000)}")
        return [(recipient, _direct(found, happened, sender, str(back.get("title") or back.get("payload") or ""), ()))]
    if "message" not in event:
        return f"a {next((name for name in event if name not in ('sender', 'recipient', 'timestamp')), 'nothing')[:40]}"
    message = event["message"]
    by_us = bool(message.get("is_echo")) or sender == page != ""
    person, account = (recipient, sender) if by_us else (sender, recipient)
    if message.get("is_deleted"):
        return [(account, Removed(str(message["mid"]), happened, person=person))]
    media = tuple(
        Media(str(one.get("type") or "file"), str(as_dict(one.get("payload")).get("url") or ""))
        for one in as_list(message.get("attachments"))
        if isinstance(one, dict) and as_dict(one.get("payload")).get("url")
    )
    said = _direct(str(message["mid"]), happened, person, str(message.get("text") or ""), media, by_us=by_us)
    return [(account, said)]


def _direct(
    found: str, at: datetime, person: str, text: str, media: tuple[Media, ...], *, by_us: bool = False, name: str = ""
) -> Said:
    return Said(
        id=found,
        at=at,
        author=Author(id=person, name=name, may_dm=True),
        text=text,
        kind="direct",
        thread=f"chat:{person}",
        is_public=False,
        by_us=by_us,
        root=f"chat:{person}",
        media=media,
        window_ends_at=None if by_us else at + WINDOW,
    )


@dataclass(frozen=True, slots=True)
class More:
    """Comments that an answer did not hold any more: below which post (`root`) or comment of it (`parent`), and where
    to go on.
    """

    root: str
    parent: str
    after: str

    @property
    def below(self) -> str:
        return self.parent or self.root


def gather_feed(gathered: Gathering, feed: Mapping[str, Any], page: str, since: datetime) -> list[More]:
    """A page of the feed with the newest comments below each post; what is older than `since` is known. What is left to
    read of the comments.
    """
    left: list[More] = []
    for post in reversed(as_list(feed.get("data"))):
        gathered.take(post, partial(_found, post, as_dict(post), page, "post", since))
        root = str(as_dict(post).get("id", ""))
        left += gather_comments(gathered, as_dict(as_dict(post).get("comments")), page, since, root)
    return left


def gather_comments(
    gathered: Gathering, comments: Mapping[str, Any], page: str, since: datetime, root: str, parent: str = ""
) -> list[More]:
    """Comments below a post, or below a comment of it (`parent`), given newest first; taken oldest first. What is left
    to read of them.
    """
    left: list[More] = []
    given = as_list(comments.get("data"))
    for comment in reversed(given):
        below = {**as_dict(comment), "post_id": root, **({"parent_id": parent} if parent else {})}
        gathered.take(comment, partial(_found, comment, below, page, "comment", since))
        own = str(as_dict(comment).get("id", ""))
        if own and not parent:
            left += gather_comments(gathered, as_dict(as_dict(comment).get("comments")), page, since, root, own)
    paging = as_dict(comments.get("paging"))
    after = str(as_dict(paging.get("cursors")).get("after") or "")
    if paging.get("next") and after and not _is_known(given, since):
        left.append(More(root, parent, after))
    return left


def _is_known(comments: Sequence[Any], since: datetime) -> bool:
    """Whether the oldest of them is older than what was read before."""
    try:
        return _time(as_dict(comments[-1])["created_time"]) < since
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return False


def _found(
    raw: Any, value: Mapping[str, Any], page: str, item: str, since: datetime
) -> list[tuple[str, Happening]] | str:
    if _time(value["created_time"]) < since:
        return "known"
    return [(page, _comment(value, str(raw["id"]), page, item))]


def gather_inbox(gathered: Gathering, inbox: Mapping[str, Any], page: str, since: datetime) -> None:
    """The newest messages of the newest conversations, oldest first."""
    for conversation in reversed(as_list(inbox.get("data"))):
        people = as_list(as_dict(as_dict(conversation).get("participants")).get("data"))
        other = next((as_dict(one) for one in people if str(as_dict(one).get("id", "")) != page), {})
        for message in reversed(as_list(as_dict(as_dict(conversation).get("messages")).get("data"))):
            gathered.take(message, partial(_kept, message, other, page, since))


def _kept(
    message: Mapping[str, Any], other: Mapping[str, Any], page: str, since: datetime
) -> list[tuple[str, Happening]] | str:
    at = _time(message["created_time"])
    if at < since:
        return "known"
    sender = as_dict(message.get("from"))
    by_us = str(sender.get("id", "")) == page
    name = str(other.get("name") or "")
    said = _direct(
        str(message["id"]), at, str(other["id"]), str(message.get("message") or ""), (), by_us=by_us, name=name
    )
    return [(page, said)]


def _time(value: Any) -> datetime:
    """Seconds, milliseconds, or ISO 8601: Facebook uses all three."""
    if isinstance(value, str) and not value.isdigit():
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment
    number = int(value)
    return datetime.fromtimestamp(number / 1000 if number > 10_000_000_000 else number, UTC)
