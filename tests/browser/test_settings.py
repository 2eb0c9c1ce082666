"""Every page of the settings in a real browser, as wide as a phone: nothing runs out of it, everything has a name."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.fixtures.company import Company
from tests.tickets.settings.rows import SETTINGS, address, fill
from tests.tickets.settings.test_permissions import POSTS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What a stranger to the page would stumble over: too wide, a control without a name, an id given twice.
_TROUBLE = """() => {
  const found = [], pane = document.querySelector("#main") || document.body, ids = new Set();
  if (pane.scrollWidth > pane.clientWidth) found.push("wide");
  for (const one of document.querySelectorAll("main input:not([type=hidden]), main select, main textarea")) {
    const said = one.getAttribute("aria-label") || [...(one.labels || [])].map(l => l.textContent.trim()).join("");
    if (!said) found.push("no name: " + one.name);
  }
  for (const one of document.querySelectorAll("main [id]")) {
    if (ids.has(one.id)) found.push("twice: " + one.id);
    ids.add(one.id);
  }
  if (document.querySelectorAll("h1").length !== 1) found.push("h1");
  return found;
}"""


def _log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/desk/login/?next=/desk/settings/")
    page.get_by_label("E-mail").fill("ada@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_every_page_fits_a_phone_and_names_its_fields(page: Page, live_server: LiveServer, company: Company) -> None:
    rows = fill(company.ada, now())
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.route_web_socket("**/*", lambda socket: None)  # this server has none
    page.set_viewport_size({"width": 390, "height": 844})
    _log_in(page, live_server)

    trouble = {}
    for pattern in SETTINGS:
        # A new row's form is the one of a row that is there.
        if pattern.name in POSTS or str(pattern.name).endswith(("_delete", "_new")):
            continue
        page.goto(f"{live_server.url}{address(pattern, rows)}", wait_until="domcontentloaded")
        if found := page.evaluate(_TROUBLE):
            trouble[str(pattern.name)] = found
    assert trouble == {}
    assert errors == []


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
