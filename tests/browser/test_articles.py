"""Journeys: a customer finds the answer while typing and writes no ticket; an agent answers with articles by keys."""

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, expect

from helpdesk import limits
from helpdesk.conversations.models import Conversation, Message
from knowledge import articles, suggesting
from knowledge.articles import Text
from knowledge.models import Used
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.mailing import settle
from tests.fixtures.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANSWER = Text("SSH on another port", "Use **port 2222**: `ssh -p 2222`.", summary="SSH listens on port 2222.")


def test_who_finds_the_answer_while_typing_writes_no_ticket(browser: Browser, site: Site, company: Company) -> None:
    limits.forget()
    made = articles.create(ANSWER, visibility="public", author=company.ada, at=now())
    articles.create(Text("SSH secrets", "Internal."), visibility="internal", author=company.ada, at=now())
    phone = browser.new_context(base_url=site.url, viewport={"width": 390, "height": 844}, locale="en-GB")
    page = phone.new_page()
    page.goto("/tickets/new/?topic=")
    page.get_by_label("What is it about?").press_sequentially("ssh does not answer")
    found = page.locator("#suggestions li")
    expect(found).to_have_count(1)
    found.get_by_text("SSH on another port").click()
    expect(found).to_contain_text("SSH listens on port 2222.")
    found.get_by_role("button", name="This answered my question").click()
    expect(page.get_by_role("heading", name="Glad that helped")).to_be_visible()

    (told,) = suggesting.deflected(now() - timedelta(hours=1))
    assert (told.article_id, told.suggested, told.opened, told.answered, told.written) == (made.pk, 1, 1, 1, 0)
    assert not Conversation.objects.exists()

    # The same in the widget's panel, before anything is said.
    page.goto("/chat/?key=pk_demo")
    page.get_by_label("Write a message").press_sequentially("ssh does not answer")
    expect(page.locator("#answers summary")).to_have_text(["SSH on another port"])
    phone.close()


def test_an_agent_answers_with_articles(enter: Enter, company: Company) -> None:
    made = articles.create(ANSWER, visibility="public", author=company.ada, at=now())
    asked = write(company.carol, now() - timedelta(minutes=5), subject="SSH", text="On which port is ssh?")
    page = enter(company.grace, f"/desk/conversations/{asked.pk}/")
    expect(page.locator("html.js")).to_be_attached()
    text = page.get_by_label("Message", exact=True)

    page.keyboard.press("r")
    page.keyboard.type("/port")
    expect(page.get_by_role("option", name="SSH on another port")).to_contain_text("Article")
    page.keyboard.press("Enter")
    expect(text).to_have_value(re.compile(r"^\[SSH on another port\]\("))

    page.keyboard.press("Control+k")
    page.keyboard.type("another port")
    page.get_by_role("option", name="SSH on another port").click()
    layer = page.locator("#layer")
    expect(layer).to_contain_text("Use port 2222")
    layer.get_by_role("button", name="Insert text").click()
    expect(layer).to_be_hidden()
    expect(text).to_have_value(re.compile(r"Use \*\*port 2222\*\*"))

    page.locator("#articles").scroll_into_view_if_needed()
    beside = page.locator("#articles li")
    expect(beside).to_have_count(1)
    beside.get_by_role("button", name="Insert link").click()
    expect(text).to_have_value(re.compile(r"\]\(http.*Use \*\*port 2222\*\*.*\]\(http", re.DOTALL))
    text.press("Control+Enter")
    expect(page.locator(".msg.out")).to_contain_text("Use port 2222")
    settle(now() + timedelta(minutes=1))
    assert set(Used.objects.values_list("article", "message")) == {(made.pk, Message.objects.latest("pk").pk)}
