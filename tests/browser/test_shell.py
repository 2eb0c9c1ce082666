"""The desk's shell in a real browser: panes, history, focus, selection, palette, layers, and a phone."""

import re
from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils.timezone import now
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk.models import Macro
from tickets.models import SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue(company: Company) -> list[Conversation]:
    """Five, the first due first."""
    at = now()
    subjects = ("First", "Second", "Third", "Fourth", "Fifth")
    return [
        write(company.carol, at - timedelta(minutes=50 - 10 * number), subject=subject)
        for number, subject in enumerate(subjects)
    ]


def _log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/desk/")
    page.get_by_label("E-mail").fill("ada@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")
    expect(page.locator("html.js #rows a.row").first).to_be_visible()


def _title(page: Page, text: str) -> None:
    expect(page.locator("#head h1")).to_have_text(text)


def _row(page: Page, subject: str) -> Locator:
    return page.locator("#rows a.row", has_text=subject)


def _at(page: Page, conversation: Conversation) -> None:
    expect(page).to_have_url(re.compile(rf"/desk/conversations/{conversation.pk}/$"))


def test_a_queue_is_worked_by_keys_alone(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    _title(page, "Second")
    _at(page, queue[1])
    expect(page.locator("#rows a.row")).to_have_count(5)
    expect(page.locator("#rows a.row[aria-current]")).to_contain_text("Second")
    expect(page.locator("#scroll")).to_be_focused()

    page.keyboard.press("]")
    _title(page, "Third")
    # Typed at once, while it may still be opening.
    page.keyboard.press("r")
    page.keyboard.type("Hello Carol, j k ] it works.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out")).to_contain_text("it works")
    _at(page, queue[2])
    expect(page.locator("#rows a.row")).to_have_count(4)
    assert page.evaluate("document.activeElement !== document.body")
    page.keyboard.press("]")
    _title(page, "Fourth")
    page.keyboard.press("u")

    expect(page.locator("#main")).to_be_hidden()
    expect(page).to_have_url(f"{live_server.url}/desk/")
    assert page.evaluate("document.activeElement !== document.body")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="Mine", exact=True)).to_be_visible()
    assert Message.objects.filter(conversation=queue[2], kind="outbound", agent=company.ada).count() == 1


def test_the_back_button_goes_back_and_the_list_stays_where_it_is(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 300})
    _log_in(page, live_server)
    page.evaluate("document.getElementById('rows').isTheSame = true")
    _row(page, "Fourth").click()
    _title(page, "Fourth")
    scrolled = page.evaluate("document.getElementById('list').scrollTop")
    assert scrolled > 0
    _row(page, "Fifth").click()
    _title(page, "Fifth")

    page.go_back()
    _title(page, "Fourth")
    expect(page.locator("#rows a.row[aria-current]")).to_contain_text("Fourth")
    page.go_back()
    expect(page.locator("#main")).to_be_hidden()
    expect(page.locator("#rows a.row:focus")).to_contain_text("Fourth")
    page.go_forward()
    _title(page, "Fourth")
    _at(page, queue[3])
    assert page.evaluate("document.getElementById('rows').isTheSame") is True


def test_a_conversation_opened_by_its_address_gets_the_list_beside_it(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.goto(f"{live_server.url}/desk/conversations/{queue[3].pk}/")

    expect(page.locator("#rows a.row[aria-current]")).to_contain_text("Fourth")
    expect(page.locator("#views [aria-current]")).to_contain_text("Needs reply")
    _row(page, "First").click()
    _title(page, "First")
    _at(page, queue[0])


def test_several_are_chosen_changed_and_taken_back_by_keys(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("Shift+J")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.locator("#rows a.row").nth(3).click(modifiers=["Shift"])
    expect(page.get_by_text("4 selected")).to_be_visible()
    page.get_by_role("button", name="Take", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page.locator(".toast")).to_contain_text("4 done")
    expect(page.locator("#bulk")).to_be_hidden()
    assert Conversation.objects.filter(assignee=company.ada).count() == 4
    page.locator("#list").focus()
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("4 taken back")
    assert not Conversation.objects.exclude(assignee=None).exists()

    # A row that has the focus is done with unopened, and the next one has the focus then.
    _row(page, "Second").focus()
    page.keyboard.press("e")
    expect(page.locator("#rows a.row")).to_have_count(4)
    expect(page.locator("#rows a.row:focus")).to_contain_text("Third")
    assert Conversation.objects.get(status="resolved").pk == queue[1].pk


def test_a_macro_is_looked_at_applied_to_several_and_taken_back(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    actions = [{"do": "set_priority", "value": "high"}, {"do": "add_tags", "value": ["outage"]}]
    Macro.objects.create(name="Outage", actions=actions, updated_at=now())
    _log_in(page, live_server)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("Shift+J")
    page.get_by_role("button", name="Reply", exact=True).click()
    page.get_by_text("Apply a macro").click()
    page.get_by_label("Find a macro").fill("outa")
    does = page.get_by_role("list", name="What it does")
    expect(does).to_be_visible()
    expect(does).to_contain_text("outage")
    page.get_by_role("button", name="Do it").click()

    expect(page.locator(".toast")).to_contain_text("2 done")
    assert Conversation.objects.filter(priority="high", tags__name="outage").count() == 2
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("2 taken back")
    assert not Conversation.objects.filter(Q(priority="high") | Q(tags__name="outage")).exists()


def test_all_are_answered_from_the_layer_and_the_report_tells_of_each(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_label("Select all that are shown").check()
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("textbox", name="Reply to all")).to_be_focused()
    page.keyboard.type("Hello {{ customer.first_name }}, it is over.")
    page.get_by_role("button", name="Do it").click()

    expect(page.locator(".toast")).to_contain_text("5 done")
    expect(page.locator("#layer")).to_be_hidden()
    page.get_by_role("link", name="Delivery report").click()
    expect(page.get_by_text("Waiting to be sent")).to_have_count(5)
    assert set(Message.objects.filter(kind="outbound").values_list("text", flat=True)) == {"Hello Carol, it is over."}


def test_the_palette_finds_and_does(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or jump")
    expect(field).to_be_focused()
    page.keyboard.type("thi")
    option = page.get_by_role("option", name="Third")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", f"p-c{queue[2].pk}")
    page.keyboard.press("Enter")
    _title(page, "Third")
    expect(page.locator("html.js")).to_be_attached()

    page.keyboard.press("r")
    page.keyboard.press("Control+k")
    page.keyboard.type(">take")
    page.keyboard.press("Enter")
    expect(page.locator("#head")).to_contain_text("Ada Lovelace")
    page.keyboard.press("Control+k")
    page.keyboard.type("carol mey")
    page.get_by_role("option", name="Carol Meyer").first.click()
    expect(page.get_by_role("heading", name="Carol Meyer")).to_be_visible()


def test_a_filter_becomes_a_view(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("f")
    layer = page.locator("#layer")
    layer.get_by_label("Assignee").select_option("none")
    layer.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Assignee: Nobody")).to_be_visible()
    page.get_by_role("link", name="Save as view").click()
    expect(layer.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Free ones")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Free ones")).to_be_visible()
    assert SavedView.objects.get().filters == {"status": ["new", "open"], "assignee": "none"}


def test_single_letters_can_be_switched_off(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_contain_text("Filter")
    with page.expect_response("**/desk/keys/"):
        keys.get_by_label("Single letters are keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("html.js")).to_be_attached()

    page.keyboard.press("?")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")

    expect(keys).to_be_hidden()
    expect(page.locator("#rows a.row:focus")).to_contain_text("Second")


def test_letters_with_alt_belong_to_the_keyboard(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    for combination in ("Alt+j", "Control+Alt+j", "Alt+x", "Control+Alt+k"):
        page.keyboard.press(combination)

    expect(page.locator("#rows a.row:focus")).to_have_count(0)
    expect(page.locator("#palette")).to_be_hidden()


def test_on_a_phone_there_is_one_pane_at_a_time(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _log_in(page, live_server)
    expect(page.locator("#views > ul > li:visible, #views > .more-button:visible")).to_have_count(5)
    _row(page, "Second").click()
    _title(page, "Second")
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("button", name="What can be done").click()
    expect(page.locator("#take")).to_be_in_viewport()
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_role("heading", name="Service level")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Service level")).to_be_hidden()
    page.get_by_role("link", name="Back to the queue").click()

    expect(page.locator("#rows a.row:focus")).to_contain_text("Second")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_lost_connection_is_told_and_loses_nothing(
    page: Page, live_server: LiveServer, company: Company, queue: list[Conversation]
) -> None:
    _log_in(page, live_server)
    _row(page, "First").click()
    _title(page, "First")
    page.get_by_label("Message", exact=True).fill("Half a thought")
    page.context.set_offline(True)
    _row(page, "Fifth").click()

    expect(page.locator(".toast")).to_contain_text("No connection")
    _title(page, "First")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Half a thought")
    page.context.set_offline(False)
    _row(page, "Fifth").click()
    _title(page, "Fifth")
