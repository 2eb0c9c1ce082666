"""Every page for other eyes, hands and screens: WCAG 2.2 AA by axe, light and dark, on a desk and on a phone."""

from collections.abc import Collection, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from helpdesk.customers import sessions
from tests.browser import everything
from tests.fixtures.company import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, NARROW = (1440, 900), (390, 844)
Look = tuple[tuple[int, int], Literal["light", "dark"], list[str] | None]
# Between two looks at the same page only these can differ.
_SEEN = ["color-contrast", "target-size"]
ONCE: tuple[Look, ...] = ((NARROW, "dark", None),)
TWICE: tuple[Look, ...] = ((WIDE, "light", None), (NARROW, "dark", _SEEN))
FOUR_TIMES: tuple[Look, ...] = (TWICE[0], *ONCE, (NARROW, "light", _SEEN), (WIDE, "dark", _SEEN))
# Run in the page: what axe finds, each with the first element it is found at, and what is wider than the window.
_LOOK = """async ([rules, where]) => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const options = { resultTypes: ["violations"], preload: false, runOnly: rules ?? tags };
  if (!rules) options.rules = { "target-size": { enabled: true } };
  const told = one => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`;
  const found = (await axe.run(document.querySelector(where) ?? document, options)).violations.map(told);
  const root = document.documentElement, pane = document.querySelector("#main");
  if ([root, pane].some(box => box && box.scrollWidth > box.clientWidth)) found.push("runs out sideways");
  const ids = Array.from(document.querySelectorAll("main [id]"), one => one.id);
  if (new Set(ids).size < ids.length) found.push(`twice: ${ids.filter((id, at) => ids.indexOf(id) < at)}`);
  if (!document.title) found.push("no title");
  if (![...document.querySelectorAll("h1")].some(one => one.checkVisibility())) found.push("no h1");
  return found;
}"""


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """Without movement: what fades in has not yet its colours."""
    found = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    found.route_web_socket("**/*", lambda socket: None)  # this server has none
    found.add_init_script(AXE_SCRIPT)
    yield found
    found.close()


def _become(context: BrowserContext, client: Client, url: str) -> None:
    context.clear_cookies()
    for name in (settings.SESSION_COOKIE_NAME, sessions.COOKIE):
        if cookie := client.cookies.get(name):
            context.add_cookies([{"name": name, "value": cookie.value, "url": url}])


def _trouble(page: Page, looks: tuple[Look, ...], where: str) -> dict[str, Any]:
    """What is wrong in this part of the page, by how it was looked at."""
    found = {}
    for size, scheme, rules in looks:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme)
        found[f"{size[0]} {scheme}"] = page.evaluate(_LOOK, [rules, where])
    return {how: what for how, what in found.items() if what}


def _looks(name: str, pages: Collection[str]) -> tuple[Look, ...]:
    """The settings' many pages are made of few templates: a new row's form is that of one that is there, and the last
    question before something is removed is the same everywhere. Those are opened all the same.
    """
    if name.endswith("_delete"):
        return ONCE if name == "settings_tags_delete" else ()
    if name.endswith("_new"):
        return () if name.replace("_new", "_edit") in pages else TWICE
    return TWICE if name.startswith("settings_") else FOUR_TIMES


def test_every_page(context: BrowserContext, live_server: LiveServer, company: Company) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("response", lambda response: errors.append(response.url) if response.status >= 400 else None)

    trouble: dict[str, Any] = {}
    walks = everything.everything(company, now())
    for walk in walks:
        _become(context, walk.browser, live_server.url)
        for name, path in walk.pages.items():
            page.goto(path, wait_until="domcontentloaded")
            # Around every page of the settings is the same desk.
            where = "#main" if name.startswith("settings_") else ":root"
            if found := _trouble(page, _looks(name, walk.pages), where):
                trouble[name] = found
    assert trouble == {}
    assert errors == []
    assert everything.names() - {name for walk in walks for name in walk.pages} - everything.NO_PAGES == set()
