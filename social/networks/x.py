"""X: told by the X Activity API, or asked; answered where we were summoned; paid by the call.

Sources: docs.x.com x-api/webhooks, x-api/activity, x-api/posts/manage-tweets, x-api/direct-messages,
x-api/getting-started/pricing (August 2026), fundamentals/rate-limits, fundamentals/counting-characters.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.provider_calls import Answer
from social import calls, counting, files
from social.happenings import Batch, Media, Unread
from social.network import (
    Connection,
    Cost,
    Count,
    Need,
    NotSummoned,
    Outgoing,
    OutgoingFile,
    Polled,
    Probe,
    Renewed,
    Sent,
    TokenDead,
    Why,
)
from social.networks import x_reading
from social.wording import shortened

MOST_FILES: Final = 4
LIMIT: Final = 280
DIRECT_LIMIT: Final = 10_000
URL_PRICE: Final = 200_000
# Millionths of a dollar, as the price list of August 2026 has them.
PRICES: Final[Mapping[str, int]] = {
    "publish": 15_000,
    "reply": 10_000,
    "direct": 15_000,
    "read_public": 1_000,
    "read_direct": 10_000,
}
# 15 readings of private messages are allowed in 15 minutes.
POLL_SECONDS: Final = 75.0
MOST_PAGES: Final = 8
# Prose and OpenAPI of X disagree about this name (tweet.fields, post.fields); this is the one that is answered.
_FIELDS: Final = (
    ("tweet.fields", x_reading.POST_FIELDS),
    ("expansions", "author_id,referenced_tweets.id,attachments.media_keys"),
    ("user.fields", "connection_status,receives_your_dm,protected,profile_image_url"),
    ("media.fields", "url,type,media_key,variants,preview_image_url"),
)
_DM_FIELDS: Final = (
    ("dm_event.fields", "id,text,event_type,created_at,dm_conversation_id,sender_id,participant_ids,attachments"),
    ("expansions", "sender_id,attachments.media_keys"),
    ("user.fields", "profile_image_url"),
    ("media.fields", "url,type,media_key,variants,preview_image_url"),
)
_SUMMONED: Final = "X lets us answer by API only whom mentioned or quoted us: answer there and mark it as posted"


class X:
    """One account on X."""

    name = "x"
    title = "X"
    can = frozenset({"publish", "reply", "direct", "hide", "unhide", "mute", "unmute", "delete"})
    needs: Sequence[Need] = (
        Need("access_token", "Access token (OAuth 2.0, user context)"),
        Need("refresh_token", "Refresh token", is_required=False),
        Need(
            "client_id", "Client ID", is_required=False, help_text="With the refresh token, to renew the access token."
        ),
        Need("client_secret", "Client secret", is_required=False),
        Need("consumer_secret", "Consumer secret", is_required=False, help_text="Signs webhooks and their handshake."),
    )
    polls = True
    forgets_deleted = True

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        secret, given = connection.secrets.get("consumer_secret", ""), headers.get("x-twitter-webhooks-signature", "")
        return bool(secret and given) and hmac.compare_digest(signature(secret, body).encode(), given.encode())

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        secret, token = connection.secrets.get("consumer_secret", ""), query.get("crc_token", "")
        if not secret or not token or len(token) > 1000:
            return None
        return json.dumps({"response_token": signature(secret, token.encode())})

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            return Batch(unread=(Unread(f"not JSON: {error}", body.decode("utf-8", "replace")),))
        return x_reading.read_events(found, at=at)

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(counting.on_x(text), LIMIT) if is_public else Count(len(text), DIRECT_LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, counting.on_x)

    def costs(self, call: str, text: str = "") -> Cost | None:
        if call in ("publish", "reply") and has_link(text):
            return Cost("post with a link", URL_PRICE)
        return Cost(call, PRICES[call]) if call in PRICES else None

    def deep_link(self, outgoing: Outgoing) -> str:
        if not outgoing.is_public:
            return f"https://x.com/messages/compose?{urlencode({'recipient_id': outgoing.person})}"
        given = {"in_reply_to": outgoing.answers} if outgoing.answers else {}
        return f"https://x.com/intent/post?{urlencode({**given, 'text': outgoing.text})}"

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        us = _us(connection)
        since, dm_since = str(cursor.get("since_id", "")), str(cursor.get("dm_since_id", ""))
        posts, newest = _read_back(connection, f"/2/users/{us}/mentions", _FIELDS, since, at, asks_since=True)
        directs, newest_dm = _read_back(connection, "/2/dm_events", _DM_FIELDS, dm_since, at, asks_since=False)
        read = [x_reading.read_posts(page, us, at=at) for page in posts]
        read += [x_reading.read_directs(page, us, at=at) for page in directs]
        batch = Batch(
            tuple(one for batch in read for one in batch.happenings),
            tuple(one for batch in read for one in batch.unread),
            tuple(one for batch in read for one in batch.ignored),
        )
        return Polled(batch, {"since_id": newest, "dm_since_id": newest_dm}, POLL_SECONDS)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        if not outgoing.is_public:
            return self._direct(connection, outgoing)
        if outgoing.answers and not outgoing.names_us and not connection.options.get("is_enterprise"):
            raise NotSummoned(_SUMMONED)
        body: dict[str, Any] = {"text": outgoing.text}
        if outgoing.answers:
            body["reply"] = {"in_reply_to_tweet_id": outgoing.answers}
        if len(outgoing.files) > MOST_FILES:
            raise NeverRetry(f"a post on X takes {MOST_FILES} files")
        if outgoing.files:
            body["media"] = {"media_ids": [self._upload(connection, one) for one in outgoing.files]}
        made = _ok(calls.send_json(connection, "/2/tweets", body, _bearer(connection))).json()
        return _sent(made, connection)

    def _direct(self, connection: Connection, outgoing: Outgoing) -> Sent:
        body: dict[str, Any] = {"text": outgoing.text}
        if len(outgoing.files) > 1:
            raise NeverRetry("a private message on X takes one file: send the others in messages of their own")
        if outgoing.files:
            body["attachments"] = [{"media_id": self._upload(connection, outgoing.files[0])}]
        path = f"/2/dm_conversations/with/{quote(outgoing.person, safe='')}/messages"
        made = _ok(calls.send_json(connection, path, body, _bearer(connection))).json()
        data = made.get("data")
        found = str(data.get("dm_event_id", "")) if isinstance(data, dict) else ""
        if not found:
            raise Ambiguous("X named no message")
        return Sent(found)

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        """X has no idempotency key: our newest posts, or the private messages, are looked through for the text."""
        fields: tuple[tuple[str, str], ...]
        if not outgoing.is_public:
            path = f"/2/dm_conversations/with/{quote(outgoing.person, safe='')}/dm_events"
            fields = (("dm_event.fields", "id,text,sender_id,created_at"), ("max_results", "100"))
        else:
            path, fields = (
                f"/2/users/{_us(connection)}/tweets",
                (("max_results", "100"), ("tweet.fields", "created_at")),
            )
            if outgoing.since:
                fields = (*fields, ("since_id", outgoing.since))
        page = _ok(calls.get(connection, path, fields, _bearer(connection))).json()
        for one in page.get("data") or ():
            if _is_ours(one, outgoing, connection):
                return _found(str(one["id"]), outgoing, connection)
        return None

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        us, who, what = _us(connection), quote(person, safe=""), quote(post, safe="")
        known: dict[str, tuple[str, str, dict[str, Any]]] = {
            "hide": ("PUT", f"/2/tweets/{what}/hidden", {"hidden": True}),
            "unhide": ("PUT", f"/2/tweets/{what}/hidden", {"hidden": False}),
            "mute": ("POST", f"/2/users/{us}/muting", {"target_user_id": person}),
            "unmute": ("DELETE", f"/2/users/{us}/muting/{who}", {}),
            "delete": ("DELETE", f"/2/tweets/{what}", {}),
        }
        if kind not in known:
            raise NeverRetry(f"X has no call to {kind}: do it there and mark it as done")
        method, path, body = known[kind]
        _ok(calls.send_json(connection, path, body, _bearer(connection), method=method))

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        return files.fetch(media.url, media.name)

    def renew(self, connection: Connection) -> Renewed | None:
        """OAuth 2.0 refresh; the refresh token is a new one each time."""
        token, client = (connection.secrets.get(name, "") for name in ("refresh_token", "client_id"))
        if not token or not client:
            return None
        headers = {}
        if connection.secrets.get("client_secret"):
            pair = f"{client}:{connection.secrets['client_secret']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)]
        answer = calls.send_form(connection, "/2/oauth2/token", form, headers)
        if answer.status in (400, 401):
            raise TokenDead(f"X does not renew the token: {answer.excerpt()}")
        made = _ok(answer).json()
        lasts = timedelta(seconds=int(made.get("expires_in", 7200)))
        secrets = {
            **connection.secrets,
            "access_token": str(made["access_token"]),
            "refresh_token": str(made.get("refresh_token", token)),
        }
        return Renewed(secrets, datetime.now(UTC) + lasts)

    def probe(self, connection: Connection) -> Probe:
        answer = _ok(calls.get(connection, "/2/users/me", (), _bearer(connection))).json()
        data = answer.get("data")
        me = data if isinstance(data, dict) else {}
        return Probe(str(me.get("id", "")), f"@{me.get('username', '')}", str(me.get("name", "")))

    def _upload(self, connection: Connection, file: OutgoingFile) -> str:
        category = "tweet_gif" if file.content_type == "image/gif" else "tweet_image"
        body, kind = files.multipart(
            [("media", file.name, file.content_type, file.content)], {"media_category": category}
        )
        made = _ok(calls.send_bytes(connection, "/2/media/upload", body, {**_bearer(connection), "Content-Type": kind}))
        data = made.json().get("data")
        return str(data.get("id", "")) if isinstance(data, dict) else ""


def signature(secret: str, signed: bytes) -> str:
    """Of a webhook's raw body, and of the token of its handshake."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def has_link(text: str) -> bool:
    return "http://" in text.lower() or "https://" in text.lower()


def _read_back(
    connection: Connection,
    path: str,
    fields: Sequence[tuple[str, str]],
    since: str,
    at: datetime,
    *,
    asks_since: bool,
) -> tuple[list[Mapping[str, Any]], str]:
    """Pages from the newest back to what is known, oldest page first; and the newest id."""
    pages: list[Mapping[str, Any]] = []
    token, newest = "", since
    for _ in range(MOST_PAGES if since else 1):
        given = [("max_results", "100"), *fields]
        given += [("since_id", since)] if asks_since and since else []
        given += [("pagination_token", token)] if token else []
        page = _ok(calls.get(connection, path, given, _bearer(connection)), at=at).json()
        ids = [one["id"] for one in page.get("data") or () if isinstance(one, dict) and isinstance(one.get("id"), str)]
        newest = max([*ids, newest], key=lambda one: (len(one), one))
        pages.insert(0, page)
        meta = page.get("meta")
        token = str(meta.get("next_token") or "") if isinstance(meta, dict) else ""
        known = since and any((len(one), one) <= (len(since), since) for one in ids)
        if not token or known:
            break
    return pages, newest


def _is_ours(one: Any, outgoing: Outgoing, connection: Connection) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("id"), str):
        return False
    said = str(one.get("text", ""))
    # X puts the names of those answered in front, and its own short links in place of ours.
    words = outgoing.text.split("http")[0].strip()
    return bool(words) and words in said and str(one.get("sender_id", _us(connection))) == _us(connection)


def _found(found: str, outgoing: Outgoing, connection: Connection) -> Sent:
    return Sent(found, _url(connection, found) if outgoing.is_public else "")


def _sent(made: Mapping[str, Any], connection: Connection) -> Sent:
    data = made.get("data")
    found = str(data.get("id", "")) if isinstance(data, dict) else ""
    if not found:
        raise Ambiguous("X named no post")
    return Sent(found, _url(connection, found))


def _url(connection: Connection, post: str) -> str:
    return f"https://x.com/{connection.handle.lstrip('@') or 'i/web'}/status/{post}"


def _us(connection: Connection) -> str:
    if not connection.external_id:
        raise NeverRetry("the account's own id is not known yet: check the connection")
    return quote(connection.external_id, safe="")


def _bearer(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Bearer {connection.secrets.get('access_token', '')}"}


def _ok(answer: Answer, *, at: datetime | None = None) -> Answer:
    if answer.status < 300:
        return answer
    raise _refused(answer, at or datetime.now(UTC))


def _refused(answer: Answer, at: datetime) -> DeliveryError:
    """By the problem's type (docs.x.com fundamentals/response-codes-and-errors), never by its words."""
    body = answer.json()
    words = str(body.get("detail") or body.get("title") or "")[:200]
    problem = str(body.get("type", "")).rpartition("/")[2]
    if answer.status == 402 or problem in ("usage-capped", "credits-depleted"):
        return RetryLater(f"the credit on X is spent: {words}", timedelta(minutes=15))
    if answer.status == 429:
        return calls.refusal(answer, words, wait=calls.until(answer.headers.get("x-rate-limit-reset", ""), at=at))
    return calls.refusal(answer, words)
