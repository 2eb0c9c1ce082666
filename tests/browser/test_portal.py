"""Journeys: a customer signs in by the mailed link, reads, answers and closes; a manager reads her company's tickets, a
stranger cannot.
"""

import re
from datetime import date, timedelta

import pytest
from django.core import mail as outbox
from django.utils.timezone import now
from playwright.sync_api import Browser, expect
from pytest_django import Settings

from helpdesk import limits
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, Organization
from tests.fixtures.company import Company
from tests.fixtures.customers import session_of
from tests.fixtures.desk import write
from tests.fixtures.mailing import settle
from tests.fixtures.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_mail_to_the_closed_ticket(browser: Browser, site: Site, company: Company, settings: Settings) -> None:
    limits.forget()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ticket = write(company.carol, now() - timedelta(hours=1), subject="Checkout is slow")
    conversations.reply(ticket.pk, company.grace, "Please **look** again.", at=now() - timedelta(minutes=5))
    phone = browser.new_context(base_url=site.url, viewport={"width": 390, "height": 844})
    page = phone.new_page()
    page.goto("/portal/")
    page.fill("input[type=email]", "carol@acme.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Look into your mail")
    settle(now() + timedelta(seconds=1))
    link = re.search(r"/portal/sign-in/link/\S+", str(outbox.outbox[-1].body))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Sign me in").click()
    page.get_by_role("link", name="Checkout is slow").click()
    expect(page.locator(".said")).to_have_count(2)
    page.fill("#text", "Half of it is still slow.")
    page.goto("/portal/plan/")
    page.goto(f"/portal/conversations/{ticket.pk}/")
    expect(page.locator("#text")).to_have_value("Half of it is still slow.")
    page.set_input_files("#uploads", {"name": "log.txt", "mimeType": "text/plain", "buffer": b"slow"})
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".said")).to_have_count(3)
    expect(page.locator(".said").last).to_contain_text("log.txt")
    expect(page.locator("#text")).to_have_value("")
    assert Message.objects.filter(conversation=ticket, via="portal").count() == 1
    page.get_by_role("button", name="It is solved: close").click()
    expect(page.locator("#state")).to_have_text("Solved")
    assert Conversation.objects.get(pk=ticket.pk).status == "resolved"

    # A manager of the same company reads it; a customer of another one cannot.
    boss = Customer.objects.create(
        name="Boss", email="boss@acme.example", organization=company.carol.organization, is_manager=True,
        created_at=now(),
    )  # fmt: skip
    for customer, sees in ((boss, True), (company.gil, False)):
        phone.clear_cookies()
        phone.add_cookies([{"name": sessions.COOKIE, "value": session_of(customer), "url": site.url}])
        page.goto("/portal/")
        expect(page.get_by_role("link", name="Checkout is slow")).to_have_count(int(sees))
        answer = page.goto(f"/portal/conversations/{ticket.pk}/")
        assert answer is not None and answer.status == (200 if sees else 404)

    # After her first days she books a chat; the panel knows her by the portal's word, and keeps nothing of it.
    Organization.objects.filter(pk=boss.organization_id).update(customer_since=date(2020, 1, 1))
    phone.clear_cookies()
    phone.add_cookies([{"name": sessions.COOKIE, "value": session_of(boss), "url": site.url}])
    page.goto("/portal/chats/")
    page.get_by_role("link", name="Book a chat").click()
    expect(page.locator("#slots label").first).to_be_visible()
    expect(page.locator("#book-for")).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('desk:')).length") == 0
    phone.close()
