"""PagerDuty Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater, asked_wait
from helpdesk.events.provider_calls import Answer, post_json
from helpdesk.events.safe_text import one_line, storable
from helpdesk.oncall.pagers.base import Notice, Sent, headline, label, spoken

BASE_URL = "https://events.pagerduty.com"
DEFAULT_ALIAS = "default"
LONGEST_SUMMARY = 1024
LONGEST_DEDUP_KEY = 255
LARGEST_EVENT = 512_000  # bytes; the documented 512 KB, read the careful way
RATE_WAIT = timedelta(seconds=30)
SEVERITIES = {"high": "critical", "low": "warning"}
_LONGEST_URL = 2048


class PagerDutyPager:
    """Sends page, acknowledgement and resolution as events of one alert, held together by the dedup key.

    The dedup key makes sending idempotent, so a lost answer is simply sent again. `routing_keys` by alias: events of
    one alert must all use the same key, hence an unknown alias is refused rather than sent to another service.
    """

    name = "pagerduty"

    def __init__(self, routing_keys: Mapping[str, str], base_url: str = BASE_URL) -> None:
        self._routing_keys = dict(routing_keys)
        self._url = base_url.rstrip("/") + "/v2/enqueue"

    @property
    def is_configured(self) -> bool:
        return bool(self._routing_keys)

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is the dedup key PagerDuty filed the event under. 202 means accepted, not read by anybody."""
        routing_key = self._routing_keys.get(notice.to or DEFAULT_ALIAS)
        if routing_key is None:
            raise NeverRetry(f"no PagerDuty routing key is called {one_line(notice.to or DEFAULT_ALIAS, 100)!r}")
        event = _event(notice, routing_key)
        try:
            answer = await post_json(client, self._url, event)
        except Ambiguous as error:
            raise RetryLater(error.reason) from error
        return Sent(_accepted(answer, routing_key) or str(event["dedup_key"]))


def pagerduty_dedup_key(dedup_key: str) -> str:
    """The key as PagerDuty gets it and gives it back as `incident_key`: itself, or shortened with a hash beyond 255."""
    clean = storable(dedup_key, len(dedup_key))
    if len(clean) <= LONGEST_DEDUP_KEY:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()
    return clean[: LONGEST_DEDUP_KEY - len(digest) - 1] + ":" + digest


def routing_keys(setting: str) -> dict[str, str]:
    """`PAGERDUTY_ROUTING_KEY`: one key, or `alias=key,alias=key` where services of several teams are paged."""
    keys: dict[str, str] = {}
    for part in setting.split(","):
        alias, _, key = part.strip().rpartition("=")
        if key:
            keys[alias.strip() or DEFAULT_ALIAS] = key.strip()
    return keys


def _event(notice: Notice, routing_key: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": notice.action,
        "dedup_key": pagerduty_dedup_key(notice.dedup_key),
    }
    if notice.action != "trigger":
        return event
    payload: dict[str, Any] = {
        "summary": one_line(headline(notice), LONGEST_SUMMARY) or f"Page {notice.page_id}",
        "source": urlsplit(notice.url).hostname or "helpdesk",
        "severity": SEVERITIES[notice.urgency],
        "timestamp": notice.occurred_at.astimezone(UTC).isoformat(),
        "class": one_line(notice.reasons[0], 255) if notice.reasons else "page",
        "custom_details": _custom_details(notice),
    }
    payload |= _when_known(component=notice.details.get("service"), group=notice.details.get("organization"))
    event |= {"payload": payload, "client": "Helpdesk"}
    if 0 < len(notice.url) <= _LONGEST_URL:
        event |= {"client_url": notice.url, "links": [{"href": notice.url, "text": "Open the conversation"}]}
    if len(json.dumps(event).encode()) > LARGEST_EVENT:
        payload["custom_details"] = {"note": "The details were too large for PagerDuty; open the conversation."}
    return event


def _custom_details(notice: Notice) -> dict[str, str]:
    details = {label(key): storable(value, 4000) for key, value in notice.details.items() if value}
    if notice.reasons:
        details["Reasons"] = storable("; ".join(notice.reasons), 4000)
    if notice.late_by is not None:
        details["Late by"] = spoken(notice.late_by)
    return details


def _when_known(**values: str | None) -> dict[str, str]:
    return {key: one_line(value, 255) for key, value in values.items() if value}


def _accepted(answer: Answer, routing_key: str) -> str:
    """The dedup key of an accepted event ("" if not told), else the classed error."""
    body = answer.json()
    if answer.status == 202 or (answer.status in (200, 201) and body.get("status") == "success"):
        key = body.get("dedup_key")
        return key if isinstance(key, str) else ""
    reason = f"PagerDuty answered {answer.status}: {answer.excerpt()}".replace(routing_key, "***")
    if answer.status == 429:
        raise RetryLater(reason, asked_wait(answer.headers, RATE_WAIT))
    if answer.status == 408 or answer.status >= 500:
        raise RetryLater(reason, asked_wait(answer.headers))
    # 400 is final by the documentation; a redirect or somebody's 200 page means the base URL is wrong.
    raise NeverRetry(reason)
