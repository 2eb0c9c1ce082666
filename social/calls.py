"""One HTTP call to a network's API: bounded in time and size, errors classed (`helpdesk.events.provider_calls`).

What answers a network's errors with belongs into its own file; `refusal` knows what they share: 401, 429, 5xx.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from asgiref.sync import async_to_sync
from django.conf import settings

from helpdesk.events.outcomes import LONGEST_WAIT, Ambiguous, DeliveryError, NeverRetry, RetryLater, asked_wait
from helpdesk.events.outgoing import guarded_client, networks
from helpdesk.events.provider_calls import Answer, call, provider_client
from social.network import Connection, TokenDead

LARGEST_ANSWER = 4 * 1024 * 1024  # bytes; a page of a hundred posts


def get(
    connection: Connection,
    path: str,
    parameters: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Raises RetryLater, NeverRetry: a lost answer to a question changes nothing, so it is asked again."""
    try:
        return _once(connection, "GET", path, headers or {}, None, parameters)
    except Ambiguous as error:
        raise RetryLater(error.reason) from error


def send_json(
    connection: Connection,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
) -> Answer:
    """Raises RetryLater (surely not there), Ambiguous (perhaps), NeverRetry (makes no sense)."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return _once(connection, method, path, {**kind, **(headers or {})}, json.dumps(body, ensure_ascii=True).encode())


def send_form(
    connection: Connection,
    path: str,
    fields: Sequence[tuple[str, str]],
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
) -> Answer:
    """As `send_json`, form-encoded."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return _once(connection, method, path, {**kind, **(headers or {})}, urlencode(list(fields)).encode())


def send_bytes(
    connection: Connection, path: str, content: bytes, headers: Mapping[str, str], *, method: str = "POST"
) -> Answer:
    """As `send_json`, for what is encoded already: a file, multipart."""
    return _once(connection, method, path, headers, content)


def refusal(answer: Answer, words: str = "", *, wait: timedelta | None = None) -> DeliveryError:
    """The error that an answer of 4xx or 5xx stands for, by its status alone."""
    said = words or answer.excerpt()
    reason = f"{answer.status}: {said}" if said else f"answered {answer.status}"
    if answer.status == 401:
        return TokenDead(reason)
    if answer.status == 429:
        return RetryLater(reason, wait or asked_wait(answer.headers, timedelta(seconds=60)))
    if answer.status >= 500:
        return Ambiguous(reason)
    return NeverRetry(reason)


def until(epoch: str, *, at: datetime) -> timedelta | None:
    """The wait until a time that a header names in seconds since 1970; None where it makes no sense."""
    if not epoch.isascii() or not epoch.isdigit() or len(epoch) > 11:
        return None
    wait = datetime.fromtimestamp(int(epoch), UTC) - at
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def _once(
    connection: Connection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes | None,
    parameters: Sequence[tuple[str, str]] = (),
) -> Answer:
    return async_to_sync(_call)(connection, method, path, headers, content, parameters)


async def _call(
    connection: Connection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes | None,
    parameters: Sequence[tuple[str, str]],
) -> Answer:
    url = f"{connection.base_url}{path}"
    async with _client(connection) as client:
        return await call(
            client, method, url, headers, content=content, parameters=parameters or None, largest=LARGEST_ANSWER
        )


def _client(connection: Connection) -> httpx.AsyncClient:
    if not connection.is_typed:
        return provider_client()
    return guarded_client(allowed=networks(settings.WEBHOOK_ALLOW_PRIVATE), largest_response=LARGEST_ANSWER)
