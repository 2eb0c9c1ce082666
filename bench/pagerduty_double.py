"""PagerDuty as the tests know it, without a rate limit, in a process of its own: `python -m bench.pagerduty_double`.

Says its URL, then answers each line on standard input with the seconds (since 1970) of all triggers so far, as JSON.
"""

import json
import sys
import time

from tests.fixtures.providers.base import Received, Reply
from tests.fixtures.providers.pagerduty import PagerDutyServer


class Timed(PagerDutyServer):
    """Remembers when each page's trigger came, by dedup key."""

    def __init__(self) -> None:
        super().__init__(events_a_minute=10**9)
        self.triggered: dict[str, float] = {}

    def answer(self, request: Received) -> Reply:
        event = request.json()
        if isinstance(event, dict) and event.get("event_action") == "trigger":
            self.triggered.setdefault(event["dedup_key"], time.time())
        return super().answer(request)


def main() -> None:
    with Timed() as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            if line.strip() == "count":
                print(len(server.triggered), flush=True)
            else:
                print(json.dumps(dict(server.triggered)), flush=True)


if __name__ == "__main__":
    main()
