"""Writing in a real browser: canned replies and mentions by keys, taking back, two at once, a phone."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers import agents
from helpdesk.events.actors import Actor
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk import facts
from tickets.desk.models import CannedReply, Draft, Mention

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _open(page: Page, live_server: LiveServer, conversation: Conversation, who: str = "ada") -> None:
    path = f"/desk/conversations/{conversation.pk}/"
    page.goto(f"{live_server.url}/desk/login/?next={path}")
    page.get_by_label("E-mail").fill(f"{who}@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect(page.locator("html.js #thread")).to_be_attached()


def test_a_canned_reply_and_a_mention_by_keys_and_one_taken_back(
    page: Page, live_server: LiveServer, company: Company
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    conversation = write(company.carol, now() - timedelta(minutes=5))
    hello = CannedReply.objects.create(
        shortcut="hello", name="Greeting", text="Hello {{ customer.first_name }},\n\nwelcome.", updated_at=now()
    )
    _open(page, live_server, conversation)
    text = page.get_by_label("Message", exact=True)

    page.keyboard.press("n")
    page.keyboard.type("Can you look, @gra")
    expect(page.locator(".suggestions").get_by_role("option", name="Grace Hopper")).to_be_visible()
    page.keyboard.press("Enter")
    expect(text).to_have_value("Can you look, @Grace Hopper ")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note")).to_contain_text("@Grace Hopper")
    assert Mention.objects.get().user == company.grace

    page.keyboard.press("r")
    page.keyboard.type("/hel")
    expect(page.get_by_role("option", name="Greeting")).to_be_visible()
    page.keyboard.press("Tab")
    expect(text).to_have_value("Hello Carol,\n\nwelcome.")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    assert Draft.objects.get().text == "Hello Carol,\n\nwelcome."
    hello.refresh_from_db()
    assert hello.uses == 1
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out")).to_contain_text("welcome.")

    expect(page.locator("#undo")).to_contain_text("Reply sent")
    page.keyboard.press("z")
    expect(page.locator(".msg.out")).to_have_count(0)
    expect(text).to_have_value("Hello Carol,\n\nwelcome.")
    assert not Message.objects.filter(kind="outbound").exists() and errors == []


def test_changes_that_follow_each_other_open_by_key_and_by_pointer_and_a_name_is_picked(
    page: Page, live_server: LiveServer, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "MOST_LISTED", 2)
    monkeypatch.setattr(facts, "MOST_LISTED", 2)
    conversation = write(company.carol, now() - timedelta(minutes=5))
    for priority in ("high", "low", "urgent", "normal", "high"):
        changes = conversations.Changes(priority=priority)
        conversations.change(conversation.pk, changes, actor=Actor.agent(company.ada), at=now())
    _open(page, live_server, conversation)

    summary, lines = page.locator(".fold summary"), page.locator(".fold ol li")
    expect(lines.first).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(lines.first).to_be_visible()
    summary.click()
    expect(lines.first).to_be_hidden()

    # There are too many agents to list: the name is typed, and chosen among those found.
    other = page.get_by_role("textbox", name="Another assignee")
    other.focus()
    page.keyboard.type("o")
    expect(page.get_by_role("option", name="Ada Lovelace")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(other).to_have_value("Grace Hopper")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Assignee", exact=True)).to_have_value(str(company.grace.pk))


def test_of_two_who_answer_at_once_the_second_is_asked_and_loses_nothing(
    browser: Browser, live_server: LiveServer, company: Company
) -> None:
    conversation = write(company.carol, now() - timedelta(minutes=5))
    pages = {who: browser.new_context().new_page() for who in ("ada", "grace")}
    for who, page in pages.items():
        _open(page, live_server, conversation, who)
        page.get_by_label("Message", exact=True).fill(f"From {who}")

    pages["grace"].get_by_role("button", name="Send reply").click()
    expect(pages["grace"].locator(".msg.out")).to_contain_text("From grace")
    # Before the other page has asked for news: as if both had pressed the button at once.
    pages["ada"].locator("[name=seen]").evaluate(f"field => field.value = {Message.objects.earliest('pk').pk}")
    pages["ada"].get_by_role("button", name="Send reply").click()

    expect(pages["ada"].get_by_role("alert")).to_contain_text("Grace Hopper wrote again. Send anyway?")
    expect(pages["ada"].get_by_label("Message", exact=True)).to_have_value("From ada")
    pages["ada"].get_by_role("button", name="Send anyway").click()
    expect(pages["ada"].locator(".msg.out")).to_have_count(2)


def test_what_is_typed_outlives_the_login(page: Page, live_server: LiveServer, company: Company) -> None:
    conversation = write(company.carol, now() - timedelta(minutes=5))
    _open(page, live_server, conversation)
    page.get_by_label("Message", exact=True).fill("An hour of work")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Message", exact=True).press_sequentially(", and more")
    expect(page.locator("#saved")).to_have_text("Kept in this browser")

    _open(page, live_server, conversation)

    expect(page.get_by_label("Message", exact=True)).to_have_value("An hour of work, and more")


def test_a_hostile_conversation_fits_a_phone(page: Page, live_server: LiveServer, company: Company) -> None:
    zalgo = "Z" + "\u0351\u0317\u0352" * 60 + " " + "W" * 400 + " \u202eevil " + "مرحبا " * 40
    conversation = write(company.carol, now(), subject=zalgo, text=zalgo)
    conversations.reply(conversation.pk, company.ada, "```\n" + "x" * 500 + "\n```\n- **a**", at=now())
    page.set_viewport_size({"width": 390, "height": 844})
    _open(page, live_server, conversation)

    for key in ("s", "."):
        page.keyboard.press(key)
        expect(page.locator(".menu[open] .pop")).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("#beside")).to_be_in_viewport()

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
