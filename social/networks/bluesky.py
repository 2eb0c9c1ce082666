"""Bluesky, by the AT Protocol: notifications read back to what is known, posts under keys of our own.

Sources: the lexicons app.bsky.notification.listNotifications, com.atproto.repo.createRecord, com.atproto.server.
createSession / refreshSession, chat.bsky.convo.getLog / sendMessage, app.bsky.graph.muteActor, com.atproto.moderation.
createReport (github.com/bluesky-social/atproto).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.payloads import as_dict, as_list
from helpdesk.events.provider_calls import Answer
from social import calls, counting, files
from social.happenings import Batch, Media
from social.network import (
    CannotTell,
    Connection,
    Cost,
    Count,
    Need,
    Outgoing,
    Polled,
    Probe,
    Renewed,
    Sent,
    TokenDead,
    Why,
)
from social.networks.bluesky_reading import REASONS, gone, read_direct, read_notifications, url_of
from social.networks.bluesky_texts import facets, key_of, record_key
from social.networks.gathering import Gathering, not_json
from social.wording import shortened

LIMIT: Final = 300
DIRECT_LIMIT: Final = 1000
MOST_BYTES: Final = 3000
POLL_SECONDS: Final = 60.0
MOST_PAGES: Final = 10
SESSION: Final = timedelta(minutes=90)
_POST: Final = "app.bsky.feed.post"
_BLOCK: Final = "app.bsky.graph.block"
Found = TypeVar("Found")
_CHAT: Final = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}


class SessionOver(TokenDead):
    """The session has ended before its time; the app password makes another."""


class Bluesky:
    """One account, signed in with an app password."""

    name = "bluesky"
    title = "Bluesky"
    can = frozenset({"publish", "reply", "direct", "mute", "unmute", "block", "unblock", "report", "delete"})
    needs: Sequence[Need] = (
        Need("handle", "Handle", is_secret=False, help_text="demo.bsky.social"),
        Need("app_password", "App password"),
    )
    polls = True
    forgets_deleted = False
    most_looked_at = 25  # of one question

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        return False  # it has no webhook; it is polled

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return None

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        """A page as `app.bsky.notification.listNotifications` answers it."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            return not_json(body, error)
        return read_notifications(as_list(as_dict(found).get("notifications")))

    def count(self, text: str, *, is_public: bool) -> Count:
        if is_public and len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
            return Count(max(counting.graphemes(text), LIMIT + 1), LIMIT)
        return Count(counting.graphemes(text), LIMIT if is_public else DIRECT_LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, counting.graphemes)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        """A session of two hours: by its refresh token, or by the app password where that is over."""
        made = self._refreshed(connection) or self._signed_in(connection)
        if not made.get("accessJwt"):
            raise RetryLater("Bluesky named no session")
        secrets = {**connection.secrets, "access": str(made["accessJwt"]), "refresh": str(made.get("refreshJwt") or "")}
        return Renewed(secrets, datetime.now(UTC) + SESSION)

    def _refreshed(self, connection: Connection) -> dict[str, Any] | None:
        token = connection.secrets.get("refresh", "")
        if not token:
            return None
        try:
            answer = calls.send_json(
                connection, "/xrpc/com.atproto.server.refreshSession", {}, {"Authorization": f"Bearer {token}"}
            )
        except Ambiguous:
            return None  # the token may be used up now; the password is not
        return answer.json() if answer.status == 200 else None

    def _signed_in(self, connection: Connection) -> dict[str, Any]:
        body = {"identifier": connection.handle.lstrip("@"), "password": connection.secrets.get("app_password", "")}
        try:
            return _ok(calls.send_json(connection, "/xrpc/com.atproto.server.createSession", body)).json()
        except Ambiguous as error:
            raise RetryLater(error.reason) from error

    def _session(self, connection: Connection) -> dict[str, str]:
        token = connection.secrets.get("access") or str(self._signed_in(connection).get("accessJwt", ""))
        return {"Authorization": f"Bearer {token}"}

    def _signed(self, connection: Connection, do: Callable[[Mapping[str, str]], Found]) -> Found:
        """What `do` does in our session; in a new one where that is over."""
        try:
            return do(self._session(connection))
        except SessionOver:
            return do({"Authorization": f"Bearer {self._signed_in(connection).get('accessJwt', '')}"})

    def deep_link(self, outgoing: Outgoing) -> str:
        return url_of(outgoing.answers)

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        return self._signed(connection, partial(self._poll, connection, cursor))

    def _poll(self, connection: Connection, cursor: Mapping[str, Any], session: Mapping[str, str]) -> Polled:
        known = str(cursor.get("indexed_at", ""))
        found: list[Any] = []
        page = ""
        for _ in range(MOST_PAGES if known else 1):
            asked = [*(("reasons", reason) for reason in REASONS), ("limit", "100")]
            asked += [("cursor", page)] if page else []
            answer = _ok(calls.get(connection, "/xrpc/app.bsky.notification.listNotifications", asked, session)).json()
            notifications = as_list(answer.get("notifications"))
            new = [one for one in notifications if str(as_dict(one).get("indexedAt", "")) >= known]
            found += new
            page = str(answer.get("cursor") or "")
            if not page or len(new) < len(notifications):
                break
        newest = max([known, *(str(as_dict(one).get("indexedAt", "")) for one in found)])
        directs, rev = self._directs(connection, session, str(cursor.get("rev", "")))
        posts = read_notifications(found[::-1])
        return Polled(
            Batch(
                (*posts.happenings, *directs.happenings),
                (*posts.unread, *directs.unread),
                (*posts.ignored, *directs.ignored),
            ),
            {"indexed_at": newest, "rev": rev},
            POLL_SECONDS,
        )

    def _directs(self, connection: Connection, session: Mapping[str, str], rev: str) -> tuple[Batch, str]:
        """Private messages, as far as the app password may read them."""
        asked = [("cursor", rev)] if rev else []
        answer = calls.get(connection, "/xrpc/chat.bsky.convo.getLog", asked, {**session, **_CHAT})
        if answer.status in (400, 401, 403, 404, 501):
            return Batch(), rev
        found = _ok(answer).json()
        gathered = Gathering()
        for one in as_list(found.get("logs")):
            gathered.take(one, partial(read_direct, one, connection.external_id))
        return gathered.done(), str(found.get("cursor") or rev)

    def look_again(self, connection: Connection, posts: Sequence[str], *, at: datetime) -> Batch:
        """Posts there are not edited; those that are gone are not answered."""
        public = [one for one in posts if one.startswith("at://")]
        if not public:
            return Batch()
        known = self._signed(connection, lambda session: self._references(connection, session, *public))
        gathered = Gathering()
        for post in public:
            gathered.take(post, partial(gone, post, post in known, at))
        return gathered.done()

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        return self._signed(connection, partial(self._send, connection, outgoing))

    def _send(self, connection: Connection, outgoing: Outgoing, session: Mapping[str, str]) -> Sent:
        if not outgoing.is_public:
            return self._say(connection, session, outgoing)
        if outgoing.files:
            raise NeverRetry("Bluesky is answered without files: send them in private")
        record: dict[str, Any] = {
            "$type": _POST,
            "text": outgoing.text,
            "createdAt": outgoing.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        found = facets(outgoing.text, partial(self._resolve, connection))
        if found:
            record["facets"] = found
        if outgoing.answers:
            record["reply"] = self._reply(connection, session, outgoing)
        body = {
            "repo": self._us(connection),
            "collection": _POST,
            # A key of our own: the same post again is refused or replaced, never doubled.
            "rkey": record_key(outgoing.at, outgoing.client_id),
            "record": record,
        }
        try:
            made = _ok(calls.send_json(connection, "/xrpc/com.atproto.repo.putRecord", body, session)).json()
        except Ambiguous as error:
            raise RetryLater(error.reason) from error
        uri = str(made.get("uri", ""))
        return Sent(uri, url_of(uri))

    def _say(self, connection: Connection, session: Mapping[str, str], outgoing: Outgoing) -> Sent:
        body = {"convoId": outgoing.thread.removeprefix("dm:"), "message": {"text": outgoing.text}}
        answer = calls.send_json(connection, "/xrpc/chat.bsky.convo.sendMessage", body, {**session, **_CHAT})
        found = str(_ok(answer).json().get("id", ""))
        if not found:
            raise Ambiguous("Bluesky named no message")
        return Sent(found)

    def _reply(self, connection: Connection, session: Mapping[str, str], outgoing: Outgoing) -> dict[str, Any]:
        """References hold what a post was (cid), so that it is asked for."""
        posts = self._references(connection, session, outgoing.answers, outgoing.root or outgoing.answers)
        parent = posts.get(outgoing.answers)
        if parent is None:
            raise NeverRetry("the post that this answers is gone")
        return {"root": posts.get(outgoing.root) or parent, "parent": parent}

    def _references(self, connection: Connection, session: Mapping[str, str], *uris: str) -> dict[str, dict[str, str]]:
        """What posts are (uri and cid), by their uri; those that are gone are not among them."""
        asked = [("uris", uri) for uri in dict.fromkeys(uris)]
        found = _ok(calls.get(connection, "/xrpc/app.bsky.feed.getPosts", asked, session)).json()
        posts = [as_dict(one) for one in as_list(found.get("posts"))]
        return {str(one["uri"]): {"uri": str(one["uri"]), "cid": str(one.get("cid"))} for one in posts if "uri" in one}

    def _resolve(self, connection: Connection, handle: str) -> str | None:
        answer = calls.get(connection, "/xrpc/com.atproto.identity.resolveHandle", [("handle", handle)])
        return str(answer.json().get("did") or "") or None if answer.status == 200 else None

    def _us(self, connection: Connection) -> str:
        return connection.external_id or connection.handle.lstrip("@")

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        if not outgoing.is_public:
            raise CannotTell("private messages have no key of ours")
        return None  # the record's key makes a second call the first one

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        self._signed(connection, partial(self._moderate, connection, kind, post, person, why))

    def _moderate(
        self, connection: Connection, kind: str, post: str, person: str, why: Why, session: Mapping[str, str]
    ) -> None:
        if kind in ("mute", "unmute"):
            path = f"/xrpc/app.bsky.graph.{kind}Actor"
            _ok(calls.send_json(connection, path, {"actor": person}, session))
        elif kind in ("block", "unblock"):
            self._block(connection, session, person, is_wanted=kind == "block")
        elif kind == "report":
            subject: dict[str, str] = {"$type": "com.atproto.admin.defs#repoRef", "did": person}
            known = self._references(connection, session, post).get(post) if post else None
            if known is not None:
                subject = {"$type": "com.atproto.repo.strongRef", **known}
            told = {"spam": "reasonSpam", "illegal": "reasonViolation"}.get(why.reason, "reasonRude")
            body = {"reasonType": f"com.atproto.moderation.defs#{told}", "subject": subject, "reason": why.words}
            _ok(calls.send_json(connection, "/xrpc/com.atproto.moderation.createReport", body, session))
        elif kind == "delete":
            body = {"repo": self._us(connection), "collection": _POST, "rkey": post.rpartition("/")[2]}
            _ok(calls.send_json(connection, "/xrpc/com.atproto.repo.deleteRecord", body, session))
        else:
            raise NeverRetry(f"Bluesky has no call to {kind}")

    def _block(self, connection: Connection, session: Mapping[str, str], person: str, *, is_wanted: bool) -> None:
        """A block is a record of ours, under a key that the person gives: twice is once, and it is found again."""
        body: dict[str, Any] = {"repo": self._us(connection), "collection": _BLOCK, "rkey": key_of(person)}
        if is_wanted:
            made_at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            body["record"] = {"$type": _BLOCK, "subject": person, "createdAt": made_at}
        path = f"/xrpc/com.atproto.repo.{'putRecord' if is_wanted else 'deleteRecord'}"
        _ok(calls.send_json(connection, path, body, session))

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def probe(self, connection: Connection) -> Probe:
        ask = partial(calls.get, connection, "/xrpc/com.atproto.server.getSession", ())
        found = self._signed(connection, lambda session: _ok(ask(session))).json()
        # The session is renewed as soon as it is asked for next.
        expires_at = None if connection.secrets.get("access") else datetime.now(UTC)
        return Probe(str(found.get("did", "")), str(found.get("handle", "")), expires_at=expires_at)


def _ok(answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    raise _refused(answer)


def _refused(answer: Answer) -> DeliveryError:
    body = answer.json()
    name, words = str(body.get("error", "")), str(body.get("message", ""))[:200]
    if name in ("InvalidToken", "ExpiredToken"):
        return SessionOver(words or name)
    if name in ("AuthenticationRequired", "AccountTakedown", "AuthMissing"):
        return TokenDead(words or name)
    wait = calls.until(answer.headers.get("ratelimit-reset", ""), at=datetime.now(UTC))
    return calls.refusal(answer, words or name, wait=wait)
