"""Calling webhooks side by side, through the guard for addresses that people typed in."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
from django.conf import settings

from helpdesk.events.outcomes import NeverRetry, RetryLater, asked_wait
from helpdesk.events.outgoing import check_url, guarded_client, networks
from helpdesk.events.safe_text import one_line, storable

TOTAL_SECONDS = 10.0
LONGEST_RESPONSE = 2_000
_AGENT = "Helpdesk-Webhooks/1 (Standard Webhooks)"


@dataclass(frozen=True, slots=True)
class Call:
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: a status and the beginning of its text, or an error. `is_final` ones are not tried again;
    `after` is how long the receiver asked us to wait.
    """

    status: int | None = None
    text: str = ""
    error: str = ""
    is_final: bool = False
    after: timedelta | None = None
    milliseconds: int | None = None

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def check(url: str) -> None:
    """Refuse an address that would never be called. A name that does not resolve now may do so later.

    Blocks on DNS. Raises RefusedTarget.
    """
    try:
        check_url(url, allowed=networks(settings.WEBHOOK_ALLOW_PRIVATE))
    except RetryLater:
        return


def call_all(calls: Sequence[Call | Answer], total_seconds: float = TOTAL_SECONDS) -> list[Answer]:
    """One answer a call, in their order; what is answered already is passed on. Ends after `total_seconds`."""
    return asyncio.run(_call_all(calls, total_seconds))


async def _call_all(calls: Sequence[Call | Answer], total_seconds: float) -> list[Answer]:
    allowed = networks(settings.WEBHOOK_ALLOW_PRIVATE)
    async with guarded_client(allowed=allowed, total_seconds=total_seconds) as client:
        return list(await asyncio.gather(*(_answer(client, call) for call in calls)))


async def _answer(client: httpx.AsyncClient, call: Call | Answer) -> Answer:
    if isinstance(call, Answer):
        return call
    began = time.monotonic()
    headers = {"content-type": "application/json", "user-agent": _AGENT, **call.headers}
    try:
        async with client.stream("POST", call.url, content=call.body, headers=headers) as response:
            text = await _beginning(response)
    except NeverRetry as error:
        return Answer(error=error.reason[:500], is_final=True, milliseconds=_since(began))
    except RetryLater as error:
        return Answer(error=error.reason[:500], after=error.after, milliseconds=_since(began))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Answer(error=one_line(f"{type(error).__name__} {error}", 500), milliseconds=_since(began))
    answer = Answer(response.status_code, text, after=asked_wait(response.headers), milliseconds=_since(began))
    if answer.is_good:
        return answer
    words = f"the receiver answered {response.status_code}"
    if response.is_redirect:
        words += " and redirects are not followed"
    return Answer(answer.status, text, words, after=answer.after, milliseconds=answer.milliseconds)


async def _beginning(response: httpx.Response) -> str:
    """Enough of the answer to see what it is; the rest is never read."""
    found = b""
    async for chunk in response.aiter_raw():
        found += chunk[: LONGEST_RESPONSE * 4]
        if len(found) >= LONGEST_RESPONSE * 4:
            break
    return storable(found.decode("utf-8", "replace"), LONGEST_RESPONSE)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
