"""What X says happened: events of the X Activity API, and pages of mentions and private messages. Pure, never raises.

Sources: docs.x.com x-api/activity/introduction (envelope, event types), data-dictionary (post, user, dm_event).
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Edited, Happening, Media, Removed, Revoked, Said
from social.networks import x_account_activity
from social.networks.gathering import Gathering

POST_FIELDS: Final = (
    "conversation_id,in_reply_to_user_id,created_at,referenced_tweets,entities,edit_history_tweet_ids,attachments"
)
_SAID: Final = frozenset({"post.mention.create", "post.reply.create", "post.quote.create", "post.create"})
ENCRYPTED: Final = "An encrypted message: open X to read it."


def read_events(found: Any, *, at: datetime) -> Batch:
    """One delivery of a webhook: an event, or several in a list."""
    envelopes = found if isinstance(found, list) else [found]
    batch = Gathering()
    for one in envelopes:
        if x_account_activity.is_ours(one):
            x_account_activity.gather(batch, one, at=at)
            continue
        data = one.get("data") if isinstance(one, dict) else None
        for event in data if isinstance(data, list) else [data]:
            batch.take(one if event is None else event, partial(_event, event, at))
    return batch.done()


def read_posts(page: Mapping[str, Any], us: str, *, at: datetime) -> Batch:
    """A page of mentions, newest first, as it is answered."""
    includes, batch = _includes(page), Gathering()
    for post in reversed(as_list(page.get("data"))):
        batch.take(post, partial(_post, post, includes, us, names_us=True))
    return batch.done()


def read_directs(page: Mapping[str, Any], us: str, *, at: datetime) -> Batch:
    """A page of private messages, newest first."""
    includes, batch = _includes(page), Gathering()
    for event in reversed(as_list(page.get("data"))):
        batch.take(event, partial(_direct, event, includes, us))
    return batch.done()


def _event(event: Any, at: datetime) -> list[tuple[str, Happening]] | str:
    kind, us = event["event_type"], str(event["filter"]["user_id"])
    payload, includes = event.get("payload") or {}, _includes(event)
    if kind in _SAID:
        return _post(payload, includes, us, names_us=kind in ("post.mention.create", "post.quote.create"))
    if kind in ("dm.received", "dm.sent", "dm.create"):
        return _direct(payload, includes, us)
    if kind == "chat.received":
        return [(us, _encrypted(payload, us, at))]
    if kind == "post.delete":
        # An edited post is known by the first id of its history.
        history = as_list(payload.get("edit_history_tweet_ids"))
        return [(us, Removed(str(history[0] if history else payload["id"]), at))]
    if kind == "oauth.revoke":
        return [(us, Revoked(at, "the access was taken away on X"))]
    return f"a {str(kind)[:60]}"


def _post(
    post: Mapping[str, Any], includes: "_Included", us: str, *, names_us: bool
) -> list[tuple[str, Happening]] | str:
    found, author_id, said_at = str(post["id"]), str(post["author_id"]), _time(post["created_at"])
    if said_at is None:
        raise ValueError("created_at is no time")
    history = [str(one) for one in as_list(post.get("edit_history_tweet_ids"))] or [found]
    author = includes.author(author_id)
    text = _whole_text(post)
    first = history[0]
    answered = {str(one["type"]): str(one["id"]) for one in as_list(post.get("referenced_tweets"))}
    if "retweeted" in answered:
        return "somebody else's words, passed on"
    root = str(post.get("conversation_id") or first)
    said = Said(
        id=first,
        at=said_at,
        author=author,
        text=text,
        kind="reply" if "replied_to" in answered else "quote" if "quoted" in answered else "post",
        # Another person's answer in the same thread is a conversation of its own.
        thread=f"post:{root}:{author_id}",
        by_us=author_id == us,
        root=root,
        parent=answered.get("replied_to") or answered.get("quoted") or "",
        url=f"https://x.com/{author.handle.lstrip('@') or 'i/web'}/status/{found}",
        names_us=names_us or us in _mentioned(post),
        media=includes.media(post),
    )
    if found == first:
        return [(us, said)]
    # An edit has an id of its own; the first of its history is what we know the post by.
    return [(us, said), (us, Edited(first, said_at, text, found, author_id))]


def _whole_text(post: Mapping[str, Any]) -> str:
    """Long posts have their whole text beside the short one; links are shown as their authors wrote them."""
    note = post.get("note_tweet")
    whole = note if isinstance(note, dict) and note.get("text") else post
    text = str(whole.get("text", ""))
    entities = whole.get("entities")
    for link in as_list(entities.get("urls")) if isinstance(entities, dict) else []:
        if isinstance(link, dict) and link.get("url") and link.get("expanded_url"):
            text = text.replace(str(link["url"]), str(link["expanded_url"]))
    # X escapes these three, and nothing else.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _mentioned(post: Mapping[str, Any]) -> set[str]:
    entities = post.get("entities")
    mentions = as_list(entities.get("mentions")) if isinstance(entities, dict) else []
    return {str(one.get("id", "")) for one in mentions if isinstance(one, dict)}


def _direct(event: Mapping[str, Any], includes: "_Included", us: str) -> list[tuple[str, Happening]] | str:
    if event.get("event_type", "MessageCreate") != "MessageCreate":
        return "somebody joined or left a group"
    found, sender, said_at = str(event["id"]), str(event["sender_id"]), _time(event["created_at"])
    if said_at is None:
        raise ValueError("created_at is no time")
    thread = str(event.get("dm_conversation_id") or _between(sender, us))
    others = [one for one in thread.split("-") if one != us]
    by_us = sender == us
    author = includes.author(others[0] if by_us and others else sender)
    said = Said(
        id=found,
        at=said_at,
        author=author,
        text=str(event.get("text") or ""),
        kind="direct",
        thread=f"dm:{thread}",
        is_public=False,
        by_us=by_us,
        root=thread,
        media=includes.media(event),
    )
    return [(us, said)]


def _encrypted(payload: Mapping[str, Any], us: str, at: datetime) -> Said:
    sender = str(payload["sender_id"])
    return Said(
        id=str(payload.get("id") or payload["event_id"]),
        at=_time(payload.get("created_at")) or at,
        author=Author(sender),
        text=ENCRYPTED,
        kind="direct",
        thread=f"dm:{payload.get('conversation_id') or _between(sender, us)}",
        is_public=False,
        by_us=sender == us,
    )


def _between(one: str, other: str) -> str:
    """X names a private conversation by both ids, the smaller one first."""
    return "-".join(sorted((one, other), key=lambda found: (len(found), found)))


class _Included:
    """The people and pictures that a page speaks of."""

    def __init__(self, users: Mapping[str, Mapping[str, Any]], media: Mapping[str, Mapping[str, Any]]) -> None:
        self._users, self._media = users, media

    def author(self, user_id: str) -> Author:
        user = self._users.get(user_id, {})
        ties = user.get("connection_status")
        return Author(
            id=user_id,
            handle=f"@{user['username']}" if user.get("username") else "",
            name=str(user.get("name") or ""),
            avatar_url=str(user.get("profile_image_url") or ""),
            may_dm=user.get("receives_your_dm") if isinstance(user.get("receives_your_dm"), bool) else None,
            follows_us="followed_by" in ties if isinstance(ties, list) else None,
            followed_by_us="following" in ties if isinstance(ties, list) else None,
        )

    def media(self, of: Mapping[str, Any]) -> tuple[Media, ...]:
        attached = of.get("attachments")
        keys = as_list(attached.get("media_keys")) if isinstance(attached, dict) else []
        found = [self._media[key] for key in keys if isinstance(key, str) and key in self._media]
        return tuple(Media(str(one.get("type") or "file"), address) for one in found if (address := _address(one)))


def _address(media: Mapping[str, Any]) -> str:
    """Of a picture itself; of a video the best of its variants, or the picture in front of it."""
    if media.get("url"):
        return str(media["url"])
    variants = [as_dict(one) for one in as_list(media.get("variants"))]
    videos = [one for one in variants if one.get("content_type") == "video/mp4" and one.get("url")]
    best = max(videos, key=lambda one: one["bit_rate"] if isinstance(one.get("bit_rate"), int) else 0, default={})
    return str(best.get("url") or media.get("preview_image_url") or "")


def _includes(page: Mapping[str, Any]) -> _Included:
    includes = page.get("includes")
    given = includes if isinstance(includes, dict) else {}
    users = {str(one["id"]): one for one in as_list(given.get("users")) if isinstance(one, dict) and "id" in one}
    media = {
        str(one["media_key"]): one
        for one in as_list(given.get("media"))
        if isinstance(one, dict) and "media_key" in one
    }
    return _Included(users, media)


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
