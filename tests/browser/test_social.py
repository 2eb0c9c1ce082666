"""An angry post: counted and guarded while one types, covered until asked for, and answered in public."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from helpdesk.conversations.models import Message
from social.models import Topic
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.social.talk import account_on, said_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_angry_post_is_answered_in_public(enter: Enter, company: Company) -> None:
    at = now()
    Topic.objects.create(name="Outages", rule="public", words=["down"], answer="We are looking into it.")
    conversation = said_to(account_on("x", at, send_delay=60), "Fuck you, web14 is down again", at)
    desk = enter(company.grace, f"/desk/conversations/{conversation.pk}/")
    expect(desk.locator("#network")).to_contain_text("PUBLIC")
    angry = desk.get_by_text("web14 is down again", exact=False).last
    expect(angry).not_to_be_visible()
    desk.get_by_text("Covered: perhaps abusive. Show it").click()
    expect(angry).to_be_visible()

    expect(desk.locator("html.js")).to_be_attached()
    desk.get_by_role("button", name="Insert").first.click()
    counted, text = desk.locator("#counted"), desk.locator("#text")
    expect(counted).to_have_text("23 of 280 · costs $0.01")
    text.fill("Write to joe@private.example")
    expect(counted).to_contain_text("Would stand in public: an e-mail address")
    desk.get_by_role("button", name="Answer in public").click()
    expect(desk.get_by_text("This would stand in public: an e-mail address.")).to_be_visible()
    desk.locator("#text").fill("We are looking into it.")
    desk.get_by_role("button", name="Answer in public").click()
    expect(desk.locator("#undo")).to_be_visible()
    assert Message.objects.get(conversation=conversation, kind="outbound").text == "We are looking into it."
