"""What a Page and its Messenger answer when they are asked what is new: the feed with its comments, and the inbox.
Pure, never raises, keeps every item.

Sources: developers.facebook.com/docs/graph-api/reference/page/feed, reference/object/comments (filter, order),
reference/page/conversations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from helpdesk.events.payloads import as_dict, as_list
from social.networks.facebook_reading import comment_of, direct, time_of
from social.networks.gathering import Found, Gathering

# Comments of every level in one list, the newest first: an answer below an old comment is found as soon as any other.
STREAM: Final = (("filter", "stream"), ("order", "reverse_chronological"))
COMMENT_FIELDS: Final = (
    "id,from,message,created_time,permalink_url,parent{id},can_hide,can_reply_privately,attachment{media{image{src}}}"
)
_COMMENTS: Final = f"comments.filter(stream).order(reverse_chronological).limit(100){{{COMMENT_FIELDS}}}"
FEED_FIELDS: Final = f"id,from,message,created_time,permalink_url,{_COMMENTS}"
INBOX_FIELDS: Final = "id,participants,messages.limit(25){id,from,to,message,created_time,attachments}"


@dataclass(frozen=True, slots=True)
class More:
    """Comments below a post (`root`) that an answer did not hold any more, and where to go on."""

    root: str
    after: str


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
    gathered: Gathering, comments: Mapping[str, Any], page: str, since: datetime, root: str
) -> list[More]:
    """Comments of all levels below a post, given newest first; taken oldest first. What is left to read of them."""
    given = as_list(comments.get("data"))
    for comment in reversed(given):
        parent = str(as_dict(as_dict(comment).get("parent")).get("id") or root)
        below = {**as_dict(comment), "post_id": root, "parent_id": parent}
        gathered.take(comment, partial(_found, comment, below, page, "comment", since))
    paging = as_dict(comments.get("paging"))
    after = str(as_dict(paging.get("cursors")).get("after") or "")
    return [More(root, after)] if paging.get("next") and after and not _is_known(given, since) else []


def _is_known(comments: Sequence[Any], since: datetime) -> bool:
    """Whether the oldest of them is older than what was read before."""
    try:
        return time_of(as_dict(comments[-1])["created_time"]) < since
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return False


def _found(raw: Any, value: Mapping[str, Any], page: str, item: str, since: datetime) -> Found:
    if time_of(value["created_time"]) < since:
        return "known"
    return [(page, comment_of(value, str(raw["id"]), page, item))]


def gather_inbox(gathered: Gathering, inbox: Mapping[str, Any], page: str, since: datetime) -> None:
    """The newest messages of the newest conversations, oldest first."""
    for conversation in reversed(as_list(inbox.get("data"))):
        people = as_list(as_dict(as_dict(conversation).get("participants")).get("data"))
        other = next((as_dict(one) for one in people if str(as_dict(one).get("id", "")) != page), {})
        for message in reversed(as_list(as_dict(as_dict(conversation).get("messages")).get("data"))):
            gathered.take(message, partial(_kept, message, other, page, since))


def _kept(message: Mapping[str, Any], other: Mapping[str, Any], page: str, since: datetime) -> Found:
    at = time_of(message["created_time"])
    if at < since:
        return "known"
    by_us = str(as_dict(message.get("from")).get("id", "")) == page
    said = direct(
        str(message["id"]),
        at,
        str(other["id"]),
        str(message.get("message") or ""),
        by_us=by_us,
        name=str(other.get("name") or ""),
    )
    return [(page, said)]
