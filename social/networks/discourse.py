"""A forum that runs Discourse: told by its webhook, asked as well, because what was not answered is not told again.

Sources: github.com/discourse/discourse app/jobs/regular/emit_web_hook_event.rb; docs.discourse.org (posts, topics,
post_actions).
"""

import hashlib
import hmac
import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.payloads import as_dict, as_list
from helpdesk.events.provider_calls import Answer
from social import calls, files
from social.happenings import Author, Batch, Edited, Media, Removed, Said, Unread
from social.html_text import plain
from social.network import Connection, Cost, Count, Need, Outgoing, Polled, Probe, Renewed, Sent, TokenDead, Why
from social.networks.gathering import Found, Gathering, not_json
from social.wording import shortened

LIMIT: Final = 32_000
SHORTEST: Final = 20
POLL_SECONDS: Final = 120.0
SIGNATURE_HEADER: Final = "x-discourse-event-signature"
EVENT_HEADER: Final = "X-Discourse-Event"
MOST_PICTURES: Final = 10
_REGULAR: Final = 1
_TAG: Final = re.compile(r"<(?:a|img)\s[^<>]{1,4000}>")
_ATTRIBUTE: Final = re.compile(r'\b(class|href|src|alt)="([^"]*)"')


class Discourse:
    """One forum, with one user of ours on it."""

    name = "discourse"
    title = "Discourse"
    can = frozenset({"publish", "reply", "direct", "report", "delete", "delete_theirs"})
    needs: Sequence[Need] = (
        Need("base_url", "Forum", is_secret=False, help_text="https://forum.demo.example"),
        Need("handle", "User name", is_secret=False, help_text="Who answers there."),
        Need("api_key", "API key"),
        Need("webhook_secret", "Webhook secret", is_required=False),
    )
    polls = True
    forgets_deleted = False

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        secret, given = connection.secrets.get("webhook_secret", ""), headers.get(SIGNATURE_HEADER, "")
        return bool(secret and given) and hmac.compare_digest(signature(secret, body).encode(), given.encode())

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return None

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        if body.startswith(b"payload="):
            return Batch(
                unread=(Unread("set the webhook's content type to application/json", body.decode("utf-8", "replace")),)
            )
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            return not_json(body, error)
        gathered = Gathering()
        gathered.take(found, partial(_event, found, headers.get(EVENT_HEADER, ""), at))
        return gathered.done()

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(len(text), LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, len)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        return None

    def deep_link(self, outgoing: Outgoing) -> str:
        return ""

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        """The newest posts, back to the one that is known."""
        known = int(cursor.get("post", 0))
        before, posts = 0, []
        for _ in range(10 if known else 1):
            asked = [("before", str(before))] if before else []
            page = as_list(
                _ok(calls.get(connection, "/posts.json", asked, _key(connection))).json().get("latest_posts")
            )
            new = [one for one in page if isinstance(one, dict) and int(one.get("id", 0)) > known]
            posts += new
            if not new or len(new) < len(page):
                break
            before = min(int(one["id"]) for one in new) - 1
        gathered = Gathering()
        for post in sorted(posts, key=lambda one: int(one["id"])):
            gathered.take(post, partial(_post, post, connection.handle))
        newest = max([known, *(int(one["id"]) for one in posts)])
        return Polled(gathered.done(), {"post": newest}, POLL_SECONDS)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        if len(outgoing.text.strip()) < SHORTEST:
            raise NeverRetry(f"a forum takes {SHORTEST} characters at least")
        if outgoing.files:
            raise NeverRetry("a forum is answered without files: send them in private")
        body: dict[str, Any] = {"raw": outgoing.text}
        if outgoing.root:
            body["topic_id"] = self._topic(connection, outgoing.root)
            last = outgoing.answers.rpartition(":")[2]
            if last.isdigit():
                body["reply_to_post_number"] = int(last)
        else:
            body["title"] = outgoing.text.splitlines()[0][:120].ljust(15, ".")
        made = _ok(calls.send_json(connection, "/posts.json", body, _key(connection))).json()
        found = made.get("id")
        if found is None:
            raise Ambiguous("the forum named no post")
        url = f"{connection.base_url}/t/{made.get('topic_slug', '-')}/{made.get('topic_id')}/{made.get('post_number')}"
        return Sent(f"{found}:{made.get('post_number', '')}", url)

    def _topic(self, connection: Connection, root: str) -> int:
        """A thread is named by its topic; a series of our own announcements by its first post."""
        number, is_post, _ = root.partition(":")
        if not number.isdecimal():
            raise NeverRetry("it is in no topic")
        if not is_post:
            return int(number)
        found = _ok(calls.get(connection, f"/posts/{number}.json", (), _key(connection))).json().get("topic_id")
        if not isinstance(found, int):
            raise NeverRetry("the topic of our first post is gone")
        return found

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        """Our newest posts are looked through for the text."""
        page = _ok(calls.get(connection, "/posts.json", (), _key(connection))).json()
        for one in as_list(page.get("latest_posts")):
            same = str(as_dict(one).get("raw", "")).strip() == outgoing.text.strip()
            if same and str(one.get("username", "")).lower() == connection.handle.lstrip("@").lower():
                return Sent(f"{one['id']}:{one.get('post_number', '')}")
        return None

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        number = post.partition(":")[0]
        if kind == "delete":
            _ok(calls.send_json(connection, f"/posts/{number}.json", {}, _key(connection), method="DELETE"))
        elif kind == "report":
            # Flags of Discourse's own: 4 is inappropriate, 8 spam, 10 illegal, which wants words.
            flag = {"spam": 8, "illegal": 10 if why.words else 4}.get(why.reason, 4)
            body: dict[str, Any] = {"id": int(number), "post_action_type_id": flag}
            body |= {"message": why.words} if flag == 10 else {}
            _ok(calls.send_json(connection, "/post_actions.json", body, _key(connection)))
        else:
            raise NeverRetry(f"a forum has no call to {kind}")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        url = f"https:{media.url}" if media.url.startswith("//") else media.url
        return files.fetch(f"{connection.base_url}{url}" if url.startswith("/") else url, media.name)

    def probe(self, connection: Connection) -> Probe:
        user = connection.handle.lstrip("@")
        found = as_dict(_ok(calls.get(connection, f"/u/{user}.json", (), _key(connection))).json().get("user"))
        host = urlsplit(connection.base_url).hostname or ""
        return Probe(host, user, str(found.get("name") or ""))


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _event(found: Mapping[str, Any], event: str, at: datetime) -> Found:
    if "ping" in found:
        return "a ping"
    if "post" not in found:
        names = ", ".join(str(name)[:20] for name in list(found)[:3])
        if not names:
            raise ValueError("a call with nothing in it")
        return f"about a {names}"
    read = _post(found["post"], "")
    if isinstance(read, str) or event not in ("post_destroyed", "post_recovered"):
        return read
    how: Literal["deleted", "restored"] = "deleted" if event == "post_destroyed" else "restored"
    account, one = read[0]
    if not isinstance(one, Said):
        return read
    told = (account, Removed(one.id, at, how, one.author.id))
    return [told] if how == "deleted" else [*read, told]


def _post(post: Mapping[str, Any], us: str) -> Found:
    number, topic = int(post["post_number"]), int(post["topic_id"])
    found, who = f"{post['id']}:{number}", str(post["username"])
    if int(post.get("post_type", _REGULAR)) != _REGULAR or who == "system":
        return "something that the forum itself said"
    said_at = _time(post["created_at"])
    if post.get("deleted_at") or post.get("user_deleted"):
        return [("", Removed(found, _time(post.get("deleted_at") or post["updated_at"]), person=who))]
    pictures = _pictures(str(post.get("cooked") or ""))
    text = str(post.get("raw") or "") or plain(str(post.get("cooked") or ""))
    is_private = post.get("topic_archetype") == "private_message"
    said = Said(
        id=found,
        at=said_at,
        author=Author(id=who, handle=f"@{who}", name=str(post.get("name") or ""), may_dm=True),
        text=text,
        kind="direct" if is_private else "post" if number == 1 else "reply",
        thread=f"topic:{topic}:{who}",
        is_public=not is_private,
        by_us=bool(us) and who.lower() == us.lstrip("@").lower(),
        root=str(topic),
        parent=str(post.get("reply_to_post_number") or ""),
        url=f"/t/{post.get('topic_slug') or '-'}/{topic}/{number}",
        names_us=True,
        media=pictures,
    )
    version = int(post.get("version") or 1)
    if version < 2:
        return [("", said)]
    return [
        ("", said),
        ("", Edited(found, _time(post.get("updated_at") or post["created_at"]), text, str(version), who)),
    ]


def _pictures(cooked: str) -> tuple[Media, ...]:
    """Pictures and files of a post; emoji and avatars are none."""
    links: dict[str, tuple[str, str]] = {}
    for tag in _TAG.findall(cooked[:100_000]):
        given = dict(_ATTRIBUTE.findall(tag))
        kinds = set(given.get("class", "").split())
        if tag.startswith("<a") and "attachment" in kinds:
            links[given.get("href", "")] = ("file", "")
        elif tag.startswith("<img") and not kinds & {"emoji", "avatar", "site-icon", "thumbnail"}:
            links[given.get("src", "")] = ("photo", given.get("alt", "")[:100])
    found = [(html.unescape(url), *what) for url, what in links.items() if url.startswith(("https://", "http://", "/"))]
    return tuple(Media(kind, url, name=name) for url, kind, name in found[:MOST_PICTURES])


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value)[:40])
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _key(connection: Connection) -> dict[str, str]:
    return {
        "Api-Key": connection.secrets.get("api_key", ""),
        "Api-Username": connection.handle.lstrip("@"),
        "Accept": "application/json",
    }


def _ok(answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    raise _refused(answer)


def _refused(answer: Answer) -> DeliveryError:
    body = answer.json()
    words = ", ".join(str(one) for one in as_list(body.get("errors")))[:200]
    if answer.status == 403 and body.get("error_type") == "invalid_access":
        return TokenDead(words or "the forum does not accept the key")
    seconds = as_dict(body.get("extras")).get("wait_seconds")
    if answer.status == 429 and isinstance(seconds, int):
        return RetryLater(words or "too many posts", timedelta(seconds=min(max(seconds, 1), 900)))
    return calls.refusal(answer, words)
