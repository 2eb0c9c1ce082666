"""One message of a chat's thread in Slack, posted once as far as Slack can tell.

Slack has no idempotency key: each message carries metadata of ours (which chat, what was told before it, and up to
where it tells), and after a call whose end is not known the thread is searched for them.
https://docs.slack.dev/reference/methods: chat.postMessage, conversations.history, conversations.replies.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from django.conf import settings

from chat.models import SlackThread
from helpdesk.events.outcomes import Ambiguous, RetryLater
from helpdesk.events.provider_calls import provider_client
from helpdesk.oncall.pagers.slack_calls import SlackCalls, next_cursor

logger = logging.getLogger(__name__)

EVENT_TYPE: Final = "helpdesk_chat"
SKEW: Final = timedelta(minutes=1)
PAGES_OF_HISTORY: Final = 3
LARGEST_HISTORY: Final = 2 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """Where it stands, and up to which event of the conversation it tells."""

    channel: str
    ts: str
    upto: int


def calls() -> SlackCalls:
    """Slack as the settings have it."""
    return SlackCalls(settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL)


async def post(thread: SlackThread, content: Mapping[str, Any], upto: int, since: datetime | None) -> Posted:
    """Post, unless what was tried `since` turns out to have arrived. Raises a DeliveryError."""
    payload = {"chat": thread.pk, "after": thread.told_upto, "url": settings.PUBLIC_URL}
    channel = thread.channel or settings.SLACK_CHANNEL
    async with provider_client() as client:
        if since is not None:
            found = await _find(client, thread, channel, payload, since)
            if found is not None:
                return found
        body = {
            **content,
            **({"thread_ts": thread.ts} if thread.ts else {}),
            "channel": channel,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {**payload, "upto": upto}},
        }
        said = await calls().post(client, "chat.postMessage", body)
    posted_to, ts = said.get("channel"), said.get("ts")
    if not isinstance(posted_to, str) or not isinstance(ts, str) or not ts:
        raise Ambiguous("Slack did not say where the message stands")
    return Posted(posted_to, ts, upto)


async def _find(
    client: httpx.AsyncClient, thread: SlackThread, channel: str, payload: Mapping[str, Any], since: datetime
) -> Posted | None:
    """What an earlier try left; None where nothing is found or we may not look."""
    method = "conversations.replies" if thread.ts else "conversations.history"
    within = [("ts", thread.ts)] if thread.ts else []
    cursor = ""
    for _page in range(PAGES_OF_HISTORY):
        asked = [
            *(("channel", channel), *within, ("oldest", f"{(since - SKEW).timestamp():.6f}"), ("limit", "100")),
            *(("include_all_metadata", "true"), ("cursor", cursor)),
        ]
        answer = await calls().get(client, method, asked, LARGEST_HISTORY)
        said = answer.json()
        if answer.status >= 500 or answer.status == 429:
            raise RetryLater(f"Slack answered {answer.status} when asked for what was sent before")
        if said.get("ok") is not True:
            logger.warning("Slack does not let us look whether a message had arrived: %s", said.get("error"))
            return None
        found = _ours(said.get("messages"), payload)
        if found is not None:
            return Posted(channel, *found)
        cursor = next_cursor(said)
        if not cursor:
            return None
    return None


def _ours(messages: Any, payload: Mapping[str, Any]) -> tuple[str, int] | None:
    """`ts` and end of the message that carries this payload."""
    for message in messages if isinstance(messages, list) else []:
        metadata = message.get("metadata") if isinstance(message, dict) else None
        told = metadata.get("event_payload") if isinstance(metadata, dict) else None
        if not isinstance(told, dict) or {key: told.get(key) for key in payload} != dict(payload):
            continue
        ts, upto = message.get("ts"), told.get("upto")
        if isinstance(ts, str) and isinstance(upto, int):
            return ts, upto
    return None
