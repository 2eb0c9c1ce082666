"""Which pagers there are, and PagerDuty against a local server speaking Events v2: what is sent, what answers mean."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.events.outcomes import LONGEST_WAIT, NeverRetry, RetryLater
from helpdesk.oncall.pagers import Pager, Sent, configured_pagers, pagerduty_dedup_key
from helpdesk.oncall.pagers.pagerduty import LARGEST_EVENT, routing_keys
from tests.fixtures.notices import nobody_listens, notice, refused, send
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyServer]:
    with PagerDutyServer() as server:
        yield server


def pagerduty_pager(url: str, keys: str = ROUTING_KEY) -> Pager:
    return configured_pagers({"PAGERDUTY_ROUTING_KEY": keys, "PAGERDUTY_BASE_URL": url})["pagerduty"]


def test_only_what_is_set_is_a_way_out() -> None:
    assert configured_pagers({}) == {}
    assert configured_pagers({"PAGERDUTY_ROUTING_KEY": " ", "SLACK_CHANNEL": "#oncall"}) == {}
    everything = {"PAGERDUTY_ROUTING_KEY": "k", "SLACK_BOT_TOKEN": "t", "DEFAULT_FROM_EMAIL": "support@demo.example"}
    assert list(configured_pagers(everything)) == ["pagerduty", "slack", "email"]


def test_routing_keys() -> None:
    assert routing_keys("abc") == {"default": "abc"}
    assert routing_keys("hosting=abc, default=def,") == {"hosting": "abc", "default": "def"}


class TestPagerDuty:
    def test_a_page_is_triggered_acknowledged_and_resolved(self, pagerduty: PagerDutyServer) -> None:
        pager = pagerduty_pager(pagerduty.url)
        assert send(pager, notice()) == "helpdesk:conversation:7"
        (alert,) = pagerduty.alerts
        assert (alert.status, alert.severity, len(alert.log)) == ("triggered", "critical", 1)
        send(pager, notice())
        assert len(pagerduty.alerts) == 1 and len(alert.log) == 2, "sent twice is still one alert"
        send(pager, notice(action="acknowledge"))
        assert alert.status == "acknowledged"
        send(pager, notice(action="resolve"))
        assert alert.status == "resolved"
        send(pager, notice(action="resolve"))
        assert len(pagerduty.dropped) == 1
        send(pager, notice())
        assert len(pagerduty.alerts) == 2, "after resolution a trigger is a new alert"

    def test_what_is_sent(self, pagerduty: PagerDutyServer) -> None:
        send(pagerduty_pager(pagerduty.url), notice(urgency="low", late_by=timedelta(minutes=125)))
        event = pagerduty.received[0].json()
        payload = event["payload"]
        assert payload["summary"] == ("[late by 2 h 5 min] Website down: not dispatched within one business hour")
        assert (payload["severity"], payload["source"]) == ("warning", "help.example")
        assert payload["timestamp"] == "2026-01-09T18:45:00+00:00"
        assert (payload["component"], payload["group"], payload["class"]) == ("c01", "Globex", "not dispatched")
        assert payload["custom_details"]["Customer"] == "Gil <gil@globex.example>"
        assert payload["custom_details"]["Reasons"] == "not dispatched; first response breached"
        assert event["links"] == [{"href": "https://help.example/desk/7/", "text": "Open the conversation"}]
        assert (event["client"], event["client_url"]) == ("Helpdesk", "https://help.example/desk/7/")

    def test_acknowledge_and_resolve_carry_nothing_else(self, pagerduty: PagerDutyServer) -> None:
        send(pagerduty_pager(pagerduty.url), notice(action="acknowledge"))
        assert set(pagerduty.received[0].json()) == {"routing_key", "event_action", "dedup_key"}

    def test_an_alias_chooses_the_service(self, pagerduty: PagerDutyServer) -> None:
        other = "H" * 32
        pagerduty.routing_keys.add(other)
        pager = pagerduty_pager(pagerduty.url, f"default={ROUTING_KEY},hosting={other}")
        send(pager, notice(to="hosting"))
        send(pager, notice())
        assert [alert.routing_key for alert in pagerduty.alerts] == [other, ROUTING_KEY]
        assert isinstance(refused(pager, notice(to="sales")), NeverRetry)

    @pytest.mark.parametrize(
        "changes",
        [
            {"summary": "x" * 5000},
            {"summary": "\x00\n\ud800\u202e"},
            {"dedup_key": "k" * 1000},
            {"details": {f"d{n}": "\x01" * 100_000 for n in range(200)}},
            {"url": "https://help.example/" + "a" * 600_000},
            {"url": ""},
            {"reasons": ("r" * 100_000,) * 100},
        ],
    )
    def test_any_page_fits(self, pagerduty: PagerDutyServer, changes: dict[str, Any]) -> None:
        send(pagerduty_pager(pagerduty.url), notice(**changes))
        assert len(pagerduty.received[0].body) <= LARGEST_EVENT
        assert len(pagerduty.alerts) == 1

    def test_a_refused_event_is_never_sent_again_and_says_why(self, pagerduty: PagerDutyServer) -> None:
        error = refused(pagerduty_pager(pagerduty.url, "R" * 32), notice())
        assert isinstance(error, NeverRetry)
        assert "Invalid routing key" in error.reason
        assert isinstance(refused(pagerduty_pager(pagerduty.url, "short"), notice()), NeverRetry)

    def test_the_routing_key_stays_secret(self, pagerduty: PagerDutyServer) -> None:
        pagerduty.fail_next(400, {"echo": ROUTING_KEY})
        assert ROUTING_KEY not in refused(pagerduty_pager(pagerduty.url), notice()).reason

    def test_the_rate_limit_says_when(self) -> None:
        with PagerDutyServer(events_a_minute=2, clock=lambda: 0.0) as server:
            pager = pagerduty_pager(server.url)
            send(pager, notice())
            send(pager, notice())
            error = refused(pager, notice())
        assert isinstance(error, RetryLater) and error.after == timedelta(seconds=30)

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({"Retry-After": "7"}, timedelta(seconds=7)),
            ({"Retry-After": "99999999999999"}, LONGEST_WAIT),
            ({"Retry-After": "-1"}, timedelta(seconds=30)),
            ({"Retry-After": "Fri, 09 Jan 2026 18:46:00 GMT", "X-Date": ""}, None),
        ],
    )
    def test_retry_after(self, pagerduty: PagerDutyServer, headers: dict[str, str], after: timedelta | None) -> None:
        pagerduty.fail_next(429, headers=headers)
        error = refused(pagerduty_pager(pagerduty.url), notice())
        assert isinstance(error, RetryLater)
        # A date in the past by the server's own clock means now.
        assert error.after == (timedelta(0) if after is None else after)

    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
    def test_trouble_on_their_side_passes(self, pagerduty: PagerDutyServer, status: int) -> None:
        pager = pagerduty_pager(pagerduty.url)
        pagerduty.fail_next(status)
        assert isinstance(refused(pager, notice()), RetryLater)
        assert send(pager, notice()) == "helpdesk:conversation:7"

    @pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 413])
    def test_answers_that_are_not_pagerdutys(self, pagerduty: PagerDutyServer, status: int) -> None:
        pagerduty.fail_next(status, b"<html>login</html>", {"Location": "http://127.0.0.1:9/"})
        assert isinstance(refused(pagerduty_pager(pagerduty.url), notice()), NeverRetry)

    def test_a_lost_answer_is_sent_again_and_stays_one_alert(self, pagerduty: PagerDutyServer) -> None:
        pager = pagerduty_pager(pagerduty.url)
        pagerduty.cut_next(process=True)
        assert isinstance(refused(pager, notice()), RetryLater)
        send(pager, notice())
        assert len(pagerduty.alerts) == 1

    def test_nobody_there(self) -> None:
        assert isinstance(refused(pagerduty_pager(nobody_listens()), notice()), RetryLater)

    def test_silence_ends_with_the_total_time(
        self, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("helpdesk.events.provider_calls.TOTAL_SECONDS", 0.2)
        pagerduty.hang_next()
        assert isinstance(refused(pagerduty_pager(pagerduty.url), notice()), RetryLater)

    def test_waiting_for_a_connection_is_not_a_lost_answer(
        self, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("helpdesk.events.provider_calls._PHASES", httpx.Timeout(30.0, pool=0.05))
        pagerduty.hang_next()

        async def two_at_once() -> list[Sent | BaseException]:
            pager = pagerduty_pager(pagerduty.url)
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), trust_env=False) as client:
                first = asyncio.create_task(pager.send(client, notice()))
                await asyncio.to_thread(pagerduty.wait_for, lambda: len(pagerduty.received) == 1)
                second = await asyncio.gather(pager.send(client, notice()), return_exceptions=True)
                pagerduty.release()
                return [*second, *await asyncio.gather(first, return_exceptions=True)]

        second, _ = asyncio.run(two_at_once())
        assert isinstance(second, RetryLater)
        assert "not reached" in second.reason
        assert len(pagerduty.received) == 1

    @pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/", "http://[::1", "http://a\x00b/"])
    def test_a_base_url_that_makes_no_sense(self, url: str) -> None:
        assert isinstance(refused(pagerduty_pager(url), notice()), NeverRetry)

    @given(st.text(max_size=600))
    def test_dedup_keys_fit_and_stay_apart(self, key: str) -> None:
        fitted = pagerduty_dedup_key(key)
        assert len(fitted) <= 255
        assert pagerduty_dedup_key(fitted) == fitted
        assert pagerduty_dedup_key(key + "x" * 255) != pagerduty_dedup_key(key + "y" * 255)
