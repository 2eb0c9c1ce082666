"""Subscribing by page: nothing begins before its owner says yes, nothing ends by a GET, nobody learns who is known."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as conf
from django.test import Client

from helpdesk import limits
from helpdesk.events.models import Event
from status import subscriber_links, subscribing
from status.models import Notice, Subscriber
from status.subscribing import NotAnAddress, TooMany, Wishes
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    limits.forget()


def _mails() -> list[Any]:
    raws = [path.read_bytes() for path in sorted(Path(conf.SENT_MAIL_DIR).glob("*.eml"))]
    return [message_from_bytes(raw, policy=policy.default) for raw in raws]


def _link(mail: Any, name: str) -> str:
    found = re.search(rf"https?://\S+/status/{name}/\S+/", mail.get_body(("plain",)).get_content())
    assert found is not None
    return "/status/" + found.group().partition("/status/")[2]


def _ask(address: str = "carol@acme.example", *, at: datetime, remote: str = "198.51.100.7", **wishes: Any) -> None:
    subscribing.ask("email", address, Wishes(**wishes), remote=remote, at=at)
    settle(at)


def test_from_the_form_to_the_first_day_and_back(company: Company, at: datetime, client: Client) -> None:
    web = component("web14", at)
    with time_machine.travel(at, tick=False):
        assert b"web14" in client.get("/status/subscribe/").content
        asked = client.post(
            "/status/subscribe/", {"email": "carol@acme.example", "which": "some", "components": web.public_id}
        )
        assert (asked.status_code, asked["Location"]) == (302, "/status/subscribe/sent/")
        assert client.get("/status/subscribe/sent/").status_code == 200
        settle(at)
        (mail,) = _mails()
        link = _link(mail, "confirm")

        # Link scanners open it, again and again.
        for _time in range(3):
            assert client.get(link).status_code == 200
        assert Subscriber.objects.get().status == "pending"

        done = client.post(link, {"which": "some", "components": web.public_id})
        assert done.status_code == 200 and b"You are subscribed." in done.content
        known = Subscriber.objects.get()
        assert (known.status, known.customer, known.wants_all) == ("active", company.carol, False)
        assert [one.pk for one in known.components.all()] == [web.pk]

        own = f"/status/subscription/{subscriber_links.own_token(known.key)}/"
        saved = client.post(own, {"which": "all", "only_own": "on", "language": "fr"})
        assert saved.status_code == 200
        known.refresh_from_db()
        assert (known.wants_all, known.only_own, known.language) == (True, True, "fr")

        out = f"/status/unsubscribe/{subscriber_links.own_token(known.key)}/"
        for _time in range(3):
            assert client.get(out).status_code == 200
        known.refresh_from_db()
        assert known.status == "active"
        assert client.post(out).status_code == 200
        known.refresh_from_db()
        assert (known.status, known.ended_at) == ("ended", at)


def test_one_click_needs_no_cookie_and_is_not_redirected(company: Company, at: datetime) -> None:
    known = subscriber("a@x.example", at)
    strict = Client(enforce_csrf_checks=True)
    out = f"/status/unsubscribe/{subscriber_links.own_token(known.key)}/"
    for body, kind in ((b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),) * 2:
        assert strict.post(out, body, content_type=kind).status_code == 200
    known.refresh_from_db()
    assert known.status == "ended"
    assert Event.objects.filter(kind=subscribing.ENDED).count() == 1


def test_the_form_itself_needs_its_token(company: Company) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/status/subscribe/", {"email": "a@x.example"}).status_code == 403


def test_forged_and_old_links_open_nothing(company: Company, at: datetime, client: Client) -> None:
    known = subscriber("a@x.example", at)
    other = subscriber("b@x.example", at)
    own, foreign = subscriber_links.own_token(known.key), subscriber_links.own_token(other.key)
    signature = own.partition(":")[2]
    for forged in (
        own[:-1],
        own + "a",
        f"{foreign.partition(':')[0]}:{signature}",
        "x",
        f":{signature}",
        "ä:ö",
        "a" * 5000,
    ):
        for page in ("subscription", "unsubscribe", "confirm"):
            assert client.post(f"/status/{page}/{forged}/").status_code == 404, forged
    # A link of one purpose is good for no other.
    assert client.post(f"/status/confirm/{own}/").status_code == 404
    assert not Subscriber.objects.exclude(status="active").exists()

    _ask(at=at)
    asked = Subscriber.objects.get(address="carol@acme.example")
    token = subscriber_links.confirmation_token(asked)
    assert subscriber_links.asked(token, at=at + timedelta(hours=25)) is None
    _ask(at=at + timedelta(hours=25))
    assert subscriber_links.asked(token, at=at + timedelta(hours=25)) is None


def test_a_mailbox_is_written_to_once_a_day(company: Company, at: datetime) -> None:
    for hour in range(12):
        for address in ("carol@acme.example", "Carol@ACME.example"):
            _ask(address, at=at + timedelta(hours=hour))
            limits.forget()
    assert len(_mails()) == 1
    _ask(at=at + timedelta(hours=25))
    assert len(_mails()) == 2
    # Tags and dots make no other mailbox.
    limits.forget()
    for number in range(20):
        _ask(f"victim+{number}@x.example", at=at, remote=f"192.0.2.{number}")
    assert Subscriber.objects.filter(address__startswith="victim").count() == subscribing.ASKS_OF_MAILBOX.burst


def test_floods_end_before_anything_is_written(company: Company, at: datetime, client: Client) -> None:
    answers = {client.post("/status/subscribe/", {"email": f"v{n}@x{n}.example"}).status_code for n in range(60)}
    assert answers == {302, 429}
    assert Subscriber.objects.count() == subscribing.ASKS_OF_NETWORK.burst
    # A household of IPv6 is one caller.
    limits.forget()
    for number in range(subscribing.ASKS_OF_NETWORK.burst):
        _ask(f"w{number}@y{number}.example", at=at, remote=f"2001:db8::{number:x}")
    with pytest.raises(TooMany):
        _ask("one@more.example", at=at, remote="2001:db8::ffff")


def test_the_page_as_a_whole_asks_so_many_an_hour(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "MOST_AN_HOUR", 3)
    for number in range(4):
        _ask(f"w{number}@y{number}.example", at=at, remote=f"192.0.2.{number}")
    with pytest.raises(TooMany):
        _ask("one@more.example", at=at, remote="192.0.2.99")
    _ask("late@x.example", at=at + timedelta(hours=2))


def test_known_and_unknown_are_answered_alike(company: Company, at: datetime, client: Client) -> None:
    subscriber("known@x.example", at - timedelta(days=30))
    said = [client.post("/status/subscribe/", {"email": f"{who}@x.example"}) for who in ("known", "new", "known")]
    assert {(one.status_code, one["Location"], one.content) for one in said} == {(302, "/status/subscribe/sent/", b"")}
    settle(Event.objects.latest("at").at)
    subjects = sorted(str(mail["Subject"]) for mail in _mails())
    assert [subject.startswith("Please confirm") for subject in subjects] == [True, False]
    assert Subscriber.objects.get(address="known@x.example").status == "active"


def test_whoever_was_asked_may_say_that_it_was_somebody_else(company: Company, at: datetime, client: Client) -> None:
    with time_machine.travel(at, tick=False):
        _ask(at=at)
        (mail,) = _mails()
        assert client.post(_link(mail, "confirm"), {"no": "1"}).status_code == 200
        assert Subscriber.objects.get().status == "ended"
        limits.forget()
        _ask(at=at)
        assert Subscriber.objects.get().status == "ended" and len(_mails()) == 1


def test_who_has_left_can_come_back_the_same_day(company: Company, at: datetime) -> None:
    known = subscriber("a@x.example", at)
    subscribing.end(known, at=at + timedelta(hours=1))
    _ask("a@x.example", at=at + timedelta(hours=2))
    known.refresh_from_db()
    assert known.status == "pending"


@pytest.mark.parametrize(
    "address", ["", "x", "a@b", "a@b\r\nBcc: c@d.example", "<a@x.example>", "a" * 250 + "@x.example"]
)
def test_what_is_no_address(company: Company, at: datetime, client: Client, address: str) -> None:
    answer = client.post("/status/subscribe/", {"email": address})
    assert answer.status_code == 422 and b"name@example.org" in answer.content
    assert not Subscriber.objects.exists()


def test_private_components_are_offered_to_their_customers_alone(
    company: Company, at: datetime, client: Client
) -> None:
    assert company.carol.organization is not None
    private = component("web-acme", at, is_private=True)
    private.services.add(company.carol.organization.services.filter(kind="website").get())
    carol = subscriber("carol@acme.example", at, customer=company.carol)
    gil = subscriber("gil@globex.example", at, customer=company.gil)
    pages = {}
    for who in (carol, gil):
        own = f"/status/subscription/{subscriber_links.own_token(who.key)}/"
        pages[who.pk] = client.get(own).content
        client.post(own, {"which": "some", "components": private.public_id, "language": "en"})
    assert b"web-acme" in pages[carol.pk] and b"web-acme" not in pages[gil.pk]
    assert b"web-acme" not in client.get("/status/subscribe/").content
    assert carol.components.count() == 1 and gil.components.count() == 0


def test_leaving_takes_back_what_is_on_its_way(company: Company, at: datetime) -> None:
    known = subscriber("a@x.example", at)
    from_now = Notice.objects.filter(subscriber=known)
    assert subscribing.end(known, at=at) and not subscribing.end(known, at=at)
    assert not from_now.exists()


def test_what_nobody_needs_any_more_is_forgotten(company: Company, at: datetime) -> None:
    subscriber("active@x.example", at)
    subscriber("pending@x.example", at, status="pending", confirmed_at=None)
    subscriber("ended@x.example", at, status="ended", ended_at=at)
    subscribing.forget(at=at + timedelta(days=31))
    assert [one.address for one in Subscriber.objects.all()] == ["active@x.example"]


@pytest.mark.parametrize(
    ("kind", "address"), [("slack", "general"), ("telegram", "x"), ("webhook", "https://10.0.0.1/"), ("email", "no")]
)
def test_agents_add_no_nonsense_either(company: Company, kind: str, address: str) -> None:
    with pytest.raises(NotAnAddress):
        subscribing.checked(kind, address)
