"""Files of posts: fetched through the guard for addresses that others give, and sent as multipart."""

from collections.abc import Mapping, Sequence
from posixpath import basename
from secrets import token_hex
from typing import Final

from asgiref.sync import async_to_sync
from django.conf import settings

from helpdesk.events import fetching
from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import networks

LARGEST: Final = 50 * 1024 * 1024  # bytes


def fetch(url: str, name: str = "", headers: Mapping[str, str] | None = None) -> tuple[str, bytes]:
    """A file's name and bytes. Raises RefusedTarget for an address that leads into a private network, ResponseTooLarge,
    NeverRetry where it is gone or is no address, RetryLater where it may come.
    """
    allowed = networks(settings.WEBHOOK_ALLOW_PRIVATE)
    answer = async_to_sync(fetching.fetch)(url, headers or {}, largest=LARGEST, allowed=allowed, allowed_beyond=allowed)
    if answer.status_code >= 500 or answer.status_code == 429:
        raise RetryLater(f"the file's host answered {answer.status_code}")
    if answer.status_code != 200:
        raise NeverRetry(f"the file's host answered {answer.status_code}")
    return name or basename(answer.url.path) or "file", answer.content


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
