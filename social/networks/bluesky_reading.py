"""What Bluesky's notifications and its log of private messages say. Pure, never raises, keeps every item.

Sources: the lexicons app.bsky.notification.listNotifications, app.bsky.feed.post, app.bsky.richtext.facet,
app.bsky.embed.*, chat.bsky.convo.defs (github.com/bluesky-social/atproto).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from helpdesk.events.payloads import as_dict, as_list
from social.happenings import Author, Batch, Media, Removed, Said
from social.networks.gathering import Found, Gathering

REASONS: Final = ("mention", "reply", "quote")


def read_notifications(found: Sequence[Any]) -> Batch:
    """Mentions, answers and quotes become what was said. Never raises."""
    gathered = Gathering()
    for one in found:
        gathered.take(one, partial(_said, one))
    return gathered.done()


def _said(one: Mapping[str, Any]) -> Found:
    reason = str(one["reason"])
    if reason not in REASONS:
        return f"a {reason[:40]}"
    record, writer, uri = one["record"], one["author"], str(one["uri"])
    reply = as_dict(record.get("reply"))
    root = str(as_dict(reply.get("root")).get("uri") or uri)
    did = str(writer["did"])
    said = Said(
        id=uri,
        at=_time(record.get("createdAt") or one["indexedAt"], one["indexedAt"]),
        author=_author(writer),
        text=_words(record),
        kind="reply" if reason == "reply" or reply else "quote" if reason == "quote" else "post",
        thread=f"post:{root}:{did}",
        root=root,
        parent=str(as_dict(reply.get("parent")).get("uri") or ""),
        url=url_of(uri),
        names_us=True,
        media=tuple(_pictures(record, did)),
    )
    return [("", said)]


def _author(writer: Mapping[str, Any]) -> Author:
    viewer = as_dict(writer.get("viewer"))
    allows = as_dict(as_dict(writer.get("associated")).get("chat")).get("allowIncoming")
    followed = bool(viewer.get("followedBy"))
    may = {"all": True, "none": False, "following": followed}.get(str(allows))
    return Author(
        id=str(writer["did"]),
        handle=f"@{writer.get('handle', '')}",
        name=str(writer.get("displayName") or ""),
        avatar_url=str(writer.get("avatar") or ""),
        may_dm=may,
        follows_us=followed,
        followed_by_us=bool(viewer.get("following")),
    )


def _words(record: Mapping[str, Any]) -> str:
    """The words with whole links, and what is shown below them: a page, or a post that is quoted."""
    text = _with_links(str(record.get("text") or ""), as_list(record.get("facets")))
    embed = as_dict(record.get("embed"))
    shown = [embed, as_dict(embed.get("media"))]
    lines = [text]
    for one in shown:
        external = as_dict(one.get("external"))
        if external.get("uri") and str(external["uri"]) not in text:
            lines.append(" · ".join(str(external[name])[:1000] for name in ("title", "uri") if external.get(name)))
        if "video" in one:
            lines.append(f"[video] {str(one.get('alt') or '')[:1000]}".strip())
    lines.append(_quoted(as_dict(embed.get("record"))))
    return "\n\n".join(line for line in lines if line)


def _quoted(record: Mapping[str, Any]) -> str:
    """The address of a quoted post, which may stand one level deeper, beside pictures."""
    uri = str(record.get("uri") or as_dict(record.get("record")).get("uri") or "")
    return f"[{url_of(uri) or uri}]" if uri else ""


def _with_links(text: str, found: Sequence[Any]) -> str:
    """Links are shown short; where they lead stands beside the text, by its bytes in UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    for facet in sorted(found[:100], key=lambda one: -_place(one)[0]):
        begin, end = _place(facet)
        features = [as_dict(one) for one in as_list(as_dict(facet).get("features"))]
        link = next((str(one["uri"]) for one in features if str(one.get("$type", "")).endswith("#link")), "")
        if link and 0 <= begin < end <= len(raw):
            raw = raw[:begin] + link.encode("utf-8", "surrogatepass") + raw[end:]
    return raw.decode("utf-8", "replace")


def _place(facet: Any) -> tuple[int, int]:
    index = as_dict(as_dict(facet).get("index"))
    begin, end = index.get("byteStart"), index.get("byteEnd")
    return (begin, end) if isinstance(begin, int) and isinstance(end, int) else (-1, -1)


def _pictures(record: Mapping[str, Any], did: str) -> list[Media]:
    embed, found = as_dict(record.get("embed")), []
    for one in [*as_list(embed.get("images")), *as_list(as_dict(embed.get("media")).get("images"))]:
        cid = str(as_dict(as_dict(as_dict(one).get("image")).get("ref")).get("$link") or "")
        if cid:
            url = f"https://cdn.bsky.app/img/feed_fullsize/plain/{did}/{cid}@jpeg"
            found.append(Media("photo", url, name=f"{cid[-12:]}.jpg"))
    return found


def read_direct(one: Mapping[str, Any], us: str) -> Found:
    """An entry of the log of private messages. Who deletes one there deletes it for themselves alone."""
    if not str(one.get("$type", "")).endswith("#logCreateMessage"):
        return "another entry of the log"
    message = one["message"]
    text = _with_links(str(message.get("text") or ""), as_list(message.get("facets")))
    shared = _quoted(as_dict(as_dict(message.get("embed")).get("record")))
    if not text and not shared:
        return "a deleted message"
    sender, convo = str(message["sender"]["did"]), str(one["convoId"])
    said = Said(
        id=str(message["id"]),
        at=_time(message["sentAt"], message["sentAt"]),
        author=Author(sender, may_dm=True),
        text="\n\n".join(part for part in (text, shared) if part),
        kind="direct",
        thread=f"dm:{convo}",
        is_public=False,
        by_us=sender == us,
        root=convo,
    )
    return [("", said)]


def gone(post: str, is_there: bool, at: datetime) -> Found:
    """What looking again has found: nothing new, or nothing at all."""
    return "still there" if is_there else [("", Removed(post, at))]


def _time(value: Any, otherwise: Any) -> datetime:
    """`createdAt` is its author's word and may be anything; when it was indexed is the server's."""
    for one in (value, otherwise):
        try:
            moment = datetime.fromisoformat(str(one)[:40])
        except ValueError:
            continue
        if moment.tzinfo is not None and moment.year > 2000:
            return moment
    raise ValueError("neither time makes sense")


def url_of(uri: str) -> str:
    """at://did/app.bsky.feed.post/key as people open it."""
    parts = uri.split("/")
    return f"https://bsky.app/profile/{parts[2]}/post/{parts[4]}" if len(parts) == 5 else ""
