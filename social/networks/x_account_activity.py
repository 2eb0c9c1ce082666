"""The older webhook of X, the Account Activity API, which enterprise accounts still have: the same happenings in other
words. Pure, never raises.

Source: docs.x.com x-api/account-activity (account activity data object structure), data objects of API v1.1.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Happening, Media, Removed, Revoked, Said
from social.networks.gathering import Found, Gathering

_ABOUT: Final = frozenset({"for_user_id", "users", "apps", "user_has_blocked", "is_blocked_by"})


def is_ours(envelope: Any) -> bool:
    """Whether it is one of this kind; each names the user whom it is for."""
    return isinstance(envelope, dict) and "for_user_id" in envelope and "data" not in envelope


def gather(gathered: Gathering, envelope: Mapping[str, Any], *, at: datetime) -> None:
    """Every event of one delivery."""
    us, users = str(envelope["for_user_id"]), as_dict(envelope.get("users"))
    names = [name for name in envelope if name not in _ABOUT]
    if not names:
        gathered.take(envelope, _nothing)
    for name in names:
        given = envelope[name]
        for event in given if isinstance(given, list) else [given]:
            gathered.take(event, partial(_event, name, event, us, users, at))


def _nothing() -> Found:
    raise ValueError("a delivery with nothing in it")


def _event(name: str, event: Any, us: str, users: Mapping[str, Any], at: datetime) -> Found:
    if name == "tweet_create_events":
        return _post(event, us, at)
    if name == "direct_message_events":
        return _direct(event, us, users, at)
    if name == "tweet_delete_events":
        return [(us, Removed(str(event["status"]["id"]), _moment(event.get("timestamp_ms"), at)))]
    if name == "user_event" and "revoke" in event:
        return [(us, Revoked(at, "the access was taken away on X"))]
    return f"a {name[:60]}"


def _post(post: Mapping[str, Any], us: str, at: datetime) -> Found:
    if post.get("retweeted_status"):
        return "somebody else's words, passed on"
    whole = {**post, **as_dict(post.get("extended_tweet"))}
    found, author = str(post["id_str"]), _author(post["user"])
    parent = str(post.get("in_reply_to_status_id_str") or "")
    quoted = str(post.get("quoted_status_id_str") or "")
    mentions = as_list(as_dict(whole.get("entities")).get("user_mentions"))
    mentioned = {str(as_dict(one).get("id_str")) for one in mentions}
    # This API does not name the thread: what is answered stands for it.
    root = parent or found
    said = Said(
        id=found,
        at=_written(post, at),
        author=author,
        text=_text(whole),
        kind="reply" if parent else "quote" if quoted else "post",
        thread=f"post:{root}:{author.id}",
        by_us=author.id == us,
        root=root,
        parent=parent or quoted,
        url=f"https://x.com/{author.handle.lstrip('@') or 'i/web'}/status/{found}",
        names_us=us in mentioned or bool(quoted),
        media=_media(as_list(as_dict(whole.get("extended_entities") or whole.get("entities")).get("media"))),
    )
    return [(us, said)]


def _direct(event: Mapping[str, Any], us: str, users: Mapping[str, Any], at: datetime) -> Found:
    if event.get("type", "message_create") != "message_create":
        return f"a {str(event['type'])[:40]}"
    message = event["message_create"]
    sender, recipient = str(message["sender_id"]), str(message["target"]["recipient_id"])
    other, data = (recipient if sender == us else sender), as_dict(message.get("message_data"))
    picture = as_dict(as_dict(data.get("attachment")).get("media"))
    happening: Happening = Said(
        id=str(event["id"]),
        at=_moment(event.get("created_timestamp"), at),
        author=_author({"id_str": other, **as_dict(users.get(other)), "id": other}),
        text=_text({"text": data.get("text") or "", "entities": data.get("entities")}),
        kind="direct",
        thread=f"dm:{'-'.join(sorted((us, other), key=lambda one: (len(one), one)))}",
        is_public=False,
        by_us=sender == us,
        media=_media([picture] if picture else []),
    )
    return [(us, happening)]


def _author(user: Mapping[str, Any]) -> Author:
    return Author(
        id=str(user.get("id_str") or user["id"]),
        handle=f"@{user['screen_name']}" if user.get("screen_name") else "",
        name=str(user.get("name") or ""),
        avatar_url=str(user.get("profile_image_url_https") or user.get("profile_image_url") or ""),
    )


def _text(whole: Mapping[str, Any]) -> str:
    """Links as their authors wrote them; `&`, `<` and `>` are escaped in this API."""
    text = str(whole.get("full_text") or whole.get("text") or "")
    for link in as_list(as_dict(whole.get("entities")).get("urls")):
        if as_dict(link).get("url") and as_dict(link).get("expanded_url"):
            text = text.replace(str(link["url"]), str(link["expanded_url"]))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _media(given: list[Any]) -> tuple[Media, ...]:
    found = [(str(as_dict(one).get("type") or "photo"), _address(as_dict(one))) for one in given]
    return tuple(Media(kind, url) for kind, url in found if url)


def _address(media: Mapping[str, Any]) -> str:
    variants = [as_dict(one) for one in as_list(as_dict(media.get("video_info")).get("variants"))]
    videos = [one for one in variants if one.get("content_type") == "video/mp4" and one.get("url")]
    best = max(videos, key=lambda one: one["bitrate"] if isinstance(one.get("bitrate"), int) else 0, default={})
    return str(best.get("url") or media.get("media_url_https") or media.get("media_url") or "")


def _written(post: Mapping[str, Any], at: datetime) -> datetime:
    if post.get("timestamp_ms"):
        return _moment(post["timestamp_ms"], at)
    return parsedate_to_datetime(_by_rfc(str(post["created_at"])))


def _by_rfc(written: str) -> str:
    """Wed Oct 10 20:19:24 +0000 2018, as RFC 5322 has it."""
    weekday, month, day, clock, zone, year = written.split()
    return f"{weekday}, {day} {month} {year} {clock} {zone}"


def _moment(milliseconds: Any, at: datetime) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else at
