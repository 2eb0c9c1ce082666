"""Telegram's Bot API: one call, its errors classed. https://core.telegram.org/bots/api

The bot's token stands in the URL, so no reason may quote one. There is no idempotency key.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn

import httpx

from helpdesk.events.outcomes import LONGEST_WAIT, Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.provider_calls import Answer, post_json
from helpdesk.events.safe_text import one_line

BASE_URL: Final = "https://api.telegram.org"
RATE_WAIT: Final = timedelta(seconds=5)
# An edit that changes nothing has happened before.
_NOT_MODIFIED: Final = "message is not modified"


class TelegramCalls:
    """Calls as one bot."""

    def __init__(self, token: str, base_url: str = BASE_URL) -> None:
        self._token, self._base_url = token, base_url.rstrip("/")

    @property
    def is_configured(self) -> bool:
        return bool(self._token)

    async def call(
        self, client: httpx.AsyncClient, method: str, body: Mapping[str, Any], *, repeatable: bool = False
    ) -> Any:
        """The `result` of a method; True where an edit had nothing to change. `repeatable` when doing it twice does no
        harm. Raises a DeliveryError.
        """
        try:
            answer = await post_json(client, f"{self._base_url}/bot{self._token}/{method}", body)
        except DeliveryError as error:
            reason = self._hidden(error.reason)
            if isinstance(error, Ambiguous) and not repeatable:
                raise Ambiguous(reason) from None
            raise (NeverRetry(reason) if isinstance(error, NeverRetry) else RetryLater(reason)) from None
        said = answer.json()
        if answer.status == 200 and said.get("ok") is True:
            return said.get("result")
        return self._refused(answer, said, repeatable)

    def _refused(self, answer: Answer, said: Mapping[str, Any], repeatable: bool) -> bool:
        told = said.get("description")
        words = one_line(told, 200) if isinstance(told, str) else answer.excerpt()
        if answer.status == 400 and _NOT_MODIFIED in words:
            return True
        self._raise_classed(answer, said, self._hidden(f"Telegram answered {answer.status}: {words}"), repeatable)

    def _raise_classed(self, answer: Answer, said: Mapping[str, Any], reason: str, repeatable: bool) -> NoReturn:
        if answer.status == 429:
            parameters = said.get("parameters")
            wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
            known = isinstance(wait, int) and not isinstance(wait, bool) and 0 <= wait < 10**6
            raise RetryLater(reason, min(timedelta(seconds=wait), LONGEST_WAIT) if known and wait else RATE_WAIT)
        if answer.status >= 500:
            raise RetryLater(reason) if repeatable else Ambiguous(reason)
        raise NeverRetry(reason)

    def _hidden(self, reason: str) -> str:
        return reason.replace(self._token, "***")
