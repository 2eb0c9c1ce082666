"""An agent at work in a real browser: by keyboard, live, and with JavaScript off."""

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/desk/")
    page.get_by_label("E-mail").fill("ada@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Needs reply")).to_be_visible()


def _keys_work(page: Page) -> None:
    expect(page.locator("html.js")).to_be_attached()


def test_a_morning_by_keyboard(page: Page, live_server: LiveServer, company: Company) -> None:
    errors: list[str] = []
    # The server of these tests speaks no WebSocket: the page says so and asks as it does without one.
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "WebSocket" not in m.text else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    first = write(company.carol, now() - timedelta(minutes=30), subject="First of all")
    write(company.gil, now() - timedelta(minutes=5), subject="Later", priority="low")
    _log_in(page, live_server)

    _keys_work(page)
    page.keyboard.press("j")
    if "First of all" not in page.locator("a.row:focus").inner_text():
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="First of all")).to_be_visible()
    _keys_work(page)
    page.keyboard.press("n")
    page.keyboard.type("Looks like the cache.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note")).to_contain_text("Looks like the cache.")
    _keys_work(page)
    page.keyboard.press("r")
    page.keyboard.type("Hello Carol, it works again.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out")).to_contain_text("it works again")
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    _keys_work(page)
    page.keyboard.press("u")

    expect(page.get_by_role("heading", name="Needs reply")).to_be_visible()
    expect(page.locator("li.item")).to_have_count(1)
    assert Message.objects.filter(conversation=first, kind="outbound", agent=company.ada).count() == 1
    assert errors == []


def test_what_happens_elsewhere_appears_without_moving_what_is_pointed_at(
    page: Page, live_server: LiveServer, company: Company
) -> None:
    write(company.carol, now() - timedelta(minutes=10), subject="Was there first", priority="low")
    _log_in(page, live_server)
    row = page.locator("li.item").first
    row.hover()
    write(company.gil, now() - timedelta(hours=20), subject="More pressing", priority="urgent")

    button = page.get_by_role("button", name="Show what is new")
    expect(button).to_be_visible(timeout=15_000)
    expect(row).to_contain_text("Was there first")
    page.mouse.move(0, 0)

    expect(page.locator("li.item").first).to_contain_text("More pressing")
    expect(button).to_be_hidden()


def test_an_answer_of_the_customer_appears_while_the_agent_writes(
    page: Page, live_server: LiveServer, company: Company
) -> None:
    conversation = write(company.carol, now() - timedelta(minutes=10))
    _log_in(page, live_server)
    page.goto(f"{live_server.url}/desk/conversations/{conversation.pk}/")
    _keys_work(page)
    page.keyboard.press("r")
    page.keyboard.type("I was just about to say")
    conversations.receive_message(
        Inbound(channel="email", customer=company.carol, at=now(), text="Never mind!", conversation_id=conversation.pk)
    )

    expect(page.locator(".thread")).to_contain_text("Never mind!", timeout=15_000)
    expect(page.get_by_label("Message", exact=True)).to_have_value("I was just about to say")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()


def test_what_was_typed_survives_a_closed_page(page: Page, live_server: LiveServer, company: Company) -> None:
    conversation = write(company.carol, now())
    _log_in(page, live_server)
    page.goto(f"{live_server.url}/desk/conversations/{conversation.pk}/")
    _keys_work(page)
    page.get_by_label("Message", exact=True).fill("Half a thou")
    page.goto(f"{live_server.url}/desk/")
    page.goto(f"{live_server.url}/desk/conversations/{conversation.pk}/")

    expect(page.get_by_label("Message", exact=True)).to_have_value("Half a thou")


def test_html_mail_runs_nothing_and_loads_nothing(page: Page, live_server: LiveServer, company: Company) -> None:
    conversation = write(company.carol, now(), html='<p>Formatted</p><img data-src="https://tracker.example/x.png">')
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    _log_in(page, live_server)
    page.goto(f"{live_server.url}/desk/conversations/{conversation.pk}/")
    page.get_by_text("Formatted version").click()

    expect(page.frame_locator("iframe").get_by_text("Formatted")).to_be_visible()
    assert not [url for url in asked if "tracker.example" in url]


def test_without_javascript_everything_but_live_updates_works(
    browser: Browser, live_server: LiveServer, company: Company
) -> None:
    conversation = write(company.carol, now(), subject="No script")
    page = browser.new_context(java_script_enabled=False).new_page()
    _log_in(page, live_server)
    page.get_by_role("link", name="Carol Meyer").click()
    page.get_by_role("button", name="Take").click()
    page.get_by_label("Priority").select_option("high")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Note", exact=True).click()
    page.get_by_label("Message", exact=True).fill("Only us")
    page.get_by_role("button", name="Add note").click()

    expect(page.locator(".msg.note")).to_contain_text("Only us")
    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.priority) == (company.ada, "high")


def test_a_customer_opens_a_ticket(page: Page, live_server: LiveServer, company: Company) -> None:
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Open a ticket").first.click()
    page.get_by_label("Your e-mail address").fill("nora@new.example")
    page.get_by_label("What is it about?").fill("The shop is down")
    page.get_by_text("My production site is down").click()
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("Tell us what happened.")
    expect(page.get_by_label("What is it about?")).to_have_value("The shop is down")
    page.get_by_label("What happened?").fill("Since ten o'clock.")
    page.get_by_role("button", name="Send ticket").click()

    expect(page.get_by_role("heading", name="Thank you, we have it")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"within 30 minutes"))
    assert Conversation.objects.get().priority == "urgent"


@pytest.mark.parametrize("path", ["/", "/tickets/new/", "/desk/", "/desk/pages/", "/desk/on-call/", "/desk/mail/"])
def test_no_page_is_wider_than_a_phone(path: str, page: Page, live_server: LiveServer, company: Company) -> None:
    write(company.carol, now(), subject="A" * 300, text="B" * 3000)
    page.set_viewport_size({"width": 360, "height": 740})
    _log_in(page, live_server)
    page.goto(live_server.url + path)

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
