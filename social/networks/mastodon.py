"""Mastodon, and what speaks its API: read by polling notifications, answered with an idempotency key.

Source: docs.joinmastodon.org (methods/notifications, methods/statuses, entities/Status, entities/Instance).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.utils.dateparse import parse_datetime

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.payloads import as_dict, as_list
from helpdesk.events.provider_calls import Answer
from social import calls, counting, files
from social.happenings import Author, Batch, Edited, Kind, Media, Removed, Said
from social.html_text import plain
from social.network import Connection, Cost, Count, Need, Outgoing, Polled, Probe, Renewed, Sent, Why
from social.networks.gathering import Found, Gathering, not_json
from social.wording import shortened

LIMIT: Final = 500
POLL_SECONDS: Final = 60.0
PAGE: Final = 80
MOST_FILES: Final = 4
# Older instances do not know quotes, and leave out what they do not know.
_TYPES: Final = ("mention", "quote")


class Mastodon:
    """One account on one instance."""

    name = "mastodon"
    title = "Mastodon"
    can = frozenset({"publish", "reply", "direct", "mute", "unmute", "block", "unblock", "report", "delete"})
    needs: Sequence[Need] = (
        Need("base_url", "Instance", is_secret=False, help_text="https://fosstodon.org"),
        Need("access_token", "Access token", help_text="With read, write and follow; the account marked as a bot."),
    )
    polls = True
    forgets_deleted = False
    most_looked_at = 20  # of one question

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        return False  # it has no signed webhook; it is polled

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return None

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        """A page of notifications, as `GET /api/v1/notifications` answers."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            return not_json(body, error)
        return read_notifications(found if isinstance(found, list) else [found])

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(counting.on_mastodon(text), LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, counting.on_mastodon)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        return None  # its tokens do not end

    def deep_link(self, outgoing: Outgoing) -> str:
        return ""

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        parameters = [*(("types[]", one) for one in _TYPES), ("limit", str(PAGE))]
        since = str(cursor.get("min_id", ""))
        if since:
            parameters.append(("min_id", since))
        answer = _ok(calls.get(connection, "/api/v1/notifications", parameters, _bearer(connection)))
        found = json.loads(answer.body)
        batch = read_notifications(found if isinstance(found, list) else [])
        ids = [one["id"] for one in found if isinstance(one, dict) and isinstance(one.get("id"), str)]
        newest = max([*ids, since], key=lambda one: (len(one), one), default="")
        # A full page read forwards from the cursor has more behind it.
        return Polled(batch, {"min_id": newest}, 1.0 if since and len(found) >= PAGE else POLL_SECONDS)

    def look_again(self, connection: Connection, posts: Sequence[str], *, at: datetime) -> Batch:
        """GET /api/v1/statuses?id[]=, which answers those that are still there (Mastodon 4.3)."""
        answer = calls.get(connection, "/api/v1/statuses", [("id[]", one) for one in posts], _bearer(connection))
        if answer.status in (404, 405, 422):
            return Batch()  # an older instance has no such question
        found = as_list(json.loads(_ok(answer).body))
        gathered, seen = Gathering(), {str(as_dict(one).get("id")) for one in found}
        for one in found:
            gathered.take(one, partial(read_status, one))
        for gone in [one for one in posts if one not in seen]:
            gathered.take(gone, partial(_gone, gone, at))
        return gathered.done()

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        text = outgoing.text
        if outgoing.answers and outgoing.answers_handle and f"@{outgoing.answers_handle}" not in text:
            text = f"@{outgoing.answers_handle} {text}"
        body: dict[str, Any] = {
            "status": text,
            "visibility": "unlisted" if outgoing.answers and outgoing.is_public else "public",
        }
        if not outgoing.is_public:
            body["visibility"] = "direct"
        if outgoing.answers:
            body["in_reply_to_id"] = outgoing.answers
        if len(outgoing.files) > MOST_FILES:
            raise NeverRetry(f"a post on Mastodon takes {MOST_FILES} files")
        if outgoing.files:
            body["media_ids"] = [self._upload(connection, one) for one in outgoing.files]
        headers = {**_bearer(connection), "Idempotency-Key": str(outgoing.client_id)}
        try:
            answer = _ok(calls.send_json(connection, "/api/v1/statuses", body, headers)).json()
        except Ambiguous as error:
            # The key makes a second call the first one.
            raise RetryLater(error.reason) from error
        return Sent(str(answer.get("id", "")), str(answer.get("url") or ""))

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        """The idempotency key makes the second call the first one, for an hour: it may simply be sent again."""
        return None

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        who = quote(person.partition("|")[0], safe="")
        paths = {
            "mute": f"/api/v1/accounts/{who}/mute",
            "unmute": f"/api/v1/accounts/{who}/unmute",
            "block": f"/api/v1/accounts/{who}/block",
            "unblock": f"/api/v1/accounts/{who}/unblock",
        }
        if kind == "report":
            category = {"spam": "spam", "illegal": "legal"}.get(why.reason, "other")
            body = {"account_id": person, "status_ids": [post] if post else [], "category": category}
            body |= {"comment": why.words[:1000]} if why.words else {}
            _ok(calls.send_json(connection, "/api/v1/reports", body, _bearer(connection)))
        elif kind == "delete":
            _ok(
                calls.send_json(
                    connection, f"/api/v1/statuses/{quote(post, safe='')}", {}, _bearer(connection), method="DELETE"
                )
            )
        elif kind in paths:
            _ok(calls.send_json(connection, paths[kind], {}, _bearer(connection)))
        else:
            raise NeverRetry(f"Mastodon has no call to {kind}")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def probe(self, connection: Connection) -> Probe:
        me = _ok(calls.get(connection, "/api/v1/accounts/verify_credentials", (), _bearer(connection))).json()
        handle = f"{me.get('username', '')}@{urlsplit(connection.base_url).hostname}"
        return Probe(str(me.get("id", "")), handle, str(me.get("display_name") or ""))

    def _upload(self, connection: Connection, file: Any) -> str:
        body, kind = files.multipart([("file", file.name, file.content_type, file.content)])
        headers = {**_bearer(connection), "Content-Type": kind}
        answer = _ok(calls.send_bytes(connection, "/api/v2/media", body, headers)).json()
        return str(answer.get("id", ""))


def read_notifications(found: Sequence[Any]) -> Batch:
    """Mentions and quotes become what was said; everything else is not ours to do. Never raises."""
    gathered = Gathering()
    for one in found:
        gathered.take(one, partial(_notification, one))
    return gathered.done()


def _notification(one: Mapping[str, Any]) -> Found:
    kind = str(one["type"])
    if kind not in _TYPES:
        return f"a {kind[:40]}"
    if "status" in one and one["status"] is None:
        return f"a {kind} of what is gone already"
    return read_status(one["status"], is_quote=kind == "quote")


def read_status(status: Mapping[str, Any], *, is_quote: bool = False) -> Found:
    """What was said, and that it was edited."""
    said = _said(status, is_quote=is_quote)
    if not status.get("edited_at"):
        return [("", said)]
    edited_at = _time(status["edited_at"])
    return [("", said), ("", Edited(said.id, edited_at, said.text, edited_at.isoformat(), said.author.id))]


def _gone(post: str, at: datetime) -> Found:
    return [("", Removed(post, at))]


def _time(value: Any) -> datetime:
    at = parse_datetime(value)
    if at is None or at.tzinfo is None:
        raise ValueError("created_at is no time")
    return at


def _said(status: Mapping[str, Any], *, is_quote: bool) -> Said:
    at = _time(status["created_at"])
    # What does not say who may read it is answered in private.
    account, is_public = status["account"], status.get("visibility") in ("public", "unlisted")
    told: Kind = "quote" if is_quote else "reply" if status.get("in_reply_to_id") else "post"
    author = Author(
        id=str(account["id"]),
        handle=str(account["acct"]),
        name=str(account.get("display_name") or account.get("username") or ""),
        avatar_url=str(account.get("avatar_static") or ""),
        may_dm=True,
    )
    return Said(
        id=str(status["id"]),
        at=at,
        author=author,
        text=_words(status),
        kind=told if is_public else "direct",
        # The person and whether it is private: an instance does not name the thread of a status.
        thread=f"{'public' if is_public else 'direct'}:{author.id}",
        is_public=is_public,
        root=str(status.get("in_reply_to_id") or status["id"]),
        parent=str(status.get("in_reply_to_id") or ""),
        url=str(status.get("url") or status.get("uri") or ""),
        names_us=True,
        media=tuple(
            Media(kind=str(one.get("type") or "file"), url=str(one.get("url") or ""), id=str(one.get("id") or ""))
            for one in status.get("media_attachments") or ()
        ),
    )


def _words(status: Mapping[str, Any]) -> str:
    """The warning in front, the words, and what a poll asks."""
    warning = str(status.get("spoiler_text") or "").strip()
    options = [as_dict(one).get("title") for one in as_list(as_dict(status.get("poll")).get("options"))[:20]]
    asked = "\n".join(f"○ {title}" for title in options if title)
    parts = (f"[{warning}]" if warning else "", plain(str(status["content"] or "")), asked)
    return "\n\n".join(part for part in parts if part)


def _bearer(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Bearer {connection.secrets.get('access_token', '')}"}


def _ok(answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    raise _refused(answer)


def _refused(answer: Answer) -> DeliveryError:
    words = str(answer.json().get("error", ""))[:200]
    return calls.refusal(answer, words)
