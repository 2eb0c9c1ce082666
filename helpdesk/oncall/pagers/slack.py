"""Slack: one message per page with an Acknowledge button, edited when the page is acknowledged or resolved.

https://docs.slack.dev/reference/methods: chat.postMessage, chat.update and conversations.history; limits of Block Kit
as documented there.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line, storable
from helpdesk.oncall.pagers.base import Notice, Sent, headline, label
from helpdesk.oncall.pagers.slack_calls import BASE_URL, SlackCalls, escaped, next_cursor, not_looked, ts_of_ours

ACKNOWLEDGE_ACTION = "acknowledge_page"
_EVENT_TYPE = "helpdesk_page"
_PAGES_OF_HISTORY = 3
# Looking and posting together must end within a delivery's lease.
_LOOK_SECONDS = 10.0
_LARGEST_HISTORY = 2 * 1024 * 1024  # bytes
# How far Slack's clock may be behind ours.
_SKEW = timedelta(minutes=1)


class SlackPager:
    """Posts to `notice.to`, or to the default channel when that is empty.

    Slack has no idempotency key: a lost answer to a new message is Ambiguous, a lost answer to an edit is not. So the
    message carries metadata of ours, and before a call is repeated the channel's history is searched for them.
    """

    name = "slack"

    def __init__(self, token: str, default_channel: str = "", base_url: str = BASE_URL) -> None:
        self._calls = SlackCalls(token, base_url)
        self._default_channel = default_channel

    @property
    def is_configured(self) -> bool:
        return self._calls.is_configured

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is "channel:ts" of the message. Acknowledge and resolve edit that of `provider_ref`."""
        if notice.action == "trigger":
            return await self._post(client, notice)
        return await self._update(client, notice)

    async def _post(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        channel = notice.to or self._default_channel
        if not channel:
            raise NeverRetry("no Slack channel is named, neither for this step nor as SLACK_CHANNEL")
        remark = ""
        if notice.tried_since is not None:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    found, remark = await self._find(client, channel, notice, notice.tried_since)
            except TimeoutError as error:
                raise RetryLater("Slack's history took too long to read") from error
            if found:
                return Sent(f"{channel}:{found}")
        body = {"channel": channel, "metadata": _metadata(notice), **_content(notice)}
        said = await self._calls.post(client, "chat.postMessage", body)
        posted_to, ts = said.get("channel"), said.get("ts")
        return Sent(f"{posted_to}:{ts}" if isinstance(posted_to, str) and isinstance(ts, str) else "", remark)

    async def _find(self, client: httpx.AsyncClient, channel: str, notice: Notice, since: datetime) -> tuple[str, str]:
        """The `ts` of this very message in the channel, "" where there is none; and why we could not look, if so.

        Raises RetryLater where Slack does not answer: then posting would not succeed either. Where it answers that we
        may not look, the page matters more than a second message.
        """
        cursor = ""
        for _ in range(_PAGES_OF_HISTORY):
            parameters = [
                *(("channel", channel), ("oldest", f"{(since - _SKEW).timestamp():.6f}"), ("limit", "100")),
                *(("include_all_metadata", "true"), ("cursor", cursor)),
            ]
            answer = await self._calls.get(client, "conversations.history", parameters, _LARGEST_HISTORY)
            said = answer.json()
            if answer.status >= 500:
                raise RetryLater(f"Slack answered {answer.status} when asked for what was sent before")
            if answer.status != 200 or said.get("ok") is not True:
                return "", not_looked(answer, said)
            found = ts_of_ours(said.get("messages"), _metadata(notice))
            if found:
                return found, ""
            cursor = next_cursor(said)
            if not cursor:
                return "", ""
        return "", f"sent again: not found among the newest {100 * _PAGES_OF_HISTORY} messages of the channel"

    async def _update(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        channel, _, ts = notice.provider_ref.partition(":")
        if not channel or not ts:
            raise NeverRetry("no Slack message is known that could be updated")
        body = {"channel": channel, "ts": ts, **_content(notice)}
        await self._calls.post(client, "chat.update", body, repeatable=True)
        return Sent(notice.provider_ref)


def _metadata(notice: Notice) -> dict[str, Any]:
    """What tells this message from every other: the URL is that of this installation.

    https://docs.slack.dev/messaging/message-metadata; edits without metadata leave them as they are.
    """
    return {"event_type": _EVENT_TYPE, "event_payload": _payload(notice)}


def _payload(notice: Notice) -> dict[str, Any]:
    return {"page": notice.page_id, "round": notice.round, "url": one_line(notice.url, 500)}


def _content(notice: Notice) -> dict[str, Any]:
    title = one_line(headline(notice), 3000) or f"Page {notice.page_id}"
    return {
        # What phones show in the notification, and all there is where blocks cannot be shown.
        "text": escaped(title),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": one_line(_mark(notice) + title, 150)}},
            *_facts(notice),
            *_notes(notice),
            *_buttons(notice),
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _mark(notice: Notice) -> str:
    if notice.action != "trigger":
        return "✅ "
    return "🚨 " if notice.urgency == "high" else "🔔 "


def _facts(notice: Notice) -> list[dict[str, Any]]:
    facts = [(label(key), value) for key, value in notice.details.items() if value][:10]
    if not facts:
        return []
    fields = [{"type": "mrkdwn", "text": f"*{escaped(one_line(k, 100))}*\n{_fact(v)}"} for k, v in facts]
    return [{"type": "section", "fields": fields}]


def _fact(value: str) -> str:
    return escaped(storable(value, 300))


def _notes(notice: Notice) -> list[dict[str, Any]]:
    notes = [one_line(reason, 300) for reason in notice.reasons[:10]]
    if notice.recipient_name and notice.action == "trigger":
        notes.append(f"On call: {one_line(notice.recipient_name, 100)}")
    if notice.acknowledged_by:
        notes.append(f"Acknowledged by {one_line(notice.acknowledged_by, 100)}")
    # Ten elements at most in one context block.
    elements = [{"type": "mrkdwn", "text": escaped(note)} for note in notes[-10:] if note]
    return [{"type": "context", "elements": elements}] if elements else []


def _buttons(notice: Notice) -> list[dict[str, Any]]:
    buttons: list[dict[str, Any]] = []
    if notice.action == "trigger":
        buttons.append(
            {
                "type": "button",
                "style": "primary",
                "text": {"type": "plain_text", "text": "Acknowledge"},
                "action_id": ACKNOWLEDGE_ACTION,
                "value": str(notice.page_id),
            }
        )
    # Slack refuses the whole message for one bad URL, and the page matters more than the link.
    if notice.url.startswith(("https://", "http://")) and len(notice.url) <= 3000:
        buttons.append(
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Open"},
                "action_id": "open_conversation",
                "url": notice.url,
            }
        )
    return [{"type": "actions", "elements": buttons}] if buttons else []
