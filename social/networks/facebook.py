"""A Facebook Page: comments in public, Messenger in private, told by webhook and asked for in between.

Sources: developers.facebook.com/docs/graph-api/webhooks/reference/page, /docs/messenger-platform (webhooks, send
messages, private replies, policy), /docs/pages-api (posts, comments and mentions).
"""

import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry
from helpdesk.events.payloads import as_dict, as_list
from social import calls, files
from social.happenings import Batch, Media
from social.network import (
    CannotTell,
    Connection,
    Cost,
    Count,
    Need,
    Outgoing,
    OutgoingFile,
    Polled,
    Probe,
    Renewed,
    Sent,
    Why,
    WindowClosed,
)
from social.networks import facebook_asked, facebook_reading, meta
from social.networks.facebook_asked import More
from social.networks.gathering import Gathering, not_json
from social.wording import shortened

logger = logging.getLogger(__name__)

COMMENT_LIMIT: Final = 8000
DIRECT_LIMIT: Final = 2000
# What stands on a Page is read by many; more than this nobody does.
ANNOUNCED: Final = 2000
ANSWERED_BY_HAND: Final = timedelta(days=7)
POLL_SECONDS: Final = 300.0
LOOKS_BACK: Final = timedelta(days=15)
MOST_PAGES: Final = 5
# Of comments, each 100, in one reading.
MOST_COMMENT_PAGES: Final = 20


class Facebook:
    """One Page and its Messenger."""

    name = "facebook"
    title = "Facebook"
    can = frozenset(
        {"publish", "reply", "direct", "private_reply", "hide", "unhide", "block", "unblock", "delete", "delete_theirs"}
    )
    needs: Sequence[Need] = (
        Need("external_id", "Page ID", is_secret=False),
        Need("page_token", "Page access token", help_text="Of a system user: it does not end when somebody leaves."),
        Need("app_secret", "App secret", help_text="Signs webhooks and our own calls."),
        Need("verify_token", "Verify token", help_text="Any word of your own: enter the same one at Meta."),
    )
    polls = True
    forgets_deleted = False

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        return meta.is_genuine(connection, body, headers)

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return meta.challenge(connection, query)

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            return not_json(body, error)
        return facebook_reading.read_entries(found, at=at)

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(len(text), COMMENT_LIMIT if is_public else DIRECT_LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, ANNOUNCED, len)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        return None

    def deep_link(self, outgoing: Outgoing) -> str:
        if not outgoing.is_public:
            return "https://business.facebook.com/latest/inbox/messenger"
        return f"https://www.facebook.com/{outgoing.answers or outgoing.root}"

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        """What the webhook told us is known already; this finds what it did not."""
        since = datetime.fromtimestamp(int(cursor["since"]), UTC) if cursor.get("since") else at - LOOKS_BACK
        asked = [("platform", "messenger"), ("fields", facebook_asked.INBOX_FIELDS)]
        inbox = self._get(connection, f"{connection.external_id}/conversations", asked)
        gathered = Gathering()
        self._read_feed(gathered, connection, since)
        facebook_asked.gather_inbox(gathered, inbox, connection.external_id, since - timedelta(minutes=10))
        return Polled(gathered.done(), {"since": int(at.timestamp())}, POLL_SECONDS)

    def _read_feed(self, gathered: Gathering, connection: Connection, since: datetime) -> None:
        """What was posted lately may be commented on today: page by page, back to what nobody looks at any more."""
        after: list[tuple[str, str]] = []
        known, left = since - timedelta(minutes=10), deque[More]()
        for _ in range(MOST_PAGES):
            begin = str(int((since - LOOKS_BACK).timestamp()))
            asked = [("fields", facebook_asked.FEED_FIELDS), ("since", begin), ("limit", "50"), *after]
            page = self._get(connection, f"{connection.external_id}/feed", asked)
            left += facebook_asked.gather_feed(gathered, page, connection.external_id, known)
            paging = as_dict(page.get("paging"))
            if not paging.get("next"):
                break
            after = [("after", str(as_dict(paging.get("cursors")).get("after", "")))]
        self._read_comments(gathered, connection, left, known)

    def _read_comments(self, gathered: Gathering, connection: Connection, left: deque[More], known: datetime) -> None:
        """Many comments below one post: page by page, newest first, back to what was read before."""
        for _ in range(MOST_COMMENT_PAGES):
            if not left:
                return
            more = left.popleft()
            asked = [("fields", facebook_asked.COMMENT_FIELDS), *facebook_asked.STREAM]
            asked += [("limit", "100"), ("after", more.after)]
            page = self._get(connection, f"{more.root}/comments", asked)
            left += facebook_asked.gather_comments(gathered, page, connection.external_id, known, more.root)
        if left:
            logger.warning("more than %s pages of comments at once: the rest was not read", MOST_COMMENT_PAGES)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        if not outgoing.is_public:
            return self._direct(connection, outgoing)
        if outgoing.files:
            raise NeverRetry("comments are sent without files: send them in private")
        if outgoing.answers:
            target = f"{outgoing.answers}/comments"
            made = self._post(connection, target, {"message": outgoing.text})
        else:
            made = self._post(connection, f"{connection.external_id}/feed", {"message": outgoing.text})
        found = str(made.get("id", ""))
        if not found:
            raise Ambiguous("Facebook named no post")
        return Sent(found, f"https://www.facebook.com/{found}")

    def _direct(self, connection: Connection, outgoing: Outgoing) -> Sent:
        """Within 24 hours as an answer; until the seventh day as what a person wrote, which it is."""
        tag: dict[str, Any] = {"messaging_type": "RESPONSE"}
        last = outgoing.last_said_at
        if last is not None and outgoing.at > last + timedelta(hours=24):
            if outgoing.at > last + ANSWERED_BY_HAND:
                raise WindowClosed("Messenger lets us answer for seven days")
            tag = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        first = ""
        to = {"recipient": {"id": outgoing.person}, **tag}
        if outgoing.text:
            first = self._message(connection, {**to, "message": {"text": outgoing.text}})
        for file in outgoing.files:
            try:
                attached = self._upload(connection, file, to)
            except DeliveryError as error:
                # What was said already is not said again for a file's sake.
                if not first:
                    raise
                raise NeverRetry(f"{file.name} did not leave, what came before did: {error.reason}") from error
            first = first or attached
        return Sent(first)

    def private_reply(self, connection: Connection, comment: str, text: str) -> Sent:
        """One private message to who commented, within seven days; the rest when they answer."""
        return Sent(self._message(connection, {"recipient": {"comment_id": comment}, "message": {"text": text}}))

    def _message(self, connection: Connection, body: Mapping[str, Any]) -> str:
        made = self._post(connection, f"{connection.external_id}/messages", body)
        found = str(made.get("message_id", ""))
        if not found:
            raise Ambiguous("Messenger named no message")
        return found

    def _upload(self, connection: Connection, file: OutgoingFile, to: Mapping[str, Any]) -> str:
        kind = file.content_type.partition("/")[0]
        kind = kind if kind in ("image", "video", "audio") else "file"
        message = {"attachment": {"type": kind, "payload": {"is_reusable": False}}}
        fields = {"recipient": json.dumps(to["recipient"]), "message": json.dumps(message), **_signed(connection)}
        fields |= {name: str(to[name]) for name in ("messaging_type", "tag") if name in to}
        body, kind = files.multipart([("filedata", file.name, file.content_type, file.content)], fields)
        path = meta.path(connection, f"{connection.external_id}/messages")
        return str(meta.ok(calls.send_bytes(connection, path, body, {"Content-Type": kind})).get("message_id", ""))

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        """Our newest comments below it, or our newest posts, are looked through for the text."""
        if not outgoing.is_public:
            raise CannotTell("Messenger does not let its messages be looked up")
        where = f"{outgoing.answers}/comments" if outgoing.answers else f"{connection.external_id}/posts"
        order = [("order", "reverse_chronological")] if outgoing.answers else []
        page = self._get(connection, where, [("fields", "id,from,message,permalink_url"), ("limit", "50"), *order])
        for one in as_list(page.get("data")):
            ours = str(as_dict(as_dict(one).get("from")).get("id", connection.external_id)) == connection.external_id
            if ours and as_dict(one).get("message") == outgoing.text:
                return Sent(str(one["id"]), str(one.get("permalink_url") or ""))
        return None

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        if kind in ("hide", "unhide"):
            self._post(connection, post, {"is_hidden": kind == "hide"})
        elif kind == "delete":
            self._call(connection, "DELETE", post, {})
        elif kind in ("block", "unblock"):
            method = "POST" if kind == "block" else "DELETE"
            self._call(connection, method, f"{connection.external_id}/blocked", {"user": person})
        else:
            raise NeverRetry(f"Facebook has no call to {kind}")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def probe(self, connection: Connection) -> Probe:
        me = self._get(connection, "me", [("fields", "id,name,username")])
        if connection.external_id and str(me.get("id", "")) != connection.external_id:
            raise NeverRetry("this token belongs to another page")
        handle = str(me.get("username") or me.get("name") or "")
        return Probe(str(me.get("id", "")), handle, str(me.get("name", "")))

    def _get(self, connection: Connection, rest: str, asked: Sequence[tuple[str, str]]) -> dict[str, Any]:
        given = [*asked, *_signed(connection).items()]
        return meta.ok(calls.get(connection, meta.path(connection, rest), given))

    def _post(self, connection: Connection, rest: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call(connection, "POST", rest, body)

    def _call(self, connection: Connection, method: str, rest: str, body: Mapping[str, Any]) -> dict[str, Any]:
        given = {**body, **_signed(connection)}
        return meta.ok(calls.send_json(connection, meta.path(connection, rest), given, method=method))


def _signed(connection: Connection) -> dict[str, str]:
    token = connection.secrets.get("page_token", "")
    return {"access_token": token, "appsecret_proof": meta.proof(connection, token)}
