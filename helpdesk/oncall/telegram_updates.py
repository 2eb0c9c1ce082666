"""What agents tell our Telegram bot: the code that links their chat, and the buttons under a page.

The bot is customers' as well: `concerns` says of an update, without looking anything up, whether it is ours to read.
https://core.telegram.org/bots/api#update
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction

from helpdesk.events import hooks
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event, Hook
from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.payloads import UnreadablePayload, as_dict, json_object
from helpdesk.events.provider_calls import provider_client
from helpdesk.events.safe_text import one_line
from helpdesk.oncall import answering, linking, page_words
from helpdesk.oncall.models import AgentAddress, Page
from helpdesk.oncall.page_words import say
from helpdesk.oncall.pagers.telegram import ACKNOWLEDGE, ALL, PASS_ON
from helpdesk.oncall.pagers.telegram_calls import TelegramCalls

PROVIDER: Final = "telegram"
_START: Final = re.compile(rf"/start(?:@\w{{1,64}})?\s+({linking.TELEGRAM_PREFIX}[\w-]{{1,64}})\s*", re.ASCII)
_NAME: Final = re.compile(r"\w{3,64}", re.ASCII)
_BUTTON: Final = re.compile(rf"({ACKNOWLEDGE}|{PASS_ON}):({ALL}|[0-9]{{1,19}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A call of the Bot API that answers what was said."""

    method: str
    body: Mapping[str, Any]


def concerns(update: Mapping[str, Any]) -> bool:
    """Whether it is an agent's code or a button under a page; everything else is for the customers' channel."""
    return bool(_code(update) or _pressed(update))


def hear(update: Mapping[str, Any], *, at: datetime) -> Reply | None:
    """Do what an update asks of on-call; what to answer, None where it does not concern us. Twice does no harm."""
    pressed = _pressed(update)
    if pressed is not None:
        query = as_dict(update.get("callback_query"))
        sender = as_dict(query.get("from"))
        words = _answered(str(sender.get("id", "")), _spoken(sender), *pressed, at=at)
        return Reply("answerCallbackQuery", {"callback_query_id": str(query.get("id")), "text": words})
    code = _code(update)
    return None if code is None else _linked(update, code, at)


def _answered(chat: str, language: str, what: str, which: str, *, at: datetime) -> str:
    # A private chat's id is the person's own, so whoever else sees a forwarded message cannot answer it.
    who = answering.at_address(AgentAddress.Kind.TELEGRAM, chat, "Telegram")
    if who is None:
        return say(language, page_words.NOT_LINKED)
    language = who.user.language
    if which == ALL:
        return say(language, page_words.ALL_YOURS, count=len(answering.acknowledge_all(who, at=at)))
    change = answering.acknowledge if what == ACKNOWLEDGE else answering.pass_on
    page = change(int(which), who, at=at)
    if page is None:
        return say(language, page_words.NOT_THERE)
    if page.state == Page.State.TRIGGERED:
        return say(language, page_words.CALLING_NEXT)
    if page.state == Page.State.RESOLVED:
        return say(language, page_words.OVER)
    by = page.acknowledged_by.name if page.acknowledged_by else page.acknowledged_via
    return f"{say(language, page_words.BY)} {one_line(by, 100)}."


def _linked(update: Mapping[str, Any], code: str, at: datetime) -> Reply:
    message = as_dict(update.get("message"))
    chat, sender = as_dict(message.get("chat")), as_dict(message.get("from"))
    number = str(chat.get("id", ""))
    if chat.get("type") != "private" or number != str(sender.get("id", "")):
        return _said(number, say(_spoken(sender), page_words.NOT_PRIVATE))
    name = sender.get("username") or sender.get("first_name")
    user = linking.confirm_telegram(code, number, name if isinstance(name, str) else "", at=at)
    if user is not None:
        return _said(number, say(user.language, page_words.LINKED, who=user.name))
    known = linking.agent_at(AgentAddress.Kind.TELEGRAM, number)
    if known is not None:
        return _said(number, say(known.language, page_words.LINKED_ALREADY))
    return _said(number, say(_spoken(sender), page_words.CODE_TOO_OLD))


def _said(chat: str, words: str) -> Reply:
    return Reply("sendMessage", {"chat_id": chat, "text": words})


def _spoken(sender: Mapping[str, Any]) -> str:
    """The language of somebody's Telegram ("pt-br" is "pt"), for whom we know no better."""
    code = sender.get("language_code")
    return code.partition("-")[0] if isinstance(code, str) else ""


def keep(update: Mapping[str, Any], *, at: datetime) -> None:
    """Keep an update that a poll has fetched and that `concerns` us; it is worked on once, by `apply`."""
    raw = json.dumps(update).encode()
    number = update.get("update_id")
    name = str(number) if isinstance(number, int) else hooks.digest_id(raw)
    hooks.store(PROVIDER, name, raw, {}, at=at)


@outside
def apply(event: Event, at: datetime) -> None:
    """A stored update of the bot's; what does not concern on-call is left to whoever it concerns."""
    hook = Hook.objects.get(pk=event.data["hook"])
    update = read(bytes(hook.body))
    if update is None or not concerns(update):
        return
    with transaction.atomic():
        reply = hear(update, at=at)
        if hook.provider == PROVIDER:
            hooks.finish(hook)
    if reply is not None:
        async_to_sync(_say)(reply)


def bot_name() -> str:
    """What our bot is called in Telegram, "" where it does not say. Raises a DeliveryError."""
    said = async_to_sync(_who_we_are)()
    name = as_dict(said).get("username")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""


async def _who_we_are() -> Any:
    async with provider_client() as client:
        return await TelegramCalls(settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL).call(
            client, "getMe", {}, repeatable=True
        )


async def _say(reply: Reply) -> None:
    """A query too old to be answered is no harm: the page itself shows what became of it."""
    calls = TelegramCalls(settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL)
    if not calls.is_configured:
        return
    async with provider_client() as client:
        try:
            await calls.call(client, reply.method, reply.body, repeatable=True)
        except RetryLater:
            raise
        except DeliveryError:
            return


def read(raw: bytes) -> dict[str, Any] | None:
    """The update as JSON, None for anything else."""
    try:
        return json_object(raw)
    except UnreadablePayload:
        return None


def _code(update: Mapping[str, Any]) -> str | None:
    text = as_dict(update.get("message")).get("text")
    found = _START.fullmatch(text) if isinstance(text, str) and len(text) < 300 else None
    return found.group(1) if found else None


def _pressed(update: Mapping[str, Any]) -> tuple[str, str] | None:
    data = as_dict(update.get("callback_query")).get("data")
    found = _BUTTON.fullmatch(data) if isinstance(data, str) and len(data) <= 64 else None
    return (found.group(1), found.group(2)) if found else None
