"""Pages by Telegram: a message with buttons, changed when the page is acknowledged or over."""

from typing import Any

import httpx

from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.safe_text import one_line, storable
from helpdesk.oncall import page_words
from helpdesk.oncall.page_words import say
from helpdesk.oncall.pagers.base import Notice, Sent, headline, label
from helpdesk.oncall.pagers.telegram_calls import BASE_URL, TelegramCalls

LONGEST_TEXT = 4096
ACKNOWLEDGE, PASS_ON = "ack", "pass"
ALL = "all"


class TelegramPager:
    """Writes to `notice.to`, the id of the agent's chat with our bot."""

    name = "telegram"

    def __init__(self, token: str, base_url: str = BASE_URL) -> None:
        self._calls = TelegramCalls(token, base_url)

    @property
    def is_configured(self) -> bool:
        return self._calls.is_configured

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is "chat:message" of the message. Acknowledge and resolve edit that of `provider_ref`."""
        if notice.action != "trigger":
            return await self._edit(client, notice)
        if not notice.to:
            raise NeverRetry("no Telegram chat is linked")
        said = await self._calls.call(client, "sendMessage", {"chat_id": notice.to, **_content(notice)})
        number = said.get("message_id") if isinstance(said, dict) else None
        # A digest stands for several pages: the end of one of them does not change it.
        return Sent(f"{notice.to}:{number}" if isinstance(number, int) and not notice.is_digest else "")

    async def _edit(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        chat, _, number = notice.provider_ref.rpartition(":")
        if not chat or not number.isdigit():
            raise NeverRetry("no Telegram message is known that could be changed")
        body = {"chat_id": chat, "message_id": int(number), **_content(notice)}
        await self._calls.call(client, "editMessageText", body, repeatable=True)
        return Sent(notice.provider_ref)


def _content(notice: Notice) -> dict[str, Any]:
    """Plain text: what customers write is never read as formatting."""
    lines = [_mark(notice) + (one_line(headline(notice), 500) or f"Page {notice.page_id}"), ""]
    lines += [f"• {one_line(reason, 300)}" for reason in notice.reasons[:10]]
    lines += [
        f"{label(key, notice.language)}: {storable(value, 300)}" for key, value in notice.details.items() if value
    ]
    if notice.acknowledged_by:
        lines.append(f"{say(notice.language, page_words.BY)} {one_line(notice.acknowledged_by, 100)}")
    lines += ["", notice.url]
    return {
        "text": "\n".join(lines).strip()[:LONGEST_TEXT],
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": _buttons(notice)},
    }


def _mark(notice: Notice) -> str:
    if notice.action != "trigger":
        return "✅ "
    return "🚨 " if notice.urgency == "high" else "🔔 "


def _buttons(notice: Notice) -> list[list[dict[str, str]]]:
    if notice.action != "trigger":
        return []
    which = ALL if notice.is_digest else str(notice.page_id)
    words = page_words.ACKNOWLEDGE_ALL if notice.is_digest else page_words.ACKNOWLEDGE
    row = [{"text": say(notice.language, words), "callback_data": f"{ACKNOWLEDGE}:{which}"}]
    if notice.urgency == "high" and not notice.is_digest:
        row.append({"text": say(notice.language, page_words.PASS_ON), "callback_data": f"{PASS_ON}:{which}"})
    return [row]
