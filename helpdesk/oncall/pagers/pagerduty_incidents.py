"""PagerDuty's REST API v2, as far as we ask it: what became of the incidents of a dedup key.

https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
"""

from datetime import timedelta

import httpx

from helpdesk.events.outcomes import LONGEST_WAIT, NeverRetry, RetryLater, asked_wait
from helpdesk.events.payloads import UnreadablePayload
from helpdesk.events.provider_calls import Answer, get_json
from helpdesk.oncall.provider_messages import PagerDutyIncident, parse_pagerduty_incidents

API_BASE_URL = "https://api.pagerduty.com"
NEWEST = 20
_LARGEST_ANSWER = 1024 * 1024  # bytes
_RATE_WAIT = timedelta(seconds=60)


class PagerDutyIncidents:
    """Reads with `token`, a REST API key (read-only suffices). An empty token means that nobody wants this."""

    def __init__(self, token: str, base_url: str = API_BASE_URL) -> None:
        self._token = token
        self._url = (base_url or API_BASE_URL).rstrip("/") + "/incidents"

    @property
    def is_configured(self) -> bool:
        return bool(self._token)

    async def of_key(self, client: httpx.AsyncClient, incident_key: str) -> list[PagerDutyIncident]:
        """The newest incidents of that key, whatever their state.

        Raises RetryLater (`after` where PagerDuty says how long its limit lasts), NeverRetry for what will not mend
        itself: a refused token, an address that is not PagerDuty's.
        """
        parameters = [
            *(("incident_key", incident_key), ("date_range", "all"), ("sort_by", "created_at:desc")),
            ("limit", str(NEWEST)),
        ]
        headers = {
            "Authorization": f"Token token={self._token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        answer = await get_json(client, self._url, parameters, headers, _LARGEST_ANSWER)
        self._check(answer)
        try:
            found = parse_pagerduty_incidents(answer.body)
        except UnreadablePayload as error:
            raise NeverRetry(f"PagerDuty's answer makes no sense: {error}") from error
        return [incident for incident in found if incident.dedup_key == incident_key]

    def _check(self, answer: Answer) -> None:
        if answer.status == 200:
            return
        reason = f"PagerDuty answered {answer.status}: {answer.excerpt()}".replace(self._token, "***")
        if answer.status == 429:
            raise RetryLater(reason, asked_wait(answer.headers) or _reset(answer) or _RATE_WAIT)
        if answer.status == 408 or answer.status >= 500:
            raise RetryLater(reason, asked_wait(answer.headers))
        raise NeverRetry(reason)


def _reset(answer: Answer) -> timedelta | None:
    """https://developer.pagerduty.com/docs/rest-api-rate-limits: seconds until the limit is reset."""
    value = answer.headers.get("ratelimit-reset", "").strip()
    return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT) if value.isascii() and value.isdigit() else None
