"""Slack's Web API: one call, its errors classed, and text made fit for its messages.

https://docs.slack.dev/apis/web-api, rate limits and errors as documented there. Slack has no idempotency key: whether a
lost answer is Ambiguous depends on what was asked, which the caller says.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import httpx

from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater, asked_wait
from helpdesk.events.provider_calls import LARGEST_ANSWER, Answer, get_json, post_json
from helpdesk.events.safe_text import one_line

BASE_URL = "https://slack.com/api/"
RATE_WAIT = timedelta(seconds=30)
_TEMPORARY = {"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"}
# Slack says of these that some part of the operation may have succeeded before the error.
_UNCLEAR = {"fatal_error", "internal_error"}


class SlackCalls:
    """Calls with one bot's token."""

    def __init__(self, token: str, base_url: str = BASE_URL) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/") + "/"

    @property
    def is_configured(self) -> bool:
        return bool(self._token)

    async def post(
        self, client: httpx.AsyncClient, method: str, body: Mapping[str, Any], *, repeatable: bool = False
    ) -> dict[str, Any]:
        """Slack's answer if it says ok, else the classed error; `repeatable` when doing it twice does no harm."""
        try:
            answer = await post_json(client, self._base_url + method, body, self._authorization())
        except Ambiguous as error:
            if repeatable:
                raise RetryLater(error.reason) from error
            raise
        return self.ok(answer, repeatable=repeatable)

    async def get(
        self,
        client: httpx.AsyncClient,
        method: str,
        parameters: Sequence[tuple[str, str]],
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """What Slack answers, whatever it is. Raises RetryLater and NeverRetry as `get_json` does."""
        return await get_json(client, self._base_url + method, parameters, self._authorization(), largest)

    def ok(self, answer: Answer, *, repeatable: bool) -> dict[str, Any]:
        """The answer's body if it says ok, else the classed error."""
        said = answer.json()
        if answer.status == 200 and said.get("ok") is True:
            return said
        error = said.get("error")
        code = error if isinstance(error, str) else ""
        reason = f"Slack answered {answer.status}: {one_line(code, 100) or answer.excerpt()}".replace(
            self._token, "***"
        )
        _raise_classed(answer, code, reason, repeatable)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def _raise_classed(answer: Answer, code: str, reason: str, repeatable: bool) -> NoReturn:
    if answer.status == 429 or code in _TEMPORARY:
        raise RetryLater(reason, asked_wait(answer.headers, RATE_WAIT))
    if answer.status in (408, 503):
        raise RetryLater(reason, asked_wait(answer.headers))
    if answer.status >= 500 or code in _UNCLEAR:
        raise RetryLater(reason) if repeatable else Ambiguous(reason)
    # channel_not_found, not_in_channel, invalid_auth, message_not_found …, or not Slack at all: wrong base URL.
    raise NeverRetry(reason)


def not_looked(answer: Answer, said: Mapping[str, Any]) -> str:
    """For the operator: what is missing, above all a scope (`channels:history`, `groups:history` if private)."""
    error, needed = said.get("error"), said.get("needed")
    why = one_line(error, 100) if isinstance(error, str) else f"status {answer.status}"
    if isinstance(needed, str):
        why += f", needed: {one_line(needed, 200)}"
    return f"sent again without looking whether it had arrived: {why}"


def next_cursor(said: Mapping[str, Any]) -> str:
    """Where the next page of a list begins, "" behind the last one."""
    more = said.get("response_metadata")
    cursor = more.get("next_cursor") if isinstance(more, dict) else None
    return cursor if isinstance(cursor, str) else ""


def ts_of_ours(messages: Any, metadata: Mapping[str, Any]) -> str:
    """The `ts` of the message that carries this metadata of ours, "" where there is none."""
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict) or not isinstance(message.get("metadata"), dict):
            continue
        found, ts = message["metadata"], message.get("ts")
        if isinstance(ts, str) and {key: found.get(key) for key in metadata} == dict(metadata):
            return ts
    return ""


def escaped(text: str) -> str:
    """Slack's three escapes; they also disarm <!channel>, <@user> and disguised links in a customer's words."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
