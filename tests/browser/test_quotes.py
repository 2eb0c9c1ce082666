"""Somebody beyond the first 30 days: an agent answers with a guide, then with a quote; the customer reads and accepts
on a phone, and rates the work.
"""

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, expect

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import outbox
from helpdesk.events.actors import Actor
from helpdesk.ratings import asking
from helpdesk.ratings.models import Rating
from knowledge import articles
from knowledge.articles import Text
from quotes.models import Quote
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _link(text: str) -> str:
    """The path of the first link in a mail."""
    address = next(word for word in text.split() if word.startswith("http"))
    return "/" + address.split("/", 3)[3]


def test_beyond_the_first_days_a_guide_then_a_quote_accepted_on_the_phone_and_rated(
    enter: Enter, browser: Browser, site: Site, company: Company
) -> None:
    at = now()
    articles.create(Text("Moving a shop", "Copy **everything**."), visibility="public", author=None, at=at)
    conversation = write(company.carol, at, subject="Please move the shop")
    desk = enter(company.grace, f"/desk/customers/{company.carol.pk}/entitlements/")
    expect(desk.locator("dl.kv")).to_contain_text("The first days are over.")
    desk.goto(f"/desk/conversations/{conversation.pk}/")
    desk.locator("#articles").scroll_into_view_if_needed()
    desk.locator("#articles").get_by_role("button", name="Insert link").click()
    expect(desk.get_by_label("Message", exact=True)).to_have_value(re.compile("Moving a shop"))
    desk.get_by_label("Message", exact=True).press("Control+Enter")
    expect(desk.locator(".msg.out")).to_contain_text("Moving a shop")
    first = Message.objects.get(conversation=conversation, kind="outbound")
    context = browser.new_context(base_url=site.url, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    phone.goto(re.sub(r".*\]\(https?://[^/]+([^)]+)\).*", r"\1", first.text, flags=re.DOTALL))
    expect(phone.locator(".md")).to_contain_text("Copy everything.")

    desk.goto(f"/desk/quotes/for/{conversation.pk}/")
    desk.locator('[name="text"]').first.fill("Move the shop")
    desk.locator('[name="quantity"]').first.fill("1,5")
    desk.locator('[name="price"]').first.fill("99.90")
    desk.locator('[name="rate"]').first.fill("19")
    expect(desk.locator("[data-total]")).to_have_text("178.32\u00a0EUR")
    desk.get_by_role("button", name="Send the quote").click()
    expect(desk.locator("#quotes")).to_contain_text("waits for an answer")

    offer = Message.objects.filter(conversation=conversation, kind="outbound", is_automatic=False).latest("pk")
    phone.goto(_link(offer.text))
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert Quote.objects.get().state == "sent"
    phone.get_by_label("Your name").fill("Carol Meyer")
    phone.get_by_role("button", name="Accept for 178.32").click()
    expect(phone.get_by_text("Accepted. We begin.")).to_be_visible()
    assert Conversation.objects.get(pk=conversation.pk).status == "open"

    conversations.change(
        conversation.pk, conversations.Changes(status="resolved"), actor=Actor.agent(company.grace), at=now()
    )
    outbox.drain(at=now())
    assert asking.sweep(now() + timedelta(hours=1)) == 1
    question = Message.objects.filter(conversation=conversation, text__contains="/rate/").latest("pk")
    phone.goto(_link(question.html.replace('"', " ")))
    expect(phone.get_by_role("radio", name="Very good")).to_be_checked()
    assert Rating.objects.get().score is None
    phone.get_by_label("Would you like to add a word?").fill("Quick and kind")
    phone.get_by_role("button", name="Send").click()
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    rating = Rating.objects.get()
    assert (rating.score, rating.comment, rating.agent) == (5, "Quick and kind", company.grace)
    context.close()
