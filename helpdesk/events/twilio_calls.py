"""Twilio's REST API, version 2010-04-01: one call, its errors classed. https://www.twilio.com/docs/usage/api

There is no idempotency key: a lost answer to a new message or call is Ambiguous, and so is a fault of the server's.
"""

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn

import httpx

from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater, asked_wait
from helpdesk.events.provider_calls import Answer, get_json, post_form
from helpdesk.events.safe_text import one_line

BASE_URL: Final = "https://api.twilio.com"
RATE_WAIT: Final = timedelta(seconds=5)
OPTED_OUT: Final = 21610
LARGEST_LIST: Final = 1024 * 1024  # bytes
# https://www.twilio.com/docs/api/errors; the words of those that agents can do something about.
_WORDS: Final = {
    20003: "the account SID or token is wrong",
    20429: "too many requests",
    21211: "this is not a phone number",
    21214: "this number cannot be called",
    21219: "a trial account reaches verified numbers only",
    21408: "messages to this country are not allowed by the account",
    OPTED_OUT: "they have opted out of text messages (STOP)",
    21612: "this number cannot be reached from ours",
    21614: "this is not a mobile number",
    21617: "the text is too long",
    30001: "Twilio's queue was full",
    30002: "the account is suspended",
    30003: "the phone is switched off or out of reach",
    30004: "the message was blocked by the receiver or their network",
    30005: "nobody has this number",
    30006: "a landline, or a network that takes no text messages",
    30007: "the network filtered it as spam",
    30008: "the network did not say why",
    30032: "the toll-free number is not verified",
    30034: "the number is not registered for text messages to the United States (A2P 10DLC)",
}


class TwilioRefused(NeverRetry):
    """Twilio will not do it; `code` is its own number for the reason, 0 where it gave none."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.code = code


class TwilioCalls:
    """Calls for one account."""

    def __init__(self, account_sid: str, auth_token: str, base_url: str = BASE_URL) -> None:
        self._account_sid, self._auth_token = account_sid, auth_token
        self._account = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}"

    @property
    def is_configured(self) -> bool:
        return bool(self._account_sid and self._auth_token)

    async def create(self, client: httpx.AsyncClient, what: str, form: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """POST to "Messages" or "Calls"; the new resource, whose `sid` is there. Raises a DeliveryError."""
        answer = await post_form(client, f"{self._account}/{what}.json", form, self.authorization())
        said = answer.json()
        if answer.status in (200, 201) and isinstance(said.get("sid"), str):
            return said
        self._raise_classed(answer, said, is_new=True)

    async def get(
        self, client: httpx.AsyncClient, path: str = "", parameters: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any]:
        """A resource or list of the account, "" for the account itself. Raises RetryLater, TwilioRefused."""
        url = f"{self._account}/{path}.json" if path else f"{self._account}.json"
        answer = await get_json(client, url, parameters, self.authorization(), LARGEST_LIST)
        said = answer.json()
        if answer.status == 200 and said:
            return said
        self._raise_classed(answer, said, is_new=False)

    def address(self, path: str) -> str:
        """Where a file of the account lies."""
        return f"{self._account}/{path}"

    def authorization(self) -> dict[str, str]:
        pair = f"{self._account_sid}:{self._auth_token}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _raise_classed(self, answer: Answer, said: dict[str, Any], *, is_new: bool) -> NoReturn:
        found = said.get("code")
        code = found if isinstance(found, int) and not isinstance(found, bool) else 0
        told = said.get("message")
        words = explained(code, one_line(told, 200) if isinstance(told, str) else answer.excerpt())
        reason = f"Twilio answered {answer.status}: {words}".replace(self._auth_token, "***")
        if answer.status == 429 or code == 20429:
            raise RetryLater(reason, asked_wait(answer.headers, RATE_WAIT))
        if answer.status in (408, 503):
            raise RetryLater(reason, asked_wait(answer.headers))
        if answer.status >= 500 or answer.status < 400:
            raise Ambiguous(reason) if is_new else RetryLater(reason)
        raise TwilioRefused(reason, code)


def explained(code: int, otherwise: str = "") -> str:
    """What an error of Twilio's means: our words for those we know, its own for the others, and its number."""
    words = _WORDS.get(code) or otherwise
    if not code:
        return words
    return f"{words} ({code})" if words else f"error {code}"
