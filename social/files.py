"""Files of posts: fetched through the guard for addresses that others give, and sent as multipart."""

from collections.abc import Mapping, Sequence
from posixpath import basename
from secrets import token_hex
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
from asgiref.sync import async_to_sync
from django.conf import settings

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import guarded_client, networks

LARGEST: Final = 50 * 1024 * 1024  # bytes
SECONDS: Final = 30.0


def fetch(url: str, name: str = "", headers: Mapping[str, str] | None = None) -> tuple[str, bytes]:
    """A file's name and bytes. Raises RefusedTarget for an address that leads into a private network, ResponseTooLarge,
    NeverRetry where it is gone, RetryLater where it may come. Redirects are followed three times, each one checked.
    """
    return async_to_sync(_fetch)(url, name, headers or {})


async def _fetch(url: str, name: str, headers: Mapping[str, str]) -> tuple[str, bytes]:
    client = guarded_client(
        allowed=networks(settings.WEBHOOK_ALLOW_PRIVATE), total_seconds=SECONDS, largest_response=LARGEST
    )
    async with client:
        for _hop in range(4):
            answer = await _get(client, url, headers)
            if answer.status_code not in (301, 302, 303, 307, 308):
                break
            url, headers = str(answer.url.join(answer.headers.get("location", ""))), {}
    if answer.status_code >= 500 or answer.status_code == 429:
        raise RetryLater(f"the file's host answered {answer.status_code}")
    if answer.status_code != 200:
        raise NeverRetry(f"the file's host answered {answer.status_code}")
    return name or unquote(basename(urlsplit(url).path)) or "file", answer.content


async def _get(client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> httpx.Response:
    try:
        return await client.get(url, headers=dict(headers))
    except httpx.HTTPError as error:
        raise RetryLater(f"the file's host was not reached: {type(error).__name__}") from error


def multipart(
    parts: Sequence[tuple[str, str, str, bytes]], fields: Mapping[str, str] | None = None
) -> tuple[bytes, str]:
    """A form with files (RFC 7578), as (body, Content-Type). A part is (field, file name, content type, bytes)."""
    boundary = f"helpdesk-{token_hex(16)}"
    pieces = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (fields or {}).items()
    ]
    for field, file_name, content_type, content in parts:
        plain = file_name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{plain}"\r\n'
        pieces += [head.encode(), f"Content-Type: {content_type}\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"
