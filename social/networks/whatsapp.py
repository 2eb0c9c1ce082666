"""WhatsApp by Meta's Cloud API: one telephone number of ours, answered within 24 hours of the person's last word.

Sources: developers.facebook.com/docs/whatsapp/cloud-api (webhooks/components, messages, reference/media, error codes).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
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
)
from social.networks import meta
from social.networks.gathering import not_json
from social.networks.whatsapp_reading import read_entries
from social.wording import shortened

LIMIT: Final = 4096


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

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
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


def _bearer(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Bearer {connection.secrets.get('token', '')}"}
