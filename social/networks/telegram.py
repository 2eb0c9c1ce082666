"""A Telegram bot that customers write to: by long polling, or by a webhook with a secret.

Source: core.telegram.org/bots/api (Update, Message, getUpdates, setWebhook, sendMessage, making requests).
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.provider_calls import Answer
from helpdesk.oncall import telegram_updates
from social import calls, files
from social.happenings import Batch, Media, Unread
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
    TokenDead,
    Unreachable,
    Why,
)
from social.networks.telegram_reading import read_updates
from social.wording import shortened

LIMIT: Final = 4096
CAPTION: Final = 1024
POLL_SECONDS: Final = 3.0
WEBHOOK_SECONDS: Final = 3600.0
PAGE: Final = 100
SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"
_UPDATES: Final = ["message", "edited_message", "callback_query", "my_chat_member"]


class Telegram:
    """One bot. Conversations are kept by bot and chat, never by the person alone."""

    name = "telegram"
    title = "Telegram"
    can = frozenset({"direct"})
    needs: Sequence[Need] = (
        Need("bot_token", "Bot token", help_text="From @BotFather."),
        Need("webhook_secret", "Webhook secret", is_required=False, help_text="Empty: updates are asked for instead."),
    )
    polls = True
    forgets_deleted = False

    def is_genuine(self, connection: Connection, body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
        secret, given = connection.secrets.get("webhook_secret", ""), headers.get(SECRET_HEADER, "")
        return bool(secret and given) and hmac.compare_digest(secret.encode(), given.encode())

    def challenge(self, connection: Connection, query: Mapping[str, str]) -> str | None:
        return None

    def read(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Batch:
        update = telegram_updates.read(body)
        if update is None:
            return Batch(unread=(Unread("not a JSON object", body.decode("utf-8", "replace")),))
        return read_updates([update])

    def count(self, text: str, *, is_public: bool) -> Count:
        return Count(_length(text), LIMIT)

    def fit(self, text: str, link: str) -> str:
        return shortened(text, link, LIMIT, _length)

    def costs(self, call: str, text: str = "") -> Cost | None:
        return None

    def renew(self, connection: Connection) -> Renewed | None:
        return None

    def deep_link(self, outgoing: Outgoing) -> str:
        return f"tg://user?id={outgoing.person}"

    def poll(self, connection: Connection, cursor: Mapping[str, Any], *, at: datetime) -> Polled:
        if _has_webhook(connection):
            return Polled(Batch(), dict(cursor), WEBHOOK_SECONDS)
        offset = int(cursor.get("offset", 0))
        body = {"offset": offset, "limit": PAGE, "timeout": 0, "allowed_updates": _UPDATES}
        found = _call(connection, "getUpdates", body, repeatable=True)
        updates = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        numbers = [one["update_id"] for one in updates if isinstance(one.get("update_id"), int)]
        others = tuple(one for one in updates if telegram_updates.concerns(one))
        cursor = {"offset": max([offset, *(number + 1 for number in numbers)])}
        return Polled(read_updates(updates), cursor, 0.0 if len(updates) == PAGE else POLL_SECONDS, others)

    def send(self, connection: Connection, outgoing: Outgoing) -> Sent:
        chat = outgoing.person
        said: Any = None
        caption = outgoing.text if outgoing.files and len(outgoing.text) <= CAPTION else ""
        if outgoing.text and not caption:
            said = _call(connection, "sendMessage", {"chat_id": chat, "text": outgoing.text})
        for place, file in enumerate(outgoing.files):
            try:
                sent = self._upload(connection, chat, file, caption if place == 0 else "")
            except DeliveryError as error:
                if said is None:
                    raise
                # The words are there already: the whole must not be said again.
                raise NeverRetry(f"the text arrived, {file.name} did not: {error.reason}") from error
            said = said or sent
        number = said.get("message_id") if isinstance(said, dict) else None
        if number is None:
            raise Ambiguous("Telegram named no message")
        return Sent(f"{chat}:{number}")

    def _upload(self, connection: Connection, chat: str, file: OutgoingFile, caption: str) -> Any:
        is_photo = file.content_type in ("image/jpeg", "image/png") and len(file.content) <= 10_000_000
        method, field = ("sendPhoto", "photo") if is_photo else ("sendDocument", "document")
        fields = {"chat_id": chat} | ({"caption": caption} if caption else {})
        body, kind = files.multipart([(field, file.name, file.content_type, file.content)], fields)
        return _result(calls.send_bytes(connection, _path(connection, method), body, {"Content-Type": kind}))

    def find(self, connection: Connection, outgoing: Outgoing) -> Sent | None:
        raise CannotTell("a bot cannot read what it has said")

    def moderate(self, connection: Connection, kind: str, *, post: str, person: str, why: Why) -> None:
        raise NeverRetry(f"Telegram has no call to {kind}")

    def fetch(self, connection: Connection, media: Media) -> tuple[str, bytes]:
        """Files lie below an address that holds the bot's token: it is built here, and never kept."""
        found = _call(connection, "getFile", {"file_id": media.id}, repeatable=True)
        path = str(found.get("file_path", "")) if isinstance(found, dict) else ""
        if not path or ".." in path:
            raise NeverRetry("Telegram names no file")
        token = connection.secrets.get("bot_token", "")
        answer = calls.get(connection, f"/file/bot{token}/{path}")
        if answer.status != 200:
            raise NeverRetry(f"Telegram gave no file: {answer.status}")
        return media.name or path.rpartition("/")[2], answer.body

    def probe(self, connection: Connection) -> Probe:
        me = _call(connection, "getMe", {}, repeatable=True)
        info = _call(connection, "getWebhookInfo", {}, repeatable=True)
        if not isinstance(me, dict) or not isinstance(info, dict):
            raise NeverRetry("what answers there does not speak Telegram's Bot API")
        self._settle_webhook(connection, str(info.get("url", "")))
        trouble = info.get("last_error_message") if _has_webhook(connection) else ""
        return Probe(
            str(me.get("id", "")),
            f"@{me.get('username', '')}",
            str(me.get("first_name", "")),
            detail=str(trouble or ""),
        )

    def _settle_webhook(self, connection: Connection, url: str) -> None:
        """Told or asked: never both, or Telegram answers neither."""
        wanted = f"{settings.PUBLIC_URL}/hooks/telegram/" if _has_webhook(connection) else ""
        if url == wanted:
            return
        if not wanted:
            _call(connection, "deleteWebhook", {}, repeatable=True)
            return
        body = {"url": wanted, "secret_token": connection.secrets["webhook_secret"], "allowed_updates": _UPDATES}
        _call(connection, "setWebhook", body, repeatable=True)


def _length(text: str) -> int:
    """Counted in UTF-16, as its entities are."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _has_webhook(connection: Connection) -> bool:
    """Telegram calls https addresses only; elsewhere updates are asked for."""
    return bool(connection.secrets.get("webhook_secret")) and settings.PUBLIC_URL.startswith("https://")


def _path(connection: Connection, method: str) -> str:
    return f"/bot{connection.secrets.get('bot_token', '')}/{method}"


def _call(connection: Connection, method: str, body: Mapping[str, Any], *, repeatable: bool = False) -> Any:
    try:
        return _result(calls.send_json(connection, _path(connection, method), body))
    except Ambiguous as error:
        if repeatable:
            raise RetryLater(error.reason) from error
        raise


def _result(answer: Answer) -> Any:
    body = answer.json()
    if answer.status == 200 and body.get("ok") is True:
        return body.get("result")
    raise _refused(answer, body)


def _refused(answer: Answer, body: Mapping[str, Any]) -> DeliveryError:
    words = str(body.get("description", ""))[:200]
    if answer.status in (401, 404):
        return TokenDead(words or "Telegram does not know this bot")
    if answer.status == 403:
        return Unreachable(words or "the person has blocked the bot")
    if answer.status == 409:
        return RetryLater(words or "somebody else asks for this bot's updates", timedelta(seconds=30))
    parameters = body.get("parameters")
    if answer.status == 429 and isinstance(parameters, dict) and isinstance(parameters.get("retry_after"), int):
        return calls.refusal(answer, words, wait=timedelta(seconds=min(parameters["retry_after"], 900)))
    return calls.refusal(answer, words)
