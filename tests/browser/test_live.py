"""Two agents on one ticket, each in their own browser: they see each other and each other's work, live."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect

from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import User
from helpdesk.embedded.valkey import start_valkey, stop_valkey
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Enter = Callable[[User, str], Page]


@pytest.fixture
def enter(browser: Browser, site: Site) -> Iterator[Enter]:
    """A page of the desk in a new browser of this agent."""
    contexts = []

    def entered(user: User, path: str) -> Page:
        context = browser.new_context(base_url=site.url)
        contexts.append(context)
        cookie = logged_in(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site.url}])
        page = context.new_page()
        page.goto(path)
        return page

    yield entered
    for context in contexts:
        context.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Whose Valkey may be stopped: it runs again afterwards."""
    folder = Path(settings.DATA_DIR)
    yield folder
    start_valkey(folder)


def test_two_agents_see_each_other_through_a_restart_of_valkey(enter: Enter, company: Company, data_dir: Path) -> None:
    conversation = write(company.carol, now())
    address = f"/desk/conversations/{conversation.pk}/"
    ada, grace = enter(company.ada, address), enter(company.grace, address)

    expect(ada.locator("#here")).to_have_text("Grace Hopper is viewing")
    expect(grace.locator("#here")).to_have_text("Ada Lovelace is viewing")
    grace.locator("[data-composer] textarea").first.press_sequentially("Hello Carol")
    expect(ada.locator("#replying")).to_have_text("Grace Hopper is replying")
    conversations.note(conversation.pk, company.grace, "I am on it.", at=now())
    expect(ada.locator(".msg.note")).to_contain_text("I am on it.")

    stop_valkey(data_dir)
    conversations.note(conversation.pk, company.ada, "While it was down.", at=now())
    expect(grace.locator("#thread")).to_contain_text("While it was down.", timeout=15_000)
    start_valkey(data_dir)
    conversations.note(conversation.pk, company.ada, "And afterwards.", at=now())
    expect(grace.locator("#thread")).to_contain_text("And afterwards.", timeout=15_000)

    expect(grace.locator("[data-composer] textarea").first).to_have_value("Hello Carol")
    expect(ada.locator(".msg.note")).to_have_count(3)
