"""Passkeys in a real browser with a virtual authenticator (WebAuthn over the Chrome DevTools Protocol)."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.fixtures.company import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def authenticator(page: Page) -> Iterator[Any]:
    """A device in the machine that knows its owner by a fingerprint; `set_verified` holds the wrong finger on it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def set_verified(is_verified: bool) -> None:
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": is_verified})

    yield set_verified
    devtools.detach()


def _url(live_server: LiveServer, path: str) -> str:
    # Browsers know passkeys for names only, not for addresses.
    return live_server.url.replace("127.0.0.1", "localhost") + path


def _password(page: Page, live_server: LiveServer) -> None:
    page.goto(_url(live_server, "/desk/login/"))
    page.get_by_label("E-mail").fill("grace@demo.example")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in", exact=True).click()


def _add(page: Page, live_server: LiveServer, *, alone: bool = True) -> None:
    _password(page, live_server)
    expect(page.get_by_role("heading", name="Needs reply")).to_be_visible()
    page.goto(_url(live_server, "/accounts/security/"))
    page.get_by_role("link", name="Add Passkey").click()
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Log in with it alone").set_checked(alone)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="My laptop")).to_be_visible()


def _leave(page: Page, live_server: LiveServer) -> None:
    page.context.clear_cookies()
    page.goto(_url(live_server, "/desk/login/?next=/desk/pages/"))


def test_a_passkey_is_added_and_logs_in_alone(
    page: Page, live_server: LiveServer, company: Company, authenticator: Any
) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    _add(page, live_server)
    assert Authenticator.objects.get(type="webauthn").wrap().is_passwordless is True
    _leave(page, live_server)

    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page).to_have_url(_url(live_server, "/desk/pages/"))
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    # This test's server speaks no websockets; a page that stays long enough notices.
    assert [error for error in errors if "/ws/agent" not in error] == []


def test_it_is_the_second_factor_after_the_password(
    page: Page, live_server: LiveServer, company: Company, authenticator: Any
) -> None:
    _add(page, live_server, alone=False)
    _leave(page, live_server)
    _password(page, live_server)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", name="Needs reply")).to_be_visible()


def test_the_wrong_finger_opens_nothing(
    page: Page, live_server: LiveServer, company: Company, authenticator: Any
) -> None:
    _add(page, live_server)
    _leave(page, live_server)
    authenticator(False)

    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("was not used")
    assert page.goto(_url(live_server, "/desk/")) is not None and "/desk/login/" in page.url


def test_a_removed_agents_passkey_opens_nothing(
    page: Page, live_server: LiveServer, company: Company, authenticator: Any
) -> None:
    _add(page, live_server)
    _leave(page, live_server)
    company.grace.is_active = False
    company.grace.save()

    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("not correct")
    page.goto(_url(live_server, "/desk/"))
    assert "/desk/login/" in page.url


def test_it_proves_who_removes_it(page: Page, live_server: LiveServer, company: Company, authenticator: Any) -> None:
    _add(page, live_server)
    _leave(page, live_server)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page).to_have_url(_url(live_server, "/desk/pages/"))
    page.goto(_url(live_server, "/accounts/security/"))

    page.get_by_role("link", name="Remove My laptop").click()
    page.get_by_role("link", name="security key").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove it").click()

    expect(page.get_by_role("link", name="Add Passkey")).to_be_visible()
    assert not Authenticator.objects.exists()
