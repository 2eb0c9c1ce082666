"""Sessions: seen, ended one by one or all at once, nobody else's, and gone with the agent's right to the desk."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from helpdesk.customers import actions as customers
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from helpdesk.people import actions as people
from helpdesk.people import sessions
from tests.fixtures.company import Company
from tests.people.conftest import again, is_in, log_in

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML) Version/18.0 Safari/604.1"


def _of(email: str, user_agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": user_agent})
    assert log_in(client, email).status_code == 302
    return client


def _row(client: Client) -> int:
    return int(UserSession.objects.get(session_key=client.session.session_key).pk)


def test_an_agent_sees_their_own_sessions(company: Company) -> None:
    here, _there, _other = _of("grace@demo.example"), _of("grace@demo.example", PHONE), _of("ada@demo.example")

    page = here.get("/accounts/sessions/").content.decode()

    assert "Firefox, Linux" in page and "Safari, iPhone" in page and page.count("127.0.0.1") == 2
    assert page.count("this one") == 1


def test_one_is_ended_from_another(company: Company) -> None:
    here, lost = _of("grace@demo.example"), _of("grace@demo.example", PHONE)

    assert here.post(f"/accounts/sessions/{_row(lost)}/end/").status_code == 302

    assert is_in(here) and not is_in(lost)
    assert "Safari" not in here.get("/accounts/sessions/").content.decode()


def test_all_others_are_ended(company: Company) -> None:
    here, lost, ada = _of("grace@demo.example"), _of("grace@demo.example"), _of("ada@demo.example")

    here.post("/accounts/sessions/others/end/")

    assert is_in(here) and not is_in(lost) and is_in(ada)


def test_nobody_ends_anothers_session(company: Company) -> None:
    grace, ada = _of("grace@demo.example"), _of("ada@demo.example")

    for one, path in ((grace, _row(ada)), (grace, 999_999), (grace, 10**30)):
        assert one.post(f"/accounts/sessions/{path}/end/").status_code == 404
    assert is_in(ada)


@pytest.mark.parametrize("path", ["/accounts/sessions/", "/accounts/security/", "/accounts/password/"])
def test_strangers_see_nothing(company: Company, path: str) -> None:
    assert Client().get(path)["Location"].startswith("/desk/login/?next=")


def test_ending_wants_a_post_and_a_token(company: Company) -> None:
    here = _of("grace@demo.example")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(company.grace)

    assert here.get(f"/accounts/sessions/{_row(here)}/end/").status_code == 405
    assert strict.post("/accounts/sessions/others/end/").status_code == 403


def test_a_removed_agent_is_out_with_the_next_request_for_good(company: Company) -> None:
    grace, key = _of("grace@demo.example"), ""
    key = grace.session.session_key or ""
    token = customers.create_token(company.grace, at=timezone.now())
    headers = {"Authorization": f"Token {token}"}
    assert grace.get("/api/v1/agents/", headers=headers).status_code == 200
    assert sessions.agent_behind(key) == company.grace

    people.save_agent(again(company.grace), {"is_active": False}, actor=Actor.agent(company.ada), at=timezone.now())

    assert not is_in(grace)
    assert Client().get("/api/v1/agents/", headers=headers).status_code == 401
    assert sessions.agent_behind(key) is None
    assert not Session.objects.filter(session_key=key).exists()
    assert Event.objects.get(kind="agent.deactivated").data == {"agent": company.grace.pk}
    people.save_agent(again(company.grace), {"is_active": True}, actor=SYSTEM, at=timezone.now())
    assert not is_in(grace), "what was ended stays ended"


def test_an_admin_removes_an_agent_by_the_api(company: Company) -> None:
    grace, ada = _of("grace@demo.example"), _of("ada@demo.example")

    answer = ada.patch(f"/api/v1/agents/{company.grace.pk}/", {"is_active": False}, content_type="application/json")

    assert answer.status_code == 200 and not is_in(grace) and is_in(ada)


def test_a_new_password_ends_the_other_sessions(company: Company) -> None:
    here, there = _of("grace@demo.example"), _of("grace@demo.example")
    body = {"oldpassword": "demo", "password1": "a much longer one", "password2": "a much longer one"}

    assert here.post("/accounts/password/", body).status_code == 302

    assert is_in(here) and not is_in(there)
    assert "this one" in here.get("/accounts/sessions/").content.decode()
    assert log_in(Client(), "grace@demo.example", "a much longer one").status_code == 302


@pytest.mark.parametrize(
    "body",
    [
        {"oldpassword": "wrong", "password1": "a much longer one", "password2": "a much longer one"},
        {"oldpassword": "demo", "password1": "a much longer one", "password2": "another"},
        {"oldpassword": "demo", "password1": "short", "password2": "short"},
        {"oldpassword": "demo", "password1": "password123", "password2": "password123"},
    ],
)
def test_a_bad_change_changes_nothing(company: Company, body: dict[str, str]) -> None:
    here = _of("grace@demo.example")

    answer = here.post("/accounts/password/", body)

    assert answer.status_code == 200 and "err" in answer.content.decode()
    assert again(company.grace).check_password("demo")


def test_a_password_given_by_an_admin_ends_all_sessions(company: Company, mails: Any) -> None:
    grace = _of("grace@demo.example")

    people.save_agent(
        again(company.grace), {"password": "given by an admin"}, actor=Actor.agent(company.ada), at=timezone.now()
    )

    assert not is_in(grace)
    assert [mail["To"] for mail in mails()] == ["grace@demo.example"]


def test_an_agents_session_costs_two_statements_and_writes_nothing(
    company: Company, django_assert_num_queries: Any
) -> None:
    here = _of("grace@demo.example")

    with django_assert_num_queries(2) as captured:
        assert here.get("/desk/sent-mail/").status_code == 200
    asked = [query["sql"].partition("(")[0] for query in captured.captured_queries]
    assert asked == ["EXECUTE session", "EXECUTE agent_of_session"]


def test_what_has_expired_is_forgotten_and_nothing_else(company: Company) -> None:
    old, new = _of("grace@demo.example"), _of("grace@demo.example")
    Session.objects.filter(session_key=old.session.session_key).update(expire_date=timezone.now())
    cache.set("past", 1, timeout=-1)
    cache.set("coming", 1, timeout=60)

    sessions.forget_expired(at=timezone.now())

    assert Session.objects.count() == UserSession.objects.count() == 1
    assert is_in(new) and not is_in(old)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT cache_key FROM {sessions.COUNTS} WHERE cache_key LIKE '%%past' OR cache_key LIKE '%%coming'"
        )
        assert cursor.fetchall() == [(":1:coming",)]


@pytest.mark.parametrize("key", [None, "", "x" * 40, "\x00", "../../etc"])
def test_no_agent_is_behind_no_session(company: Company, key: str | None) -> None:
    assert sessions.agent_behind(key) is None


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit (KHTML) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit (KHTML) Chrome/130.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8", "curl/8"),
        ("", ""),
    ],
)
def test_browsers_have_names(told: str, shown: str) -> None:
    assert sessions.browser(told) == shown
