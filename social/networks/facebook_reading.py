"""What Facebook says happened on a Page and in its Messenger. Pure, never raises, keeps every item of a batch.

Sources: developers.facebook.com/docs/graph-api/webhooks/reference/page (feed), /docs/messenger-platform/reference/
webhook-events (messages, echoes, deliveries, reads, postbacks, standby).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Edited, Media, Removed, Reported, Said
from social.networks.gathering import Found, Gathering

WINDOW: Final = timedelta(days=7)
# What nobody said: it is counted there, and no words are in it.
_WORDLESS: Final = frozenset({"like", "reaction"})
_IDS: Final = ("comment_id", "post_id", "open_graph_story_id", "photo_id", "video_id", "album_id", "share_id")
# Attachments whose address is a page to look at, no file to keep.
_LINKS: Final = frozenset({"fallback", "share", "template", "post", "ig_post", "product_template"})
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
            gathered.take(change, partial(_change, change, page, _sent_at(as_dict(entry), at)))
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


def _sent_at(entry: Mapping[str, Any], at: datetime) -> datetime:
    try:
        return time_of(entry["time"])
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return at


def _change(change: Mapping[str, Any], page: str, sent_at: datetime) -> Found:
    """`created_time` is when a comment was written, whatever becomes of it later; that is told at `sent_at`."""
    field, value = change["field"], change["value"]
    if field not in ("feed", "mention", "ratings"):
        return f"a change of {str(field)[:60]}"
    item, verb = str(value["item"]), str(value["verb"])
    if item in _WORDLESS:
        return f"a {item}"
    found = next((str(value[name]) for name in _IDS if value.get(name)), "")
    if not found:
        raise ValueError("it has no id")
    who = str(_writer(value).get("id") or "")
    if verb in _SHOWN:
        at = max(time_of(value["created_time"]), sent_at) if value.get("created_time") else sent_at
        return [(page, Removed(found, at, _SHOWN[verb], who))]
    said = comment_of(value, found, page, item)
    if verb in ("edited", "edit", "update"):
        at = max(said.at, sent_at)
        return [(page, said), (page, Edited(found, at, said.text, str(int(at.timestamp())), who))]
    return [(page, said)] if verb == "add" else f"a {item[:40]} that was {verb[:40]}"


def _writer(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mentions and recommendations name them in fields of their own."""
    ids, names = ("sender_id", "reviewer_id"), ("sender_name", "reviewer_name")
    return as_dict(value.get("from")) or {
        "id": next((value[name] for name in ids if value.get(name)), None),
        "name": next((value[name] for name in names if value.get(name)), None),
    }


def comment_of(value: Mapping[str, Any], found: str, page: str, item: str) -> Said:
    """What was said below a post, on the Page, or about it; `found` is its id."""
    writer = _writer(value)
    who, root = str(writer.get("id") or f"unknown:{found}"), str(value.get("post_id") or found)
    parent = str(value.get("parent_id") or "")
    return Said(
        id=found,
        at=time_of(value["created_time"]),
        author=Author(id=who, name=str(writer.get("name") or "")),
        text=_text_of(value, item),
        kind="comment" if item == "comment" else "post",
        thread=f"post:{root}:{who}",
        by_us=who == page,
        root=root,
        parent=parent,
        url=str(
            value.get("permalink_url")
            or as_dict(value.get("post")).get("permalink_url")
            or f"https://www.facebook.com/{found}"
        ),
        names_us=True,
        allows=_allowed(value),
        media=_pictures(value),
    )


def _text_of(value: Mapping[str, Any], item: str) -> str:
    """The words, with the address that was shared; of a recommendation, whether it is one."""
    said = str(value.get("message") or value.get("review_text") or "")
    likes = {"positive": "👍", "negative": "👎"}.get(str(value.get("recommendation_type") or "").lower(), "")
    stars = value.get("rating") if isinstance(value.get("rating"), int) else 0
    mark = likes or "★" * min(max(int(stars or 0), 0), 5)
    link = str(value.get("link") or "") if item in ("share", "link", "status", "post") else ""
    return " ".join(part for part in (mark, said, link if link not in said else "") if part)


def _allowed(value: Mapping[str, Any]) -> tuple[str, ...]:
    named = {"can_hide": "hide", "can_reply_privately": "private_reply"}
    # The webhook does not say; whoever commented may be answered privately once, until we are told otherwise.
    return tuple(word for field, word in named.items() if value.get(field, True) is True)


def _pictures(value: Mapping[str, Any]) -> tuple[Media, ...]:
    item, link = value.get("item"), value.get("link")
    photos = [value.get("photo"), link if item == "photo" else None, *as_list(value.get("photos"))]
    photos.append(as_dict(as_dict(as_dict(value.get("attachment")).get("media")).get("image")).get("src"))
    videos = [value.get("video"), link if item == "video" else None]
    found = [(one, "photo") for one in photos] + [(one, "video") for one in videos]
    given = {one: kind for one, kind in found if isinstance(one, str) and one.startswith("http")}
    return tuple(Media(kind, one) for one, kind in given.items())


def _event(event: Mapping[str, Any], page: str, at: datetime) -> Found:
    sender, recipient = str(event["sender"]["id"]), str(event["recipient"]["id"])
    happened = time_of(event["timestamp"]) if "timestamp" in event else at
    if "delivery" in event:
        watermark = as_dict(event["delivery"]).get("watermark")
        return [(recipient, Reported("", time_of(watermark) if watermark else happened, "delivered", person=sender))]
    if "read" in event:
        watermark = as_dict(event["read"]).get("watermark")
        return [(recipient, Reported("", time_of(watermark) if watermark else happened, "read", person=sender))]
    if "postback" in event:
        back = event["postback"]
        found = str(back.get("mid") or f"postback:{sender}:{int(happened.timestamp() * 1000)}")
        return [(recipient, direct(found, happened, sender, str(back.get("title") or back.get("payload") or "")))]
    if "message_edit" in event:
        edit = event["message_edit"]
        number = f"{edit.get('num_edit') or int(happened.timestamp() * 1000)}"
        return [(recipient, Edited(str(edit["mid"]), happened, str(edit.get("text") or ""), number, sender))]
    if "message" not in event:
        return f"a {next((name for name in event if name not in ('sender', 'recipient', 'timestamp')), 'nothing')[:40]}"
    message = event["message"]
    by_us = bool(message.get("is_echo")) or sender == page != ""
    person, account = (recipient, sender) if by_us else (sender, recipient)
    if message.get("is_deleted"):
        return [(account, Removed(str(message["mid"]), happened, person=person))]
    text, media = _said_in(message)
    parent = str(as_dict(message.get("reply_to")).get("mid") or "")
    return [(account, direct(str(message["mid"]), happened, person, text, media, by_us=by_us, parent=parent))]


def _said_in(message: Mapping[str, Any]) -> tuple[str, tuple[Media, ...]]:
    """The words with the links, places and cards that came with them, and the files."""
    words, media = [str(message.get("text") or "")], []
    for one in as_list(message.get("attachments")):
        kind, payload = str(as_dict(one).get("type") or "file"), as_dict(as_dict(one).get("payload"))
        url = str(payload.get("url") or as_dict(one).get("url") or as_dict(one).get("URL") or "")
        if url and kind not in _LINKS and kind != "location":
            media.append(Media(kind, url))
        else:
            words.append(_card(kind, {**as_dict(one), **payload}, url, words[0]))
    story = as_dict(as_dict(message.get("reply_to")).get("story")).get("url")
    words.append(f"[about a story: {story}]" if story else "")
    if message.get("is_unsupported"):
        words.append("[a message that Facebook does not pass on]")
    return "\n".join(part for part in words if part), tuple(media)


def _card(kind: str, card: Mapping[str, Any], url: str, said: str) -> str:
    """A shared link, a place, or a card of buttons, as one line; a link that was typed is not said twice."""
    place = as_dict(card.get("coordinates"))
    if place:
        where = f"{place.get('lat')}, {place.get('long')}"
        return " ".join(str(one) for one in ("📍", card.get("title"), where) if one)
    elements = as_list(card.get("elements")) or as_list(as_dict(card.get("product")).get("elements"))
    titles = [as_dict(one).get("title") for one in elements[:10]]
    words = [str(one) for one in (card.get("title"), card.get("text"), *titles) if one]
    link = url if url not in said else ""
    return " · ".join([*words, *([link] if link else [])]) or ("" if url else f"[{kind[:40]}]")


def direct(
    found: str,
    at: datetime,
    person: str,
    text: str,
    media: tuple[Media, ...] = (),
    *,
    by_us: bool = False,
    name: str = "",
    parent: str = "",
) -> Said:
    """A message of Messenger's."""
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
        parent=parent,
        media=media,
        window_ends_at=None if by_us else at + WINDOW,
    )


def time_of(value: Any) -> datetime:
    """Seconds, milliseconds, or ISO 8601: Facebook uses all three."""
    if isinstance(value, str) and not value.isdigit():
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment
    number = int(value)
    return datetime.fromtimestamp(number / 1000 if number > 10_000_000_000 else number, UTC)
