"""The widget on a customer's page that allows next to nothing, in a browser that forbids its frame any storage."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils.timezone import now
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from chat import widgets
from chat.models import Booking, Chat, PageEvent, Widget
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.sla.models import Calendar
from tests.fixtures.company import Company
from tests.fixtures.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = """<!doctype html><html lang="en"><title>Shop</title><meta name="viewport" content="width=device-width">
<body><main><h1>A shop</h1></main>
<script async src="{desk}/chat/loader.js" data-key="pk_demo"{more}></script></body></html>"""
POLICY = (
    "default-src 'none'; script-src {desk}; connect-src {desk}; frame-src {desk}; style-src 'none'; img-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
NO_STORAGE = """for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });"""
_AXE = """async () => {
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false, runOnly });
  return found.violations.map(one => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`);
}"""

Visit = Callable[..., Page]


@pytest.fixture
def shop(site: Site) -> Iterator[str]:
    """A customer's page under the strictest policy that a widget can live with; another site than the desk."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            more = ' data-auto="false"' if self.path.endswith("?manual") else ""
            body = PAGE.format(desk=site.url, more=more).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY.format(desk=site.url))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's page needs no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="shop")
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def context(browser: Browser, company: Company) -> Iterator[BrowserContext]:
    """At any hour of the day somebody is there."""
    Calendar.objects.update(is_office=False)
    made = browser.new_context(reduced_motion="reduce", viewport={"width": 1000, "height": 860})
    yield made
    made.close()


def _come(context: BrowserContext, shop: str) -> tuple[Page, list[str]]:
    """A page of the shop, and everything that goes wrong on it."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(shop)
    return page, wrong


def _open(page: Page) -> FrameLocator:
    page.get_by_role("button", name="Open chat").click()
    panel = page.frame_locator("iframe")
    expect(panel.locator("#text")).to_be_visible()
    return panel


def _write(panel: FrameLocator, text: str) -> None:
    panel.locator("#text").fill(text)
    panel.locator("#text").press("Enter")


def _begin(panel: FrameLocator, text: str) -> int:
    """The first words; the number of the conversation that they begin."""
    panel.locator("#email").fill("stranger@shop.example")
    _write(panel, text)
    expect(panel.locator(".mine[data-seq]")).to_have_count(1)
    return int(Chat.objects.latest("pk").pk)


def _texts(panel: FrameLocator) -> list[str]:
    return [text.removeprefix("You: ") for text in panel.locator(".mine .bubble").all_text_contents()]


def test_a_visitor_and_an_agent_talk(context: BrowserContext, shop: str, company: Company) -> None:
    page, wrong = _come(context, shop)
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    assert page.frames[1:] == []
    panel = _open(page)
    number = _begin(panel, "Is anybody there?")
    panel.locator("#pick").set_input_files(
        {"name": "log <b>.txt", "mimeType": "text/plain", "buffer": b"it does not work"}
    )
    expect(panel.locator("#files li")).to_have_count(1)
    expect(panel.locator("#files progress")).to_have_count(0)
    _write(panel, "🎉")
    expect(panel.locator(".mine.big .bubble")).to_have_text("You: 🎉")
    expect(panel.locator(".file")).to_contain_text(".txt")

    conversations.reply(number, company.grace, "I am **here**: https://example.com/a.", at=now())
    expect(panel.locator(".theirs strong")).to_have_text("here")
    expect(panel.locator(".theirs a")).to_have_attribute("href", "https://example.com/a")

    panel.locator("#text").press("Escape")
    expect(page.locator("iframe")).to_be_hidden()
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.ariaExpanded") == "false"
    conversations.reply(number, company.grace, "Still there?", at=now())
    expect(page.get_by_role("button", name="Open chat, unread messages: 1")).to_be_visible()
    page.get_by_role("button", name="Open chat, unread messages: 1").click()
    expect(panel.locator(".theirs")).to_have_count(2)
    expect(page.get_by_role("button", name="Close chat")).to_be_visible()

    page.reload()
    expect(page.frame_locator("iframe").locator(".theirs")).to_have_count(2)
    assert wrong == []


def test_nothing_is_lost_offline_and_nothing_comes_twice_in_two_tabs(context: BrowserContext, shop: str) -> None:
    page, _wrong = _come(context, shop)
    panel = _open(page)
    number = _begin(panel, "one")
    context.set_offline(True)
    for text in ("two", "three"):
        _write(panel, text)
    expect(panel.locator(".pending")).to_have_count(2)
    panel.locator("#text").fill("half a thought")
    # The page's policy allows no `eval`, so Playwright cannot wait for this by itself.
    while page.evaluate("localStorage.getItem('desk:pk_demo.draft')") != "half a thought":
        page.wait_for_timeout(20)
    page.close()
    context.set_offline(False)

    first, second = (_come(context, shop)[0] for _tab in range(2))
    panels = [_open(first), _open(second)]
    for one in panels:
        expect(one.locator(".mine[data-seq]")).to_have_count(3)
        expect(one.locator("#text")).to_have_value("half a thought")
    # Keys go to the tab in front, the one opened last, as they do for people: in one behind it they may reach no frame.
    _write(panels[1], "four")
    expect(panels[1].locator(".mine[data-seq]")).to_have_count(4, timeout=25_000)
    # A hint that got lost costs one heartbeat.
    expect(panels[0].locator(".mine[data-seq]")).to_have_count(4, timeout=25_000)

    assert _texts(panels[0]) == ["one", "two", "three", "four"]
    kept = Message.objects.filter(conversation=number, author_kind="customer").order_by("pk")
    assert list(kept.values_list("text", flat=True)) == ["one", "two", "three", "four"]


def test_without_any_storage_and_without_sockets_it_still_works(
    context: BrowserContext, shop: str, company: Company
) -> None:
    context.add_init_script(NO_STORAGE)
    context.route_web_socket("**/ws/chat", lambda socket: socket.close())
    page, _wrong = _come(context, shop)
    panel = _open(page)
    number = _begin(panel, "hello")

    with page.expect_request(lambda request: "/events?" in request.url and "wait=25" in request.url):
        conversations.reply(number, company.grace, "Hello to you", at=now())

    expect(panel.locator(".theirs .bubble")).to_contain_text("Hello to you")


def test_who_may_not_chat_live_is_shown_other_ways_and_keeps_the_text(context: BrowserContext, shop: str) -> None:
    page, _wrong = _come(context, shop)
    panel = _open(page)
    panel.locator("#email").fill("carol@acme.example")
    _write(panel, "My site is slow")

    expect(panel.locator("#way-book")).to_be_focused()
    expect(panel.locator("#text")).to_have_value("My site is slow")
    panel.locator("#way-mail").click()
    panel.locator("#send").click()

    expect(panel.locator(".mine[data-seq]")).to_have_count(1)
    assert Chat.objects.get().mode == Chat.Mode.TICKET


def test_a_chat_is_booked_moved_and_called_off(context: BrowserContext, shop: str, company: Company) -> None:
    # As on pages without TLS.
    context.add_init_script("delete Crypto.prototype.randomUUID")
    page, wrong = _come(context, shop)
    panel = _open(page)
    _begin(panel, "hello")
    panel.locator("#more").click()
    panel.locator("#go-book").click()
    panel.locator("#topic").fill("Moving <b>our</b> shop")
    panel.locator("#day").select_option(index=1)
    panel.locator("#slots label").first.click()
    panel.locator("#do-book").click()
    expect(panel.locator(".sys").last).to_contain_text("See you")
    booking = Booking.objects.get()

    panel.locator("#more").click()
    panel.locator("#go-book").click()
    line = panel.locator(".booked")
    expect(line).to_contain_text("Moving <b>our</b> shop")
    line.get_by_role("button", name="Move the chat").click()
    expect(panel.locator("#topic")).to_be_hidden()
    panel.locator("#slots label").nth(3).click()
    before = line.locator("b").inner_text()
    panel.locator("#do-book").click()
    expect(line.locator("b")).not_to_have_text(before)
    expect(panel.locator("#topic")).to_be_visible()
    first, booking = booking, Booking.objects.get()
    assert (booking.pk, booking.revision) == (first.pk, 1) and booking.starts_at != first.starts_at

    line.get_by_role("button", name="Cancel").click()
    expect(line).to_contain_text("Cancelled:")
    booking.refresh_from_db()
    assert (booking.state, booking.revision) == (Booking.State.CANCELLED, 2)
    panel.locator("#back").click()
    panel.locator("#more").click()
    panel.locator("#go-book").click()
    expect(panel.locator("#zone")).not_to_be_empty()
    expect(line).to_have_count(0)
    assert wrong == []


def test_on_a_phone_the_way_back_shuts_the_panel(browser: Browser, shop: str, company: Company) -> None:
    Calendar.objects.update(is_office=False)
    Widget.objects.update(sees_pages=True)
    widgets.forget(Widget.objects.get(key="pk_demo"))
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce") as phone:
        page, wrong = _come(phone, shop)
        before = page.url
        for _time in range(2):
            panel = _open(page)
            panel.locator("#text").click()
            _wait(page, lambda: page.frames[1].evaluate("history.state?.desk") == "open")
            page.evaluate("history.back()")
            expect(page.locator("iframe")).to_be_hidden()
            assert page.url == before

        panel = _open(page)
        panel.locator("#text").click()
        _wait(page, lambda: page.frames[1].evaluate("history.state?.desk") == "open")
        # What the page tells of them reaches the agents.
        page.evaluate("Desk('track', 'Cart filled', { items: 3 })")
        _wait(page, lambda: PageEvent.objects.filter(name="Cart filled", props={"items": "3"}).exists())
        panel.locator("#close").click()
        expect(page.locator("iframe")).to_be_hidden()
        _wait(page, lambda: page.frames[1].evaluate("history.state") is None)
        assert (page.url, wrong) == (before, [])


def _wait(page: Page, condition: Callable[[], bool]) -> None:
    """The page's policy allows no `eval`, so Playwright cannot wait for this by itself."""
    until = monotonic() + 10
    while not condition():
        assert monotonic() < until
        page.wait_for_timeout(20)


def test_in_the_page_s_own_colour_and_where_colours_are_forced(
    context: BrowserContext, shop: str, company: Company
) -> None:
    page, wrong = _come(context, f"{shop}?manual")
    page.evaluate("Desk('boot', { color: '#C22C2C' })")
    button = page.get_by_role("button", name="Open chat")
    expect(button).to_have_css("background-color", "rgb(194, 44, 44)")
    panel = _open(page)
    expect(panel.locator("#head")).to_have_css("background-color", "rgb(194, 44, 44)")
    panel.locator("#email").fill("stranger@shop.example")

    page.emulate_media(forced_colors="active")
    for part in ("#head", "#send", ".pill", "#head .face >> nth=0"):
        expect(panel.locator(part)).not_to_have_css("border-bottom-width", "0px")
    assert wrong == []


def _trouble(page: Page) -> dict[str, list[str]]:
    found = {}
    for frame in page.frames:
        frame.evaluate(AXE_SCRIPT)
        trouble = frame.evaluate(_AXE)
        if frame.evaluate("document.documentElement.scrollWidth > innerWidth"):
            trouble.append("runs out sideways")
        if trouble:
            found[frame.url.split("?")[0]] = trouble
    return found


def test_for_other_eyes_hands_and_screens(context: BrowserContext, shop: str, company: Company) -> None:
    page, _wrong = _come(context, shop)
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    assert _trouble(page) == {}
    panel = _open(page)
    assert _trouble(page) == {}
    number = _begin(panel, "A long word: " + "x" * 300)
    conversations.reply(number, company.grace, "Hello", at=now())
    expect(panel.locator(".theirs")).to_have_count(1)
    for name in ("#go-book", "#go-past"):
        panel.locator("#more").click()
        panel.locator(name).click()
        expect(panel.locator("#back")).to_be_visible()
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        assert _trouble(page) == {}
        panel.locator("#back").click()
    page.emulate_media(color_scheme="light")
    assert _trouble(page) == {}
