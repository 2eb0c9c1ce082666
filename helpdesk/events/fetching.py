"""One file from an address that others give: through the guard, redirects followed few times, each hop checked anew."""

from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import Network, guarded_client
from helpdesk.events.safe_text import one_line

MOST_REDIRECTS: Final = 3
TOTAL_SECONDS: Final = 30.0
_MOVED: Final = (301, 302, 303, 307, 308)


async def fetch(
    url: str,
    headers: Mapping[str, str],
    *,
    largest: int,
    allowed: Sequence[Network] = (),
    allowed_beyond: Sequence[Network] = (),
) -> httpx.Response:
    """The answer, read whole: at most `largest` bytes, 30 seconds a hop. The headers, which may hold credentials, go to
    `url` alone. `allowed` are networks vouched for at `url`, `allowed_beyond` where it redirects to.

    Raises RefusedTarget for an address that leads into a private network or is plain http outside of vouched ones,
    ResponseTooLarge, NeverRetry for what is no address, RetryLater where nobody answered. What the status means is for
    the caller to say.
    """
    for _hop in range(MOST_REDIRECTS + 1):
        answer = await _get(url, headers, largest, allowed)
        if answer.status_code not in _MOVED:
            return answer
        url, headers, allowed = str(answer.url.join(answer.headers.get("location", ""))), {}, allowed_beyond
    raise NeverRetry(f"more than {MOST_REDIRECTS} redirects")


async def _get(url: str, headers: Mapping[str, str], largest: int, allowed: Sequence[Network]) -> httpx.Response:
    client = guarded_client(allowed=allowed, total_seconds=TOTAL_SECONDS, largest_response=largest)
    try:
        async with client:
            return await client.get(url, headers=dict(headers))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise NeverRetry(f"not an address: {one_line(str(error), 200)}") from error
    except httpx.HTTPError as error:
        raise RetryLater(f"not fetched: {type(error).__name__} {one_line(str(error), 200)}") from error
