"""Quotes by page and API: what customers, agents, viewers and strangers may see and do."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, CustomerSession, Team, User
from helpdesk.customers.sessions import COOKIE, begin
from helpdesk.events import outbox, webhooks
from helpdesk.events.models import Webhook, WebhookDelivery
from quotes import drafting, links
from quotes.days import office_day
from quotes.models import Quote
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.quotes.offers import drafted, sent


@pytest.fixture
def today() -> datetime:
    """Pages ask the clock themselves."""
    return now()


def offered(company: Company, at: datetime, **given: Any) -> Quote:
    conversation = write(company.carol, at, subject="Please move the shop")
    return sent(conversation, company.grace, at, valid_until=office_day(at) + timedelta(days=30), **given)


def path_of(quote: Quote) -> str:
    return f"/quotes/link/{links.token(quote)}/"


def signed_in(customer: Customer, at: datetime, rf: Any) -> Client:
    browser = Client()
    browser.cookies[COOKIE] = begin(customer, CustomerSession.How.LINK, rf.get("/"), at=at)
    return browser


def test_the_link_shows_and_only_a_press_answers(company: Company, today: datetime) -> None:
    quote = offered(company, today, words="<script>alert(1)</script>")
    browser, path = Client(), path_of(quote)
    for query in ("", "?answer=accept&name=Scanner", "?answered"):
        page = browser.get(path + query).content.decode()
        assert "166.42\u00a0EUR" in page and "&lt;script&gt;" in page
    assert browser.get(f"{path}pdf/").content.startswith(b"%PDF-")
    assert Quote.objects.get(pk=quote.pk).state == "sent"
    assert browser.post(path, {"answer": "accept", "name": " "}).status_code == 422
    assert browser.post(path, {"answer": "buy", "name": "Carol"}).status_code == 422
    assert browser.post(path, {"answer": "upgrade", "name": "Carol"}).status_code == 409
    agent = logged_in(company.grace)
    assert (agent.get(path).status_code, agent.post(path, {"answer": "accept", "name": "Carol"}).status_code) == (
        200,
        403,
    )
    done = browser.post(path, {"answer": "accept", "name": "Carol Meyer"}, follow=True).content.decode()
    assert "Accepted. We begin." in done and "By Carol Meyer" in done and 'name="answer"' not in done
    # The other manager, a moment later, is told who was first; a replay by the same one is not.
    late = browser.post(path, {"answer": "decline", "name": "Danny"})
    assert late.status_code == 409 and "Carol Meyer was quicker" in late.content.decode()
    assert browser.post(path, {"answer": "accept", "name": "Carol Meyer"}).status_code == 302


def test_forged_expired_and_superseded_links_say_so(company: Company, today: datetime) -> None:
    quote = offered(company, today)
    token = links.token(quote)
    for forged in (token[:-2], f"x{token}", "x", links.token(drafted(quote.conversation, company.grace, today,
                                                                     valid_until=quote.valid_until))):  # fmt: skip
        for path in (f"/quotes/link/{forged}/", f"/quotes/link/{forged}/pdf/"):
            answer = Client().get(path)
            assert answer.status_code == 404 and "not one of ours" in answer.content.decode()
    old = offered(company, today - timedelta(days=40))
    page = Client().get(path_of(old))
    assert "has expired" in page.content.decode() and 'name="answer"' not in page.content.decode()
    assert Client().post(path_of(old), {"answer": "accept", "name": "Carol"}).status_code == 409
    from_later = drafting.revise(quote.pk, company.grace, at=today)
    logged_in(company.grace).post(f"/api/v1/quotes/{from_later.pk}/sending/", {}, "application/json")
    page = Client().get(path_of(quote))
    assert "To the newer version" in page.content.decode()
    assert path_of(Quote.objects.get(pk=from_later.pk)) in page.content.decode()


def test_every_quote_is_reachable_by_its_owner_and_managers_alone(company: Company, today: datetime, rf: Any) -> None:
    quote = offered(company, today)
    draft = drafted(quote.conversation, company.grace, today, valid_until=quote.valid_until)
    colleague = Customer.objects.create(
        name="Max", email="max@acme.example", organization=company.carol.organization, created_at=today
    )
    boss = Customer.objects.create(
        name="Bea", email="bea@acme.example", organization=company.carol.organization, is_manager=True, created_at=today
    )
    other = Customer.objects.exclude(organization=company.carol.organization).exclude(organization=None).first()
    assert other is not None
    Customer.objects.filter(pk=other.pk).update(is_manager=True)
    may = {company.carol: True, boss: True, colleague: False, other: False, None: False}
    for customer, is_theirs in may.items():
        browser = Client() if customer is None else signed_in(customer, today, rf)
        refused = 302 if customer is None else 404
        wanted = 200 if is_theirs else refused
        for path in (f"/quotes/{quote.pk}/", f"/quotes/{quote.pk}/pdf/"):
            assert browser.get(path).status_code == wanted, (customer, path)
        for hidden in (f"/quotes/{draft.pk}/", f"/quotes/{draft.pk}/pdf/", f"/quotes/{2**70}/"):
            assert browser.get(hidden).status_code == refused
        if not is_theirs:
            assert browser.post(f"/quotes/{quote.pk}/", {"answer": "decline", "name": "X"}).status_code == refused
        listed = browser.get("/quotes/")
        assert (quote.number in listed.content.decode()) is is_theirs
    # What lies with a private team, or is spam, stays its owner's, as in the portal.
    accounting = Team.objects.create(name="Accounting", is_private=True)
    Conversation.objects.filter(pk=quote.conversation_id).update(team=accounting)
    assert signed_in(company.carol, today, rf).get(f"/quotes/{quote.pk}/").status_code == 200
    assert signed_in(boss, today, rf).get(f"/quotes/{quote.pk}/").status_code == 404
    Conversation.objects.filter(pk=quote.conversation_id).update(team=None)
    assert Client().get("/quotes/")["Location"] == "/portal/?next=%2Fquotes%2F"
    answer = signed_in(boss, today, rf).post(
        f"/quotes/{quote.pk}/", {"answer": "decline", "name": "Bea", "reason": "no"}
    )
    assert answer.status_code == 302
    found = Quote.objects.get(pk=quote.pk)
    assert (found.state, found.answered_by, found.answered_via, found.reason) == ("declined", boss, "portal", "no")


def test_agents_by_role_and_private_team(company: Company, today: datetime) -> None:
    quote = offered(company, today)
    draft = drafted(quote.conversation, company.grace, today, valid_until=quote.valid_until)
    viewer = User.objects.create_user("vi@demo.example", name="Vi", role=User.Role.VIEWER)
    api = "/api/v1/quotes/"
    reads = ["/desk/quotes/", f"/desk/quotes/{quote.pk}/", f"/desk/quotes/{quote.pk}/pdf/", f"{api}{quote.pk}/"]
    sends = [
        f"/desk/quotes/for/{quote.conversation_id}/", f"/desk/quotes/{draft.pk}/", f"/desk/quotes/{quote.pk}/revision/",
        f"/desk/quotes/{quote.pk}/withdrawal/", f"/desk/quotes/{draft.pk}/discarding/", api,
        f"{api}{draft.pk}/sending/", f"{api}{quote.pk}/withdrawal/",
    ]  # fmt: skip
    for path in reads:
        assert logged_in(viewer).get(path).status_code == 200, path
        assert Client().get(path).status_code in (302, 401, 403), path
    for path in sends:
        assert logged_in(viewer).post(path, {}).status_code == 403, path
        assert Client().post(path, {}).status_code in (302, 401, 403), path
    quote.conversation.team = Team.objects.create(name="Board", is_private=True)
    quote.conversation.save()
    stranger = logged_in(company.linus)
    assert quote.number not in stranger.get("/desk/quotes/").content.decode()
    assert stranger.get(api).json()["results"] == []
    for path in reads[1:]:
        assert stranger.get(path).status_code == 404, path
    for path in sends:
        assert stranger.post(path, {}, "application/json").status_code in (400, 404), path
    assert Quote.objects.get(pk=quote.pk).state == "sent" and Quote.objects.filter(pk=draft.pk).exists()
    company.linus.teams.add(quote.conversation.team)
    assert stranger.get(reads[1]).status_code == 200


def test_the_editor_reckons_keeps_and_sends_once(company: Company, today: datetime) -> None:
    conversation = write(company.carol, today, subject="Please move the shop")
    browser, path = logged_in(company.grace), f"/desk/quotes/for/{conversation.pk}/"
    shown = browser.get(path).content.decode()
    assert 'value="Please move the shop"' in shown
    given = {
        "client": "11111111-2222-4333-8444-555555555555", "title": "Move", "currency": "CLF", "language": "de",
        "valid_until": (office_day(today) + timedelta(days=9)).isoformat(), "remind_days": "2",
        "text": ["Work", "", "Discount"], "quantity": ["1,5", "1", "1"], "price": ["0,0001", "", "-0.0001"],
        "rate": ["19", "19", "0"],
    }  # fmt: skip
    sums = browser.post(path, {**given, "do": "reckon"}).content.decode()
    assert "0.0001\u00a0CLF" in sums and not Quote.objects.exists()
    wrong = browser.post(path, {**given, "price": ["0,00001", "", "x"], "do": "save"})
    assert wrong.status_code == 422 and "is no number we can read" in wrong.content.decode()
    wrong = browser.post(path, {**given, "price": ["0,00001", "", "0"], "do": "save"})
    assert wrong.status_code == 422 and "at most 4 decimals" in wrong.content.decode()
    assert browser.post(path, {**given, "do": "save"}).status_code == 302
    quote = Quote.objects.get()
    assert (quote.total, quote.state, quote.lines.count()) == (Decimal("0.0001"), "draft", 2)
    assert browser.get(f"/desk/quotes/{quote.pk}/").status_code == 200
    for _again in range(2):  # clicked twice
        assert browser.post(path, {**given, "do": "send"}).status_code == 302
    quote = Quote.objects.get()
    assert quote.state == "sent" and quote.message is not None and "gültig" not in quote.message.text
    assert browser.get(f"/desk/quotes/{quote.pk}/").status_code == 200
    assert f"/desk/quotes/{quote.pk}/" in browser.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    browser.post(f"/desk/quotes/{quote.pk}/withdrawal/", {"reason": "Wrong"})
    assert Quote.objects.get().state == "withdrawn"


def test_the_api_drafts_sends_and_tells_the_billing_webhook(company: Company, today: datetime) -> None:
    hook = Webhook(name="Billing", url="https://billing.example/", kinds=["quote.accepted"], created_at=today)
    webhooks.give_secret(hook, at=today)
    hook.save()
    conversation, browser = write(company.carol, today), logged_in(company.grace)
    lines = [{"text": "Work", "quantity": "2", "unit_price": "10.005", "tax_rate": "19"}]
    body = {"conversation": conversation.pk, "lines": lines, "client_id": "11111111-2222-4333-8444-555555555555"}
    refused = browser.post("/api/v1/quotes/", body, "application/json")
    assert refused.status_code == 400 and "unit_price" in refused.json()["lines"]["0"]
    lines[0]["unit_price"] = "10.05"
    first, again = (browser.post("/api/v1/quotes/", body, "application/json") for _ in range(2))
    assert first.status_code == 201 and first.json()["id"] == again.json()["id"]
    assert (first.json()["total"], first.json()["number"], first.json()["url"]) == ("23.92", "", "")
    path = f"/api/v1/quotes/{first.json()['id']}/"
    done = browser.post(f"{path}sending/", {"words": "Here you are"}, "application/json").json()
    assert done["state"] == "sent" and "/quotes/link/" in done["url"]
    assert browser.post(f"{path}sending/", {}, "application/json").status_code == 409
    assert browser.delete(path).status_code == 409
    Client().post(urlsplit(done["url"]).path, {"answer": "accept", "name": "Carol"})
    assert browser.get(path).json()["answered_name"] == "Carol"
    assert browser.get("/api/v1/quotes/?state=accepted").json()["results"][0]["number"].endswith("-0001")
    outbox.drain(at=now())
    data = json.loads(WebhookDelivery.objects.get().body)["data"]["event"]["data"]
    assert data["total"] == "23.92" and data["lines"][0]["unit_price"] == "10.05"
    table = browser.get("/api/v1/reports/?period=7d").json()["tables"]["quotes"]["rows"]
    assert table[0] | {"answer_median": 0} == {
        "currency": "EUR", "sent": 1, "sent_sum": "23.92", "accepted": 1, "accepted_sum": "23.92", "rate": 1.0,
        "declined": 0, "upgrades": 0, "expired": 0, "open": 0, "answer_median": 0,
    }  # fmt: skip
