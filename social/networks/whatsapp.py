"""WhatsApp by Meta's Cloud API: one telephone number of ours, answered within 24 hours of the person's last word.

Sources: developers.facebook.com/docs/whatsapp/cloud-api (webhooks/components, messages, reference/media, error codes).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.payloads import as_dict, as_list
from social import calls, files
from social.happenings import Author, Batch, Edited, Happening, Media, Removed, Reported, Revoked, Said
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
)
from social.networks import meta
from social.networks.gathering import Gathering, not_json
from social.wording import shortened

LIMIT: Final = 4096
WINDOW: Final = timedelta(hours=24)
_FILES: Final = ("image", "video", "audio", "document", "sticker")
_STATES: Final[Mapping[str, Literal["sent", "delivered", "read"]]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
}
# What people choose several of at once: WhatsApp sends each by itself.
_TOGETHER: Final = frozenset({"image", "video"})
_QUIET: Final = frozenset({"reaction", "system", "request_welcome", "ephemeral"})


class WhatsApp:
    """One number of a business account."""

    name = "whatsapp"
    title = "WhatsApp"
    can = frozenset({"direct"})
    needs: Sequence[Need] = (
        Need("external_id", "Phone number ID", is_secret=False),
        Need("token", "Access token", help_text="Of a system user: it does not end when somebody leaves."),
        Need("app_secret", "App secret", help_text="Signs webhooks."),
        Need("verify_token", "Verify token", help_text="Any word of your own: enter the same one at Meta."),
    )
    polls = False
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
        return read_entries(found, at=at)

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(len(text), LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, len)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None  # answers within the window are free

    def renew(self, connection: Connection) -> Renewed | None:
        return None

    def deep_link(self, outgoing: Outgoing) -> str:
        return f"https://wa.me/{outgoing.person}"

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        raise NeverRetry("WhatsApp cannot be asked: it tells by its webhook")

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        """Files are put there first: nothing was said yet where one is refused."""
        said: list[Mapping[str, Any]] = [{"type": "text", "text": {"body": outgoing.text}}] if outgoing.text else []
        said += [self._file(connection, file) for file in outgoing.files]
        first = ""
        for one in said:
            try:
                sent = self._say(connection, outgoing.person, one)
            except DeliveryError as error:
                # What was said already is not said again for a file's sake.
                if not first:
                    raise
                raise NeverRetry(f"a file did not leave, what came before did: {error.reason}") from error
            first = first or sent
        return Sent(first)

    def _file(self, connection: Connection, file: OutgoingFile) -> Mapping[str, Any]:
        kind = file.content_type.partition("/")[0]
        kind = kind if kind in ("image", "video", "audio") else "document"
        try:
            given = {"id": self._upload(connection, file)}
        except Ambiguous as error:
            raise RetryLater(error.reason) from error
        return {"type": kind, kind: given | ({"filename": file.name} if kind == "document" else {})}

    def _say(self, connection: Connection, person: str, what: Mapping[str, Any]) -> str:
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": person, **what}
        answer = calls.send_json(connection, self._path(connection, "messages"), body, _bearer(connection))
        messages = as_list(meta.ok(answer).get("messages"))
        found = str(as_dict(messages[0]).get("id", "")) if messages else ""
        if not found:
            raise Ambiguous("WhatsApp named no message")
        return found

    def _upload(self, connection: Connection, file: OutgoingFile) -> str:
        fields = {"messaging_product": "whatsapp", "type": file.content_type}
        body, kind = files.multipart([("file", file.name, file.content_type, file.content)], fields)
        headers = {**_bearer(connection), "Content-Type": kind}
        return str(meta.ok(calls.send_bytes(connection, self._path(connection, "media"), body, headers)).get("id", ""))

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        raise CannotTell("WhatsApp does not let its messages be looked up")

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str) -> None:
        raise NeverRetry(f"WhatsApp has no call to {kind}")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        found = meta.ok(calls.get(connection, meta.path(connection, media.id), (), _bearer(connection)))
        url = str(found.get("url", ""))
        # Only Meta's own hosts, or the one that is configured, are shown the token.
        trusted = (urlsplit(url).hostname or "").endswith((".fbsbx.com", ".whatsapp.net", ".facebook.com"))
        headers = _bearer(connection) if trusted or url.startswith(f"{connection.base_url}/") else {}
        return files.fetch(url, media.name, headers)

    def probe(self, connection: Connection) -> Probe:
        asked = [("fields", "display_phone_number,verified_name,quality_rating")]
        found = meta.ok(calls.get(connection, self._path(connection, ""), asked, _bearer(connection)))
        rating = str(found.get("quality_rating", ""))
        detail = "WhatsApp rates the number's quality as low" if rating == "RED" else ""
        return Probe(
            connection.external_id,
            str(found.get("display_phone_number", "")),
            str(found.get("verified_name", "")),
            detail=detail,
        )

    def _path(self, connection: Connection, rest: str) -> str:
        return meta.path(connection, f"{connection.external_id}/{rest}".rstrip("/"))


def read_entries(found: Any, *, at: datetime) -> Batch:
    """Every entry, change, message and status of a delivery. Never raises."""
    gathered = Gathering()
    for entry in as_list(as_dict(found).get("entry")) or [found]:
        for change in as_list(as_dict(entry).get("changes")) or [entry]:
            _read_change(gathered, change, at)
    return gathered.done()


def _read_change(gathered: Gathering, change: Any, at: datetime) -> None:
    value, field = as_dict(as_dict(change).get("value")), str(as_dict(change).get("field", ""))
    number = str(as_dict(value.get("metadata")).get("phone_number_id", ""))
    if field == "account_update":
        gathered.take(change, partial(_account, value, at))
        return
    lists = [(name, as_list(value.get(name))) for name in ("messages", "message_echoes", "statuses")]
    if not any(found for _name, found in lists):
        gathered.take(change, partial(_nothing, change, field))
        return
    names = _names(value)
    for name, found in lists:
        for one in found:
            if name == "statuses":
                gathered.take(one, partial(_status, one, number))
            else:
                gathered.take(one, partial(_message, one, number, names, by_us=name == "message_echoes"))


def _nothing(change: Any, field: str) -> str:
    if not field:
        raise ValueError("this is no delivery of WhatsApp's")
    return f"a change of {field[:60]}"


def _account(value: Mapping[str, Any], at: datetime) -> list[tuple[str, Happening]] | str:
    event = str(value["event"])
    if event in ("ACCOUNT_DELETED", "DISABLED_UPDATE", "PARTNER_REMOVED", "ACCOUNT_OFFBOARDED"):
        return [("", Revoked(at, f"WhatsApp: {event.lower().replace('_', ' ')}"))]
    return f"an account update: {event[:60]}"


def _names(value: Mapping[str, Any]) -> dict[str, str]:
    """Names by telephone number and by the id that stands where people hide their number."""
    found = {}
    for contact in as_list(value.get("contacts")):
        name = str(as_dict(as_dict(contact).get("profile")).get("name", ""))
        for key in ("wa_id", "user_id"):
            if as_dict(contact).get(key):
                found[str(contact[key])] = name
    return found


def _message(
    message: Mapping[str, Any], number: str, names: Mapping[str, str], *, by_us: bool
) -> list[tuple[str, Happening]] | str:
    kind = str(message["type"])
    if kind in _QUIET:
        return f"a {kind}"
    who = str(
        (message.get("to") or message.get("to_user_id")) if by_us else message.get("from") or message["from_user_id"]
    )
    said_at = datetime.fromtimestamp(int(message["timestamp"]), UTC)
    if kind == "revoke":
        return [(number, Removed(str(message["revoke"]["original_message_id"]), said_at, person=who))]
    if kind == "edit":
        changed = as_dict(message["edit"].get("message"))
        original = str(message["edit"]["original_message_id"])
        return [(number, Edited(original, said_at, _words(changed), str(message["id"]), who))]
    said = Said(
        id=str(message["id"]),
        at=said_at,
        author=Author(id=who, handle=f"+{who}" if who.isdigit() else "", name=names.get(who, ""), may_dm=True),
        text=_words(message),
        kind="direct",
        thread=f"chat:{who}",
        is_public=False,
        by_us=by_us,
        root=f"chat:{who}",
        parent=str(as_dict(message.get("context")).get("id") or ""),
        media=_media(message, kind),
        album=f"pictures:{who}" if kind in _TOGETHER and not by_us else "",
        window_ends_at=said_at + WINDOW,
    )
    return [(number, said)]


def _words(message: Mapping[str, Any]) -> str:
    """What was said, whatever kind of message it is."""
    kind = str(message.get("type", ""))
    content = as_dict(message.get(kind))
    if kind == "text":
        return str(content.get("body", ""))
    if kind == "button":
        return str(content.get("text", ""))
    if kind == "interactive":
        chosen = as_dict(content.get(str(content.get("type", ""))))
        return str(chosen.get("title") or chosen.get("body") or chosen.get("response_json") or "")
    if kind == "location":
        where = f"{content.get('latitude')}, {content.get('longitude')}"
        return f"📍 {content.get('name') or ''} {content.get('address') or ''} {where}".replace("  ", " ").strip()
    if kind == "contacts":
        people = [as_dict(as_dict(one).get("name")).get("formatted_name") for one in as_list(message.get("contacts"))]
        return "👤 " + ", ".join(str(name) for name in people if name)
    if kind == "order":
        items = as_list(content.get("product_items"))
        return f"🛒 {len(items)} × {content.get('text') or ''}".strip()
    if kind in _FILES:
        return str(content.get("caption") or "")
    return "[a message that WhatsApp does not pass on]"


def _media(message: Mapping[str, Any], kind: str) -> tuple[Media, ...]:
    content = as_dict(message.get(kind))
    if kind not in _FILES or not content.get("id"):
        return ()
    return (Media(kind, id=str(content["id"]), name=str(content.get("filename") or "")),)


def _status(status: Mapping[str, Any], number: str) -> list[tuple[str, Happening]] | str:
    state = str(status["status"])
    reported_at = datetime.fromtimestamp(int(status["timestamp"]), UTC)
    if state == "failed":
        error = as_dict((as_list(status.get("errors")) or [{}])[0])
        words = f"{error.get('code', '')} {error.get('title') or error.get('message') or ''}".strip()
        return [(number, Reported(str(status["id"]), reported_at, "failed", words))]
    if state not in _STATES:
        return f"a status {state[:40]}"
    return [(number, Reported(str(status["id"]), reported_at, _STATES[state]))]


def _bearer(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Bearer {connection.secrets.get('token', '')}"}
