"""Authenticator apps and recovery codes: set up, asked for, each code once, kept encrypted, required where wanted."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.people.conftest import (
    again,
    code_for,
    confirm,
    is_in,
    log_in,
    set_up_app,
    text_of,
)

pytestmark = pytest.mark.django_db

GRACE = "grace@demo.example"


def _answer(client: Client, code: str) -> Any:
    return client.post("/accounts/security/authenticate/", {"code": code})


@pytest.fixture
def app(grace_in: Client) -> tuple[str, list[str]]:
    return set_up_app(grace_in)


def test_the_password_alone_opens_nothing_any_more(app: tuple[str, list[str]]) -> None:
    client = Client()

    answer = log_in(client, GRACE)

    assert answer["Location"] == "/accounts/security/authenticate/"
    assert not is_in(client)
    assert client.get("/api/v1/agents/").status_code in (401, 403)
    assert client.get("/accounts/security/").status_code == 302


def test_the_code_of_the_app_lets_in_and_leads_where_it_was_going(app: tuple[str, list[str]]) -> None:
    client = Client()
    log_in(client, GRACE, next="/desk/pages/")

    assert client.get("/accounts/security/authenticate/").status_code == 200
    assert _answer(client, code_for(app[0]))["Location"] == "/desk/pages/"
    assert is_in(client)


def test_a_code_works_once(app: tuple[str, list[str]]) -> None:
    code = code_for(app[0])
    first, second = Client(), Client()
    log_in(first, GRACE)
    log_in(second, GRACE)

    assert _answer(first, code).status_code == 302
    assert _answer(second, code).status_code == 200 and not is_in(second)


@pytest.mark.parametrize("code", ["", "000000", "12345", "１２３４５６", "\x00", "a" * 10_000, "' OR 1=1 --"])
def test_other_codes_do_not(app: tuple[str, list[str]], code: str) -> None:
    client = Client()
    log_in(client, GRACE)

    assert _answer(client, code).status_code == 200
    assert not is_in(client)


def test_codes_of_long_ago_do_not(app: tuple[str, list[str]]) -> None:
    client = Client()
    log_in(client, GRACE)

    assert _answer(client, code_for(app[0], time.time() - 120)).status_code == 200
    assert not is_in(client)


def test_guessing_ends(app: tuple[str, list[str]]) -> None:
    client = Client()
    log_in(client, GRACE)
    for number in range(10):
        _answer(client, f"{number:06}")

    refused = _answer(client, code_for(app[0]))
    assert refused.status_code == 200 and "Too many" in refused.content.decode()


def test_a_recovery_code_stands_in_once(app: tuple[str, list[str]]) -> None:
    for client, let_in in ((Client(), True), (Client(), False)):
        log_in(client, GRACE)
        _answer(client, app[1][3])
        assert is_in(client) is let_in


def test_new_recovery_codes_end_the_old_ones(app: tuple[str, list[str]], grace_in: Client) -> None:
    assert grace_in.post("/accounts/security/recovery-codes/generate/").status_code == 302
    client = Client()
    log_in(client, GRACE)
    _answer(client, app[1][0])

    assert not is_in(client)
    file = grace_in.get("/accounts/security/recovery-codes/download/")
    assert len(file.content.split()) == 10 and "attachment" in file["Content-Disposition"]


def test_neither_secret_nor_codes_lie_open_in_the_database(app: tuple[str, list[str]]) -> None:
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert app[0] not in kept and app[1][0] not in kept


def test_with_another_secret_key_no_code_fits_and_nothing_breaks(
    app: tuple[str, list[str]], settings: Settings
) -> None:
    settings.SECRET_KEY = "another"
    client = Client()
    log_in(client, GRACE)

    assert _answer(client, code_for(app[0])).status_code == 200
    assert _answer(client, app[1][0]).status_code == 200 and not is_in(client)


def test_changes_ask_for_the_password_again(grace_in: Client) -> None:
    answer = grace_in.get("/accounts/security/totp/activate/")

    assert answer["Location"].startswith("/accounts/confirm/?next=")
    assert grace_in.post("/accounts/confirm/", {"password": "wrong"}).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_agent_is_told_of_each_change(app: tuple[str, list[str]], grace_in: Client, mails: Any) -> None:
    (told,) = mails()
    assert told["To"] == GRACE and "authenticator app was added" in text_of(told) and "127.0.0.1" in text_of(told)

    assert grace_in.post("/accounts/security/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.exists(), "recovery codes alone are none"
    assert "removed" in text_of(mails()[0])


def test_nobody_touches_anothers_passkey(company: Company, grace_in: Client) -> None:
    theirs = Authenticator.objects.create(
        user=company.ada, type=Authenticator.Type.WEBAUTHN, data={"name": "Ada's", "credential": {}}
    )
    confirm(grace_in)

    for way in ("edit", "remove"):
        path = f"/accounts/security/webauthn/keys/{theirs.pk}/{way}/"
        assert grace_in.get(path).status_code == 404 and grace_in.post(path, {"name": "x"}).status_code == 404
    assert again(company.ada).authenticator_set.count() == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "credential",
    ["", "null", "[]", "{}", "1", '"x"', "{", '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
     '{"id": 1, "rawId": [], "type": {}, "response": "x", "clientExtensionResults": 3}', "[" * 50_000],
)  # fmt: skip
def test_what_is_no_passkey_is_refused(grace_in: Client, credential: str) -> None:
    confirm(grace_in)
    grace_in.get("/accounts/security/webauthn/add/")

    added = grace_in.post("/accounts/security/webauthn/add/", {"name": "x", "credential": credential})
    assert added.status_code == 200 and not Authenticator.objects.exists()
    stranger = Client()
    stranger.get("/accounts/security/webauthn/login/", headers={"Accept": "application/json"})
    answer = stranger.post("/accounts/security/webauthn/login/", {"credential": credential})
    assert answer.status_code in (200, 302) and not is_in(stranger)


def test_an_admin_forgets_a_lost_factor(
    company: Company, app: tuple[str, list[str]], grace_in: Client, mails: Any
) -> None:
    mails()
    ada = Client()
    log_in(ada, "ada@demo.example")
    path = f"/api/v1/agents/{company.grace.pk}/login-reset/"

    assert grace_in.post(path).status_code == 403
    assert ada.post(path).status_code == 200

    assert not is_in(grace_in)
    assert "reset your login" in text_of(mails()[0])
    assert Event.objects.filter(kind="agent.login_changed", actor=company.ada).exists()
    assert log_in(Client(), GRACE)["Location"] == "/desk/"


class TestRequired:
    """The admin wants a second factor of everybody."""

    @pytest.fixture(autouse=True)
    def required(self, settings: Settings, company: Company) -> None:
        settings.REQUIRE_SECOND_FACTOR = True

    def test_who_has_none_is_led_to_set_one_up(self) -> None:
        client = Client()
        log_in(client, GRACE)

        assert client.get("/desk/")["Location"] == "/accounts/security/"
        assert client.get("/desk/rows/", headers={"HX-Request": "true"}).status_code == 403
        assert client.get("/api/v1/agents/").status_code == 403
        assert "required" in client.get("/accounts/security/").content.decode()

        set_up_app(client)
        assert is_in(client)

    def test_the_last_one_cannot_be_removed(self) -> None:
        client = Client()
        log_in(client, GRACE)
        set_up_app(client)

        assert client.post("/accounts/security/totp/deactivate/").status_code == 200
        assert Authenticator.objects.filter(type="totp").exists() and is_in(client)

    def test_who_removes_the_last_passkey_is_led_back(self, company: Company) -> None:
        key = Authenticator.objects.create(
            user=company.grace, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": {}}
        )
        client = Client()
        client.force_login(company.grace)
        assert is_in(client)
        confirm_by = client.session
        confirm_by["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "reauthenticated": True}
        ]
        confirm_by["account_authentication_methods_user"] = str(company.grace.pk)
        confirm_by.save()

        assert client.post(f"/accounts/security/webauthn/keys/{key.pk}/remove/").status_code == 302
        assert client.get("/desk/")["Location"] == "/accounts/security/"
