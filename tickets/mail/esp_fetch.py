"""Fetch what an ESP only tells us about: bounded in time and size. Trouble says "try later", so the ESP asks again."""

import time
from typing import Any, Final
from urllib.parse import urljoin

import httpx
from anymail.utils import get_anymail_setting

LARGEST: Final = 64 * 1024 * 1024
SECONDS: Final = 10.0
# However little comes at a time: a request of ours waits for it.
TOTAL_SECONDS: Final = 60.0
_GONE: Final = (404, 410)


class NotFetched(Exception):
    """The ESP did not answer as it should; the same call later may succeed."""


class Gone(Exception):
    """The ESP no longer has it."""


def setting(esp_name: str, name: str, default: str = "") -> str:
    """An anymail setting of the ESP."""
    return str(get_anymail_setting(name, esp_name=esp_name, default=default, allow_bare=True))


def api_url(esp_name: str, default: str, path: str) -> str:
    """A path below the ESP's API, which `<ESP>_API_URL` may replace."""
    return urljoin(setting(esp_name, "api_url", default).rstrip("/") + "/", path)


def get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """The whole answer, whose status is 200. Raises NotFetched, Gone."""
    began = time.monotonic()
    try:
        with httpx.stream("GET", url, headers=headers, timeout=SECONDS, follow_redirects=False) as response:
            if response.status_code in _GONE:
                raise Gone(f"the provider no longer has it ({response.status_code})")
            if response.status_code != 200:
                raise NotFetched(f"the provider's API answered {response.status_code}")
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise Gone("it is too big")
                if time.monotonic() - began > TOTAL_SECONDS:
                    raise NotFetched("it comes too slowly")
            return httpx.Response(
                200, headers={"content-type": response.headers.get("content-type", "")}, content=bytes(content)
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotFetched(f"{error.__class__.__name__}") from error


def get_json(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """The answer as a JSON object. Raises NotFetched, Gone."""
    try:
        found = get(url, headers).json()
    except ValueError as error:
        raise NotFetched("the provider's API answered something else than JSON") from error
    if not isinstance(found, dict):
        raise NotFetched("the provider's API answered something else than an object")
    return found
