"""PagerDuty asked what became of our pages, against a local server that speaks its REST API."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from helpdesk.events.models import Heartbeat
from helpdesk.oncall import deliveries, paging, reconciling
from helpdesk.oncall.models import Page
from tests.fixtures.company import Company
from tests.fixtures.notices import nobody_listens
from tests.fixtures.pages import after, page
from tests.fixtures.providers import ROUTING_KEY, PagerDutyServer


@pytest.fixture
def pagerduty(settings: Settings, pagerduty_server: PagerDutyServer, at: datetime) -> PagerDutyServer:
    settings.PAGERDUTY_ROUTING_KEY, settings.PAGERDUTY_BASE_URL = ROUTING_KEY, pagerduty_server.url
    settings.PAGERDUTY_API_TOKEN = pagerduty_server.api_token
    settings.PAGERDUTY_API_BASE_URL = pagerduty_server.url
    pagerduty_server.today = at
    return pagerduty_server


def sent_page(at: datetime, key: str = "test:1") -> Page:
    found = page(key, at=at)
    deliveries.deliver(at)
    return found


def asked(pagerduty: PagerDutyServer) -> int:
    return sum(request.path.startswith("/incidents") for request in pagerduty.received)


def test_an_acknowledgement_there_is_taken_over(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    found = sent_page(at)
    assert reconciling.reconcile(at=after(at, minutes=1)) == 0
    pagerduty.change("test:1", "acknowledged", after(at, seconds=3))
    assert reconciling.reconcile(at=after(at, minutes=2)) == 1
    found.refresh_from_db()
    assert (found.state, found.acknowledged_by) == ("acknowledged", company.grace)
    assert found.acknowledged_via == "PagerDuty (Grace Hopper)" and found.told_at == after(at, seconds=3)
    assert reconciling.reconcile(at=after(at, minutes=3)) == 0, "asking again changes nothing"


@pytest.mark.parametrize(("who", "why"), [("Ada Lovelace", "Ada Lovelace"), ("", "nobody named")])
def test_a_resolution_there_is_taken_over(
    company: Company, at: datetime, pagerduty: PagerDutyServer, who: str, why: str
) -> None:
    found = sent_page(at)
    paging.acknowledge(found.pk, at=after(at, minutes=1), user=company.grace)
    pagerduty.change("test:1", "resolved", after(at, hours=4), who)
    assert reconciling.reconcile(at=after(at, hours=4, minutes=1)) == 1
    found.refresh_from_db()
    assert found.state == "resolved"
    assert found.deliveries.get(action="resolve").channel == "pagerduty"


def test_a_known_acknowledgement_that_lapsed_does_not_silence_the_page_again(
    company: Company, at: datetime, pagerduty: PagerDutyServer
) -> None:
    found = sent_page(at)
    pagerduty.change("test:1", "acknowledged", after(at, minutes=1))
    reconciling.reconcile(at=after(at, minutes=2))
    paging.escalate(after(at, minutes=33))
    assert reconciling.reconcile(at=after(at, minutes=34)) == 0
    found.refresh_from_db()
    assert found.state == "triggered"
    pagerduty.change("test:1", "acknowledged", after(at, minutes=35))
    assert reconciling.reconcile(at=after(at, minutes=36)) == 1, "but a new one counts"


def test_our_own_acknowledgement_is_no_news(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    found = sent_page(at)
    paging.acknowledge(found.pk, at=after(at, minutes=1), user=company.grace)
    pagerduty.today = after(at, minutes=20)
    deliveries.deliver(after(at, minutes=20))
    paging.escalate(after(at, minutes=32))
    assert reconciling.reconcile(at=after(at, minutes=33)) == 0
    found.refresh_from_db()
    assert found.state == "triggered"


def test_an_earlier_pages_incident_is_not_ours(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    old = sent_page(at)
    paging.resolve(old.pk, at=after(at, minutes=1))
    deliveries.deliver(after(at, minutes=1))
    pagerduty.today = after(at, minutes=5)
    new = sent_page(after(at, minutes=5))
    assert reconciling.reconcile(at=after(at, minutes=6)) == 0
    pagerduty.change("test:1", "resolved", after(at, minutes=7))
    assert reconciling.reconcile(at=after(at, minutes=8)) == 1
    new.refresh_from_db()
    assert new.state == "resolved"


def test_merged_into_another_is_not_over(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    found = sent_page(at)
    pagerduty.change("test:1", "resolved", after(at, minutes=1))
    pagerduty.alerts[0].resolve_reason = {"type": "merge_resolve_reason", "incident": {"id": "P2"}}
    assert reconciling.reconcile(at=after(at, minutes=2)) == 0
    found.refresh_from_db()
    assert found.state == "triggered"


def test_only_pages_pagerduty_was_told_of_are_asked_about(
    company: Company, at: datetime, pagerduty: PagerDutyServer, settings: Settings
) -> None:
    page("test:waiting", at=at)
    done = sent_page(at, "test:done")
    paging.resolve(done.pk, at=at)
    page("test:untold", at=after(at, minutes=1))
    reconciling.reconcile(at=after(at, minutes=1))
    assert asked(pagerduty) == 1
    settings.PAGERDUTY_API_TOKEN = ""
    reconciling.reconcile(at=after(at, minutes=2))
    assert asked(pagerduty) == 1, "without a token it is off"


def test_a_long_key_is_asked_for_as_it_was_given(company: Company, at: datetime, pagerduty: PagerDutyServer) -> None:
    key = "test:" + "k" * 250
    sent_page(at, key)
    pagerduty.change(pagerduty.alerts[0].dedup_key, "resolved", after(at, minutes=1))
    assert reconciling.reconcile(at=after(at, minutes=2)) == 1


def test_all_have_their_turn(
    company: Company, at: datetime, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "PAGES_A_ROUND", 3)
    for number in range(7):
        page(f"test:{number}", at=at)
    deliveries.deliver(at)
    for number in range(7):
        pagerduty.change(f"test:{number}", "acknowledged", after(at, minutes=1))
    changed = [reconciling.reconcile(at=after(at, minutes=2 + number)) for number in range(4)]
    assert changed == [3, 3, 1, 0]
    assert asked(pagerduty) == 10, "then it begins anew"


@pytest.mark.parametrize(
    ("headers", "wait"), [({"ratelimit-reset": "40"}, 40), ({"Retry-After": "70"}, 70), ({"ratelimit-reset": "x"}, 60)]
)
def test_too_many_requests_are_not_repeated_before_their_time(
    company: Company, at: datetime, pagerduty: PagerDutyServer, headers: dict[str, str], wait: int
) -> None:
    for number in range(3):
        page(f"test:{number}", at=at)
    deliveries.deliver(at)
    pagerduty.fail_next(429, {"error": {"message": "Rate Limit Exceeded", "code": 2020}}, headers)
    assert reconciling.reconcile(at=at) == 0
    assert asked(pagerduty) == 1, "the first refusal ends the round"
    reconciling.reconcile(at=after(at, seconds=wait - 1))
    assert asked(pagerduty) == 1
    reconciling.reconcile(at=after(at, seconds=wait))
    assert asked(pagerduty) > 1


@pytest.mark.parametrize("trouble", ["token", "server", "nonsense", "nobody", "cut"])
def test_trouble_is_written_down_without_the_token_and_ends_by_itself(
    company: Company, at: datetime, pagerduty: PagerDutyServer, settings: Settings, trouble: str
) -> None:
    sent_page(at)
    pagerduty.change("test:1", "acknowledged", after(at, minutes=1))
    right = {"PAGERDUTY_API_TOKEN": settings.PAGERDUTY_API_TOKEN, "PAGERDUTY_API_BASE_URL": pagerduty.url}
    if trouble == "token":
        settings.PAGERDUTY_API_TOKEN = "wrong-token"
    elif trouble == "server":
        pagerduty.fail_next(502, b"y_NbAkKc66ryYTWUXYEu")
    elif trouble == "nonsense":
        pagerduty.fail_next(200, b"<html>")
    elif trouble == "nobody":
        settings.PAGERDUTY_API_BASE_URL = nobody_listens()
    else:
        pagerduty.cut_next()
    assert reconciling.reconcile(at=after(at, minutes=2)) == 0
    told = Heartbeat.objects.get(name=reconciling.NAME).detail["error"]
    assert told and pagerduty.api_token not in told and "wrong-token" not in told
    for name, value in right.items():
        setattr(settings, name, value)
    assert sum(reconciling.reconcile(at=after(at, minutes=3 + number)) for number in range(3)) == 1
    assert Heartbeat.objects.get(name=reconciling.NAME).detail["error"] == ""


def test_a_round_ends_with_its_time(
    company: Company, at: datetime, pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_page(at)
    monkeypatch.setattr(reconciling, "SECONDS", -1.0)
    assert reconciling.reconcile(at=after(at, minutes=1)) == 0
    assert asked(pagerduty) == 0


def test_it_runs_every_minute(settings: Settings) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["reconcile-pagerduty"]
    assert timedelta(seconds=entry["schedule"]) == timedelta(minutes=1)
