"""Conversations and their incident, in a real browser: linked by hand, and who is still broken after the end."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.events import outbox
from status import incidents, linking
from status.incidents import Opening, Words
from status.models import IncidentConversation
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _enter(page: Page, live_server: LiveServer, path: str) -> None:
    page.goto(f"{live_server.url}/desk/login/?next={path}")
    page.get_by_label("E-mail").fill("ada@demo.example")
    page.get_by_label("Password").fill("demo")
    page.keyboard.press("Enter")


def _drain() -> None:
    while outbox.drain(now()):
        pass


def test_one_is_linked_by_hand_and_told(page: Page, live_server: LiveServer, company: Company) -> None:
    words = Words("investigating", "We look at the disks.")
    incident = incidents.open_incident(Opening("Disks gone", words), company.grace, at=now() - timedelta(minutes=9))
    mine = write(company.carol, now() - timedelta(minutes=5))
    _enter(page, live_server, f"/desk/conversations/{mine.pk}/")
    expect(page.locator("html.js")).to_be_attached()
    page.locator("#incident").get_by_role("link", name="Link to an incident").click()
    page.get_by_label("Incident", exact=True).select_option("Disks gone")
    page.get_by_role("dialog").get_by_role("button", name="Link", exact=True).click()
    expect(page.locator("#incident").get_by_role("link", name="Disks gone")).to_be_visible()
    _drain()
    page.reload()
    expect(page.locator(".msg.out")).to_contain_text("We look at the disks.")
    assert IncidentConversation.objects.get().linked_by == company.ada
    assert linking.counts(incident).told == 1


def test_after_the_end_whoever_writes_again_is_listed(page: Page, live_server: LiveServer, company: Company) -> None:
    at = now() - timedelta(minutes=30)
    incident = incidents.open_incident(Opening("Disks gone", Words("investigating", "We look.")), company.ada, at=at)
    broken, fine = write(company.carol, at), write(company.gil, at)
    linking.link(incident, [broken.pk, fine.pk], how="hand", user=company.ada, at=at, tells=True)
    _drain()
    _enter(page, live_server, f"/desk/status/incidents/{incident.public_id}/")
    page.get_by_label("Status", exact=True).select_option("resolved")
    page.get_by_label("What to tell").fill("New disks.")
    page.get_by_role("button", name="Say it").click()
    expect(page.locator(".said").first).to_contain_text("New disks.")
    _drain()
    again = Inbound(channel="email", customer=company.carol, at=now(), text="Still down.", conversation_id=broken.pk)
    conversations.receive_message(again)
    _drain()
    page.reload()
    page.get_by_role("link", name="Still broken").click()
    expect(page.locator(f"a[href='/desk/conversations/{broken.pk}/']").first).to_be_visible()
    expect(page.locator(f"a[href='/desk/conversations/{fine.pk}/']")).to_have_count(0)
