"""Single sign-on against a provider that speaks the protocol: agents come in by it, and whatever is wrong does not."""

import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from helpdesk.customers.models import User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.people import actions as people
from tests.fixtures.company import Company
from tests.people.conftest import code_for, is_in, log_in, set_up_app
from tests.people.provider import CLIENT, SECRET, Provider, running

pytestmark = pytest.mark.django_db

CALLBACK = "/accounts/sso/callback/"


@pytest.fixture
def provider(company: Company, settings: Settings) -> Iterator[Provider]:
    with running() as provider:
        settings.OIDC_SERVER_URL = provider.url
        app = {
            "provider_id": "sso", "name": "Example ID", "client_id": CLIENT, "secret": SECRET,
            "settings": {"server_url": provider.url},
        }  # fmt: skip
        settings.OIDC_NAME = "Example ID"
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        yield provider


def _leave(client: Client, **fields: str) -> str:
    """Where the button leads."""
    page = client.post("/accounts/sso/", fields).content.decode()
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def _come_in(client: Client, provider: Provider, **fields: str) -> Any:
    return client.get(CALLBACK, provider.authorize(_leave(client, **fields)))


def test_an_agent_comes_in_by_the_verified_address(company: Company, provider: Provider) -> None:
    client = Client()
    assert "Log in with Example ID" in client.get("/desk/login/").content.decode()

    answer = _come_in(client, provider, next="/desk/pages/")

    assert answer.status_code == 302 and answer["Location"] == "/desk/pages/"
    assert client.get("/desk/").wsgi_request.user == company.grace
    assert company.grace.check_password("demo"), "the password still works beside it"
    assert not EmailAddress.objects.exists(), "User.email is the only address"


def test_from_then_on_the_providers_id_counts(company: Company, provider: Provider) -> None:
    _come_in(Client(), provider)
    provider.claims = {"email": "grace.hopper@new.example", "email_verified": False}
    client = Client()

    assert _come_in(client, provider).status_code == 302 and is_in(client)
    assert SocialAccount.objects.get().user == company.grace


def test_an_address_given_to_somebody_else_opens_nothing(company: Company, provider: Provider) -> None:
    _come_in(Client(), provider)
    provider.claims = {"sub": "8"}
    client = Client()

    assert _come_in(client, provider).status_code == 401 and not is_in(client)
    people.reset_login(company.grace, actor=Actor.agent(company.ada), at=timezone.now())
    assert _come_in(client, provider).status_code == 302 and is_in(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email": "nobody@demo.example"},
        {"email": "carol@acme.example"},
        {"email": ""},
        {"email": None},
        {"email": ["grace@demo.example"]},
        {"email": "grace@demo.example\x00"},
        {"email": "grace@demo.example, ada@demo.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 5},
        {"aud": "somebody-else"},
        {"aud": ["helpdesk", "somebody-else"]},
        {"aud": ["helpdesk", "somebody-else"], "azp": "somebody-else"},
        {"iss": "https://evil.example"},
        {"exp": 1_600_000_000},
        {"iat": 9_000_000_000},
        {"nbf": 9_000_000_000},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_with_wrong_claims_opens_nothing(provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    client = Client()

    answer = _come_in(client, provider)

    assert answer.status_code == 401 and "did not let you in" in answer.content.decode()
    assert not is_in(client) and not SocialAccount.objects.exists()


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce", "email"])
def test_a_token_that_leaves_something_out_opens_nothing(provider: Provider, name: str) -> None:
    provider.dropped = {name}
    client = Client()

    assert _come_in(client, provider).status_code == 401 and not is_in(client)


def _strange_key(provider: Provider) -> None:
    provider.key = generate_private_key(65537, 2048)


def _unsigned(provider: Provider) -> None:
    provider.key, provider.algorithm = None, "none"


def _signed_with_the_public_key(provider: Provider) -> None:
    """The classic mix-up: what is public taken for a shared secret."""
    provider.key, provider.algorithm = b"k" * 32, "HS256"


def _shared_key(provider: Provider) -> None:
    provider.key, provider.algorithm = b"k" * 32, "HS256"
    provider.keys = {"keys": [{"kty": "oct", "k": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s", "kid": "one"}]}


def _unknown_kid(provider: Provider) -> None:
    provider.kid = "two"


def _no_keys(provider: Provider) -> None:
    provider.keys = {"keys": []}


def _broken_keys(provider: Provider) -> None:
    provider.keys = ["?"]


def _garbage(provider: Provider) -> None:
    provider.id_token = "a.b.c"


def _no_token(provider: Provider) -> None:
    provider.id_token = ""


@pytest.mark.parametrize(
    "spoil",
    [_strange_key, _unsigned, _signed_with_the_public_key, _shared_key, _unknown_kid, _no_keys, _broken_keys, _garbage,
     _no_token],
)  # fmt: skip
def test_a_token_of_another_hand_opens_nothing(provider: Provider, spoil: Callable[[Provider], None]) -> None:
    spoil(provider)
    client = Client()

    assert _come_in(client, provider).status_code == 401 and not is_in(client)


def test_a_cut_signature_opens_nothing(provider: Provider) -> None:
    client = Client()
    back = provider.authorize(_leave(client))
    nonce = provider._codes[back["code"]]["nonce"]
    now = int(time.time())
    claims = {"iss": provider.url, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 60, "nonce": nonce}
    whole = jwt.encode({**claims, "email": "grace@demo.example"}, provider.key, "RS256", headers={"kid": "one"})
    provider.id_token = whole.rpartition(".")[0] + "."

    assert client.get(CALLBACK, back).status_code == 401 and not is_in(client)


def test_anothers_answer_opens_nothing(provider: Provider) -> None:
    """Login CSRF: an attacker's code in a victim's browser; and an answer given twice."""
    attacker, victim = Client(), Client()
    back = provider.authorize(_leave(attacker))

    assert victim.get(CALLBACK, back).status_code == 401 and not is_in(victim)
    assert attacker.get(CALLBACK, back).status_code == 302
    assert attacker.get(CALLBACK, back).status_code == 401


@pytest.mark.parametrize(
    "query", [{}, {"code": "x"}, {"state": "x"}, {"error": "server_error"}, {"code": "\x00", "state": "\x00"}]
)
def test_an_answer_nobody_asked_for_opens_nothing(provider: Provider, query: dict[str, str]) -> None:
    assert Client().get(CALLBACK, query).status_code == 401


def test_a_code_the_provider_refuses_opens_nothing(provider: Provider) -> None:
    client = Client()
    back = provider.authorize(_leave(client))

    assert client.get(CALLBACK, {**back, "code": "made-up"}).status_code == 401


def test_cancelling_is_no_error(provider: Provider) -> None:
    client = Client()
    state = provider.authorize(_leave(client))["state"]

    answer = client.get(CALLBACK, {"error": "access_denied", "state": state}, follow=True)
    assert answer.status_code == 200 and "cancelled" in answer.content.decode()


def test_a_removed_agent_stays_out(company: Company, provider: Provider) -> None:
    client = Client()
    User.objects.filter(pk=company.grace.pk).update(is_active=False)
    assert _come_in(client, provider).status_code == 401 and not is_in(client)

    User.objects.filter(pk=company.grace.pk).update(is_active=True)
    _come_in(Client(), provider)
    User.objects.filter(pk=company.grace.pk).update(is_active=False)
    answer = _come_in(client, provider)
    assert answer["Location"] == "/desk/login/" and not is_in(client)


def test_nobody_new_comes_in_unless_wanted(provider: Provider, settings: Settings) -> None:
    provider.claims = {"email": "Zoe@Demo.example", "name": "Zoe Zimmer", "sub": "9"}
    before = User.objects.count()
    assert _come_in(Client(), provider).status_code == 401 and User.objects.count() == before

    settings.OIDC_CREATE_AGENTS = True
    client = Client()
    assert _come_in(client, provider).status_code == 302 and is_in(client)
    zoe = User.objects.get(email="zoe@demo.example")
    assert (zoe.name, zoe.role, zoe.has_usable_password()) == ("Zoe Zimmer", "agent", False)
    assert Event.objects.get(kind="agent.admitted").data == {"agent": zoe.pk}
    page = client.get("/accounts/security/").content.decode()
    assert "no password set" in page and "single sign-on since" in page
    set_up_app_without_password = client.get("/accounts/security/totp/activate/")
    assert set_up_app_without_password.status_code == 200


def test_a_provider_that_verifies_all_its_addresses_may_be_believed(provider: Provider, settings: Settings) -> None:
    provider.dropped = {"email_verified"}
    provider.userinfo = {"sub": "7"}
    assert _come_in(Client(), provider).status_code == 401

    settings.OIDC_TRUST_EMAIL = True
    client = Client()
    assert _come_in(client, provider).status_code == 302 and is_in(client)


def test_what_the_token_leaves_out_userinfo_tells_of_the_same_person(provider: Provider) -> None:
    provider.dropped = {"email", "email_verified"}
    provider.userinfo = {"sub": "another", "email": "grace@demo.example", "email_verified": True}
    client = Client()
    assert _come_in(client, provider).status_code == 401

    provider.userinfo["sub"] = "7"
    assert _come_in(client, provider).status_code == 302 and is_in(client)


def test_the_second_factor_is_still_asked_for(company: Company, provider: Provider) -> None:
    grace = Client()
    log_in(grace, "grace@demo.example")
    secret, _ = set_up_app(grace)
    client = Client()

    assert _come_in(client, provider)["Location"] == "/accounts/security/authenticate/"
    assert not is_in(client)
    client.post("/accounts/security/authenticate/", {"code": code_for(secret)})
    assert is_in(client)


def test_nobody_is_led_elsewhere_after_it(provider: Provider) -> None:
    assert _come_in(Client(), provider, next="https://evil.example/")["Location"] == "/desk/"


def test_leaving_wants_a_post_and_a_token(provider: Provider) -> None:
    assert Client().get("/accounts/sso/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/accounts/sso/").status_code == 403


@pytest.mark.parametrize("config", [{"issuer": "https://evil.example"}, {"issuer": 5}, {"token_endpoint": 5}])
def test_a_provider_that_is_somebody_else_is_not_visited(provider: Provider, config: dict[str, Any]) -> None:
    provider.config = config

    assert Client().post("/accounts/sso/").status_code in (200, 401)
    assert not SocialAccount.objects.exists()


def test_a_dead_provider_is_an_answer(company: Company, provider: Provider, settings: Settings) -> None:
    client = Client()
    back = provider.authorize(_leave(client))
    settings.OIDC_SERVER_URL = "http://127.0.0.1:9"
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] = {"server_url": "http://127.0.0.1:9"}

    assert client.get(CALLBACK, back).status_code == 401
    assert client.post("/accounts/sso/").status_code == 401
    assert log_in(client, "ada@demo.example").status_code == 302


def test_without_a_provider_there_is_no_way(company: Company, settings: Settings) -> None:
    settings.OIDC_SERVER_URL = ""

    assert "Log in with" not in Client().get("/desk/login/").content.decode().replace("Log in with a passkey", "")
    assert Client().post("/accounts/sso/").status_code == 404
    assert Client().get(CALLBACK).status_code == 404
