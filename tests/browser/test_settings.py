"""Settings in a real browser without a script; how they look is for `test_accessibility`."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.fixtures.company import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/desk/login/?next=/desk/settings/")
    page.get_by_label("E-mail").fill("ada@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_schedule_is_made_without_javascript(browser: Browser, live_server: LiveServer, company: Company) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    _log_in(page, live_server)
    page.goto(f"{live_server.url}/desk/settings/schedules/new/")
    page.get_by_label("Name").fill("Nights")
    page.get_by_label("When nobody has a turn, call").select_option(label="Ada Lovelace")
    page.get_by_label("Who, in order").fill("linus@demo.example")
    page.get_by_role("button", name="One more").click()
    expect(page.get_by_label("Who, in order")).to_have_count(2)
    expect(page.get_by_label("Who, in order").first).to_have_value("linus@demo.example")
    page.get_by_label("Who, in order").nth(1).fill("nobody@demo.example")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("nobody@demo.example is no active agent")
    page.get_by_label("Who, in order").nth(1).fill("grace@demo.example")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="The next 14 days")).to_be_visible()
    expect(page.get_by_label("Who, in order")).to_have_count(2)
