"""The form for who is known: signed in, or vouched for by the page around it; topics and their fields."""

import re
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils.timezone import now

from chat.models import Visit, Widget, WidgetSecret
from helpdesk.conversations.models import Conversation, CustomField, Message
from helpdesk.customers.models import Team
from helpdesk.events import secrets
from tests.fixtures.company import Company
from tests.fixtures.customers import sign_in
from tickets.models import Topic

pytestmark = pytest.mark.django_db
SECRET = "s" * 40


def _token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def widget(company: Company) -> Widget:
    found = Widget.objects.get()
    found.origins = ["https://panel.acme.example"]
    found.save()
    WidgetSecret.objects.create(widget=found, kid="one", sealed=secrets.encrypt(SECRET), created_at=now())
    return found


def _jwt(widget: Widget, **changed: Any) -> str:
    at = int(now().timestamp())
    claims = {"sub": "42", "email": "carol@acme.example", "aud": widget.key, "iat": at, "exp": at + 300, **changed}
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "one"})


def test_who_is_signed_in_names_no_address_and_is_certain(company: Company) -> None:
    browser = Client()
    sign_in(browser, company.carol)
    page = browser.get("/tickets/new/").content.decode()
    assert 'name="email"' not in page and "Carol Meyer" in page and "<option>acme.example</option>" in page
    sent = {"subject": "Slow", "message": "Very.", "priority": "normal", "service": "acme.example"}
    thanks = browser.post("/tickets/new/", {**sent, "token": _token(page), "email": "no@evil.example"}, follow=True)
    made = Conversation.objects.get()
    assert made.customer == company.carol and Message.objects.get(author_kind="customer").is_verified
    assert made.services.get().name == "acme.example"
    assert f"/portal/conversations/{made.pk}/" in thanks.content.decode()


def test_a_topic_says_team_priority_and_what_is_asked_for(company: Company) -> None:
    field = CustomField.objects.create(key="invoice", name="Invoice", kind="number")
    team = Team.objects.create(name="Accounting")
    topic = Topic.objects.create(name="Invoices", hint="Have its number ready.", team=team, priority="low")
    topic.fields.add(field)
    topic.required_fields.add(field)
    browser = Client()
    choice = browser.get("/tickets/new/?service=shop.example").content.decode()
    assert "Invoices" in choice and 'name="message"' not in choice
    page = browser.get(f"/tickets/new/?topic={topic.pk}&service=shop.example").content.decode()
    assert "Have its number ready." in page and 'name="priority"' not in page and 'value="shop.example"' in page
    sent = {"email": "a@b.example", "subject": "Bill", "message": "Why?", "topic": topic.pk, "token": _token(page)}
    assert "Invoice is missing." in browser.post("/tickets/new/", sent).content.decode()
    refused = browser.post("/tickets/new/", {**sent, "custom_invoice": "x"}, headers={"Accept": "application/json"})
    assert refused.status_code == 422 and "no number" in refused.json()["troubles"][0]
    assert browser.post("/tickets/new/", {**sent, "custom_invoice": "77"}).status_code == 302
    made = Conversation.objects.get()
    assert (made.team, made.priority, made.custom) == (team, "low", {"invoice": 77})
    for nonsense in ("0", "x", "9" * 30, "-1"):
        assert browser.get(f"/tickets/new/?topic={nonsense}").status_code == 200


def test_embedded_it_trusts_the_signature_alone(company: Company, widget: Widget) -> None:
    browser = Client(enforce_csrf_checks=True)
    sign_in(browser, company.gil)
    answer = browser.get("/tickets/embedded/", {"key": widget.key, "user": _jwt(widget)})
    page = answer.content.decode()
    assert "Carol" in page and "Gil" not in page, "a cookie says nothing here"
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://panel.acme.example;" in policy and "default-src 'none'" in policy
    assert "X-Frame-Options" not in answer
    who = re.search(r'name="who" value="([^"]+)"', page)
    assert who is not None
    sent = {"key": widget.key, "who": who[1], "subject": "Slow", "message": "Very.", "priority": "normal"}
    thanks = browser.post("/tickets/embedded/", {**sent, "token": _token(page)})
    made = Conversation.objects.get()
    assert made.customer == company.carol
    framed = browser.get(thanks["Location"])
    assert framed.status_code == 200 and "https://panel.acme.example" in framed["Content-Security-Policy"]
    # Changed, it is a stranger's form, which wants an address.
    forged = browser.post("/tickets/embedded/", {**sent, "who": who[1][:-2] + "xx", "token": _token(page)})
    assert forged.status_code == 422 and 'name="email"' in forged.content.decode()


def test_bad_tokens_and_other_widgets_vouch_for_nobody(company: Company, widget: Widget) -> None:
    other = Widget.objects.create(key="pk_other", name="Other", created_at=now())
    for user in ("x", _jwt(widget, aud="pk_other"), _jwt(widget, exp=1), "a.b.c", "x" * 20_000):
        page = Client().get("/tickets/embedded/", {"key": widget.key, "user": user})
        assert page.status_code == 200 and 'name="email"' in page.content.decode(), user[:40]
    used = _jwt(widget, jti="once")
    assert 'name="email"' not in Client().get("/tickets/embedded/", {"key": widget.key, "user": used}).content.decode()
    assert 'name="email"' in Client().get("/tickets/embedded/", {"key": widget.key, "user": used}).content.decode()
    nowhere = Client().get("/tickets/embedded/", {"key": other.key})
    assert "frame-ancestors 'self';" in nowhere["Content-Security-Policy"], "no origin named: framed by nobody else"
    assert Client().get("/tickets/embedded/", {"key": "pk_none"}).status_code == 404
    assert Client().get("/tickets/new/")["X-Frame-Options"] == "DENY"


def test_the_loader_is_a_script_for_every_page(company: Company) -> None:
    answer = Client().get("/tickets/embed.js")
    assert answer["Content-Type"].startswith("text/javascript") and "embedded/" in answer.content.decode()


def test_on_our_own_page_the_chat_knows_who_is_signed_in(company: Company, widget: Widget) -> None:
    browser = Client()
    sign_in(browser, company.carol)
    body = {"key": widget.key, "user": None, "origin": "http://testserver"}
    answer = browser.post("/chat/api/session", body, content_type="application/json")
    assert answer.status_code == 201 and Visit.objects.latest("pk").customer == company.carol
    elsewhere = {**body, "origin": "https://panel.acme.example"}
    assert browser.post("/chat/api/session", elsewhere, content_type="application/json").status_code == 201
    assert Visit.objects.latest("pk").customer is None
