"""Signing in by mail: what scanners open does nothing, nobody learns who is known, and codes cannot be guessed."""

import re
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from helpdesk import limits
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession, Identity
from helpdesk.events.models import Event
from portal import sign_in
from portal.models import SignIn
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle

pytestmark = pytest.mark.django_db


def _ask(browser: Client, address: str, **given: str) -> str:
    """The address of the page for the code."""
    answer = browser.post("/portal/sign-in/", {"email": address, **given})
    assert answer.status_code == 302
    return str(answer["Location"])


def _mailed() -> tuple[str, str]:
    """The link's path and the code of the newest mail."""
    settle(now() + timedelta(seconds=1))
    text = str(outbox.outbox[-1].body)
    link = re.search(r"https?://[^/]+(/portal/sign-in/link/\S+)", text)
    code = re.search(r"\b(\d{3} \d{3})\b", text)
    assert link and code
    return link[1], code[1]


def test_from_the_address_by_the_link_to_the_tickets(company: Company) -> None:
    browser = Client()
    page = browser.get("/portal/")
    assert page.status_code == 200 and b'type="email"' in page.content
    _ask(browser, " Carol@ACME.example ", next="/portal/?state=open")
    link, _code = _mailed()
    assert outbox.outbox[-1].to == ["carol@acme.example"]

    for _scanner in range(3):
        opened = Client().get(link)
        assert opened.status_code == 200 and not opened.cookies.get(sessions.COOKIE)
        assert b"carol" not in opened.content.lower()
    signed = browser.post(link)
    assert (signed.status_code, signed["Location"]) == (302, "/portal/?state=open")
    cookie = signed.cookies[sessions.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    page = browser.get("/portal/")
    assert "no-store" in page["Cache-Control"] and b"Carol" in page.content
    assert CustomerSession.objects.get().how == "link"

    # Once: another browser is told kindly, this one goes on.
    replayed = Client().post(link)
    assert replayed.status_code == 410 and b"works only once" in replayed.content
    assert browser.get(link)["Location"] == "/portal/"
    browser.post("/portal/sign-out/")
    assert CustomerSession.objects.count() == 0 and b'type="email"' in browser.get("/portal/").content


def test_by_the_code_once(company: Company) -> None:
    browser = Client()
    page = _ask(browser, "carol@acme.example")
    _link, code = _mailed()
    assert browser.post(page, {"code": f" {code} "})["Location"] == "/portal/"
    assert CustomerSession.objects.get().how == "code"
    assert Client().post(page, {"code": code}).status_code == 410


def test_known_and_unknown_addresses_cost_and_answer_the_same(
    company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seen = []
    for address in ("carol@acme.example", "nobody@nowhere.example", "blocked@acme.example"):
        if address.startswith("blocked"):
            blocked = Customer.objects.create(email=address, blocked_at=now(), created_at=now())
            Identity.objects.create(customer=blocked, channel="email", handle=address)
        browser = Client()
        with django_assert_num_queries(4):
            page = _ask(browser, address)
        html = browser.get(page).content.decode()
        wrong = browser.post(page, {"code": "000000"})
        token = re.escape(page)
        plain = re.sub(r'value="[^"]+"', "", re.sub(token, "", html + wrong.content.decode()))
        seen.append((wrong.status_code, plain))
    assert seen[0] == seen[1] == seen[2]
    settle(now() + timedelta(seconds=1))
    assert [mail.to for mail in outbox.outbox] == [["carol@acme.example"]]
    kept = str(list(SignIn.objects.values())) + str(list(Event.objects.values()))
    assert "nowhere" not in kept and "blocked@" not in kept


def test_codes_cannot_be_guessed(company: Company) -> None:
    browser = Client()
    page = _ask(browser, "carol@acme.example")
    link, code = _mailed()
    wrong = "111111" if code != "111 111" else "222222"
    for left in (4, 3, 2, 1, 0):
        answer = browser.post(page, {"code": wrong})
        assert answer.status_code == 422
        assert ("no more tries" in answer.content.decode()) is (left == 0)
    assert browser.post(page, {"code": code}).status_code == 422, "spent, even for the right one"
    # The link of the mail is another secret, and still works.
    assert browser.post(link).status_code == 302
    # One network tries a bounded number of codes, whichever they are for.
    while (answer := Client().post(page, {"code": wrong})).status_code == 422:
        pass
    assert answer.status_code == 429


def test_a_mailbox_and_a_network_are_not_flooded(company: Company) -> None:
    for _ in range(sign_in.PER_MAILBOX + 3):
        _ask(Client(), "carol@acme.example")
    settle(now() + timedelta(seconds=1))
    assert len(outbox.outbox) == sign_in.PER_MAILBOX
    while (answer := Client().post("/portal/sign-in/", {"email": "x@y.example"})).status_code == 302:
        pass
    assert answer.status_code == 429 and b"Very many" in answer.content


def test_half_an_hour_later_it_is_over_and_says_so(company: Company) -> None:
    browser = Client()
    page = _ask(browser, "carol@acme.example")
    link, code = _mailed()
    SignIn.objects.update(ends_at=now() - timedelta(seconds=1))
    for answer in (browser.get(link), browser.post(link), browser.post(page, {"code": code})):
        assert answer.status_code == 410 and b"30 minutes" in answer.content
    assert not CustomerSession.objects.exists()


def test_nothing_else_signs_in(company: Company) -> None:
    browser = Client()
    _ask(browser, "carol@acme.example")
    link, _code = _mailed()
    for token in ("1", "forged:token", link.split("/")[-2][:-2] + "xx", "x" * 3000, "%00"):
        assert Client().post(f"/portal/sign-in/link/{token}/").status_code == 410, token
        assert Client().post(f"/portal/sign-in/code/{token}/", {"code": "1"}).status_code == 410, token
    for address in ("", "no address", "a@b" * 200, "carol@acme.example\x00"):
        assert Client().post("/portal/sign-in/", {"email": address}).status_code == 422
    # Only a path of ours is gone on to.
    for there in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"):
        limits.forget()
        SignIn.objects.all().delete()
        page = _ask(browser, "carol@acme.example", next=there)
        _link, code = _mailed()
        assert browser.post(page, {"code": code})["Location"] == "/portal/"
    # Who is blocked meanwhile stays out, and what was open ends.
    SignIn.objects.all().delete()
    page = _ask(browser, "carol@acme.example")
    link, code = _mailed()
    Customer.objects.filter(pk=company.carol.pk).update(blocked_at=now())
    assert browser.post(link).status_code == 410 and browser.post(page, {"code": code}).status_code == 410
    assert b'type="email"' in browser.get("/portal/").content


def test_a_form_of_another_site_signs_nobody_in(company: Company) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/portal/sign-in/", {"email": "carol@acme.example"}).status_code == 403
    assert not SignIn.objects.exists()


def test_rows_are_forgotten(company: Company) -> None:
    _ask(Client(), "carol@acme.example")
    assert sign_in.forget_ended(at=now()) == 0
    assert sign_in.forget_ended(at=now() + timedelta(days=2)) == 1


def test_a_new_browser_is_told_of_and_named_in_words(company: Company) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
    for browser, mails in ((Client(), 1), (Client(), 1), (Client(HTTP_USER_AGENT=firefox), 2)):
        _ask(browser, "carol@acme.example")
        browser.post(_mailed()[0])
        settle(now() + timedelta(seconds=2))
        assert len([one for one in outbox.outbox if "new sign-in" in one.subject.lower()]) == mails - 1
    assert "Firefox, Linux, 127.0.0.1" in str(outbox.outbox[-1].body)
    assert "127.0.0.1" not in str(list(Event.objects.values_list("data", flat=True)))
    page = browser.get("/portal/account/").content.decode()
    assert "Firefox, Linux" in page and "Gecko" not in page
