"""Logging in by password: the demo's way, the wrong way, too often, and out again."""

from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk.customers.models import User
from tests.fixtures.company import Company
from tests.people.conftest import DEMO, is_in, log_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("email", ["ada@demo.example", "grace@demo.example", "LINUS@demo.example "])
def test_the_demos_agents_log_in_with_the_plain_form(browser: Client, email: str) -> None:
    answer = log_in(browser, email)

    assert answer.status_code == 302 and answer["Location"] == "/desk/"
    assert is_in(browser)


def test_the_page_has_one_form_for_it(browser: Client) -> None:
    page = browser.get("/desk/login/?next=/desk/pages/")
    html = page.content.decode()

    assert html.count('type="email"') == 1 and html.count('type="password"') == 1
    assert 'name="username"' in html and 'name="password"' in html and 'value="/desk/pages/"' in html
    assert "sign up" not in html.lower() and "style=" not in html and "onclick" not in html
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]


def test_after_it_the_page_asked_for_opens(browser: Client) -> None:
    assert log_in(browser, "ada@demo.example", next="/desk/pages/")["Location"] == "/desk/pages/"


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_led_elsewhere_by_a_link(browser: Client, address: str) -> None:
    assert log_in(browser, "ada@demo.example", next=address)["Location"] == "/desk/"


def test_the_session_is_a_new_one(browser: Client) -> None:
    browser.get("/accounts/password/reset/")
    session = browser.session
    session["left"] = "by somebody"
    session.save()
    before = str(session.session_key)
    browser.cookies[configured.SESSION_COOKIE_NAME] = before

    log_in(browser, "ada@demo.example")

    cookie = browser.cookies[configured.SESSION_COOKIE_NAME]
    assert cookie.value != before and not Session.objects.filter(session_key=before).exists()
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_unknown_wrong_and_removed_are_told_the_same(company: Company) -> None:
    User.objects.filter(pk=company.linus.pk).update(is_active=False)

    def told(email: str, password: str) -> str:
        page = Client().post("/desk/login/", {"username": email, "password": password}, follow=True).content.decode()
        assert "not correct" in page
        return page.partition('role="alert">')[2].partition("</p>")[0].rpartition(">")[2]

    words = {told("nobody@demo.example", DEMO), told("ada@demo.example", "wrong"), told("linus@demo.example", DEMO)}
    assert len(words) == 1


def test_ten_failures_lock_the_account_for_a_while_wherever_they_come_from(company: Company) -> None:
    for number in range(10):
        assert (
            Client(REMOTE_ADDR=f"192.0.2.{number}")
            .post("/desk/login/", {"username": "ada@demo.example", "password": "wrong"})
            .status_code
            == 200
        )

    elsewhere = Client(REMOTE_ADDR="198.51.100.1")
    refused = log_in(elsewhere, "ada@demo.example")
    assert refused.status_code == 200 and "Too many failed" in refused.content.decode()
    assert log_in(Client(REMOTE_ADDR="198.51.100.1"), "grace@demo.example").status_code == 302

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert log_in(elsewhere, "ada@demo.example").status_code == 302


def test_an_unknown_address_is_locked_as_a_known_one_is(company: Company) -> None:
    for _ in range(10):
        log_in(Client(), "nobody@demo.example", "wrong")

    assert "Too many failed" in log_in(Client(), "nobody@demo.example", "wrong").content.decode()


def test_one_address_may_not_try_everybody(company: Company) -> None:
    for number in range(30):
        log_in(Client(), f"agent{number}@demo.example", "wrong")

    assert "Too many failed" in log_in(Client(), "ada@demo.example").content.decode()


def test_logging_in_rightly_does_not_use_up_the_tries(company: Company) -> None:
    for _ in range(12):
        assert log_in(Client(), "ada@demo.example").status_code == 302


def test_a_proxys_word_about_the_caller_counts_only_behind_one(company: Company, settings: Settings) -> None:
    for number in range(31):
        Client(headers={"X-Forwarded-For": f"203.0.113.{number}"}).post(
            "/desk/login/", {"username": f"a{number}@demo.example", "password": "wrong"}
        )
    assert "Too many failed" in log_in(Client(), "ada@demo.example").content.decode()

    cache.clear()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(31):
        Client(headers={"X-Forwarded-For": f"6.6.6.6, 203.0.113.{number}"}).post(
            "/desk/login/", {"username": f"a{number}@demo.example", "password": "wrong"}
        )
    assert log_in(Client(headers={"X-Forwarded-For": "203.0.113.99"}), "ada@demo.example").status_code == 302


def test_an_unknown_caller_logs_in_all_the_same(company: Company) -> None:
    """Behind a unix socket nobody knows an address."""
    assert log_in(Client(REMOTE_ADDR=""), "ada@demo.example").status_code == 302


def test_it_works_while_redis_is_dead(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*args: Any, **kwargs: Any) -> None:
        raise redis.ConnectionError("nobody there")

    monkeypatch.setattr(redis.Connection, "connect", dead)
    monkeypatch.setattr(redis.UnixDomainSocketConnection, "connect", dead)

    assert log_in(browser, "ada@demo.example", "wrong").status_code == 200
    assert log_in(browser, "ada@demo.example").status_code == 302
    assert is_in(browser)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "ada@demo.example"},
        {"password": DEMO},
        {"username": "ada", "password": DEMO},
        {"username": "ada@demo.example\x00", "password": DEMO},
        {"username": "a" * 5000 + "@demo.example", "password": DEMO},
        {"username": "ada@demo.example", "password": "x" * 100_000},
        {"username": ["ada@demo.example", "grace@demo.example"], "password": "\ud800".encode("utf-8", "replace")},
    ],
)
def test_what_is_no_login_is_refused(browser: Client, fields: dict[str, Any]) -> None:
    answer = browser.post("/desk/login/", fields)

    assert answer.status_code == 200 and "err" in answer.content.decode()
    assert not is_in(browser)


def test_logging_out_wants_a_post(grace_in: Client) -> None:
    assert grace_in.get("/desk/logout/").status_code == 200 and is_in(grace_in)
    assert grace_in.post("/desk/logout/")["Location"] == "/desk/login/"
    assert not is_in(grace_in)


@pytest.mark.parametrize("path", ["signup/", "email/", "password/set/", "3rdparty/", "social/signup/", "login/code/"])
def test_there_is_no_other_way_in(browser: Client, path: str) -> None:
    assert browser.get(f"/accounts/{path}").status_code == 404
    assert browser.get(f"/desk/{path}").status_code == 404


def test_a_form_from_elsewhere_is_refused(company: Company) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert log_in(strict, "ada@demo.example").status_code == 403
