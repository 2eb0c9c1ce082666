"""Invited, or forgotten the password: links by mail that work once and tell a stranger nothing."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.people import actions as people
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.people.conftest import (
    again,
    is_in,
    link_in,
    log_in,
    set_password,
    text_of,
)

pytestmark = pytest.mark.django_db

NEW = "a new long password"


def _ask(client: Client, email: str) -> Any:
    return client.post("/accounts/password/reset/", {"email": email}, follow=True)


def test_an_invited_agent_sets_a_password_and_comes_in(company: Company, mails: Any) -> None:
    team = Team.objects.get(name="Sales")
    alan = people.invite_agent(
        "Alan@Demo.example", "Alan", "agent", [team], actor=Actor.agent(company.ada), at=timezone.now()
    )
    assert not alan.has_usable_password() and list(alan.teams.all()) == [team]

    (mail,) = mails()
    assert mail["To"] == "alan@demo.example" and "Ada Lovelace has invited you" in text_of(mail)
    assert mail["Auto-Submitted"] == "auto-generated"
    browser = Client()
    done = set_password(browser, link_in(mail), NEW)
    assert done.status_code == 302
    shown = browser.get(done["Location"]).content.decode()
    assert "The password is set" in shown and "successfully changed" not in shown, "said once"
    client = Client()
    assert log_in(client, "alan@demo.example", NEW).status_code == 302 and is_in(client)


def test_an_address_is_invited_once(company: Company) -> None:
    with pytest.raises(people.AlreadyAgent):
        people.invite_agent("GRACE@demo.example", "G", actor=Actor.agent(company.ada), at=timezone.now())


def test_admins_invite_by_the_api_agents_do_not(company: Company, mails: Any) -> None:
    body = {"email": "alan@demo.example", "name": "Alan", "role": "agent", "teams": []}

    assert Caller(company.grace)("post", "/agents/", body).status_code == 403
    made = Caller(company.ada)("post", "/agents/", body)
    assert made.status_code == 201, made.content
    (first,) = mails()
    path = f"/agents/{made.json()['id']}/invitation/"
    assert Caller(company.grace)("post", path).status_code == 403
    assert Caller(company.ada)("post", path).status_code == 200
    (second,) = mails()
    assert first["Message-ID"] != second["Message-ID"]
    set_password(Client(), link_in(second), NEW)
    assert Caller(company.ada)("post", path).status_code == 400, "a password is set"
    assert mails()[0]["Subject"] == "Your login has changed"


def test_who_is_removed_before_the_mail_left_gets_none(company: Company, mails: Any) -> None:
    alan = people.invite_agent("alan@demo.example", "Alan", actor=Actor.agent(company.ada), at=timezone.now())
    User.objects.filter(pk=alan.pk).update(is_active=False)

    assert mails() == []


def test_a_forgotten_password_is_set_anew_once(company: Company, mails: Any) -> None:
    old = Client()
    log_in(old, "grace@demo.example")
    assert "on its way" in _ask(Client(), "Grace@demo.example").content.decode()
    link = link_in(mails()[0])

    assert set_password(Client(), link, "short").status_code == 200
    assert set_password(Client(), link, NEW).status_code == 302
    assert again(company.grace).check_password(NEW) and not is_in(old)
    used = set_password(Client(), link, "yet another password")
    assert "has been used" in used.content.decode()
    assert again(company.grace).check_password(NEW)
    assert "link from a mail" in text_of(mails()[0])


def test_a_new_password_opens_a_locked_account(company: Company, mails: Any) -> None:
    for _ in range(10):
        log_in(Client(), "grace@demo.example", "wrong")
    _ask(Client(), "grace@demo.example")
    set_password(Client(), link_in(mails()[0]), NEW)

    assert log_in(Client(), "grace@demo.example", NEW).status_code == 302


def test_unknown_and_removed_addresses_are_told_the_same_and_mailed_nothing(company: Company, mails: Any) -> None:
    User.objects.filter(pk=company.linus.pk).update(is_active=False)
    known, *others = (
        _ask(Client(), email).content
        for email in ("grace@demo.example", "nobody@demo.example", "linus@demo.example", "carol@acme.example")
    )

    assert others == [known] * 3
    assert [mail["To"] for mail in mails()] == ["grace@demo.example"]


def test_the_event_holds_no_secret(company: Company, mails: Any) -> None:
    _ask(Client(), "grace@demo.example")

    assert Event.objects.get(kind="password.reset_asked").data == {"email": "grace@demo.example"}


def test_a_login_meanwhile_ends_the_link(company: Company, mails: Any) -> None:
    _ask(Client(), "grace@demo.example")
    link = link_in(mails()[0])
    log_in(Client(), "grace@demo.example")

    assert "has been used" in Client().get(link).content.decode()


def test_the_link_is_good_for_three_days(company: Company, mails: Any) -> None:
    _ask(Client(), "grace@demo.example")
    link = link_in(mails()[0])

    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert "too old" in Client().get(link).content.decode()


def test_a_removed_agents_link_is_dead(company: Company, mails: Any) -> None:
    _ask(Client(), "grace@demo.example")
    link = link_in(mails()[0])
    User.objects.filter(pk=company.grace.pk).update(is_active=False)

    assert "has been used" in Client().get(link).content.decode()


def test_nobody_is_flooded_with_mails(company: Company, mails: Any) -> None:
    answers = [_ask(Client(REMOTE_ADDR=f"192.0.2.{n}"), "grace@demo.example").status_code for n in range(5)]

    assert answers == [200, 200, 200, 429, 429]
    assert len(mails()) == 3


@pytest.mark.parametrize("path", ["1-set-password", "zzzzzzzzzzzzz-abc-def", "1-a", "0-0-0", "1-abc-" + "f" * 60])
def test_forged_links_open_nothing(company: Company, path: str) -> None:
    answer = Client().get(f"/accounts/password/reset/{path}/")

    assert answer.status_code == 200 and "has been used" in answer.content.decode()


def test_the_mail_is_in_the_agents_language_and_names_our_own_address(company: Company, mails: Any) -> None:
    """A forged Host header does not lead the link elsewhere."""
    Client(headers={"Host": "evil.example"}).post("/accounts/password/reset/", {"email": "grace@demo.example"})
    sent = mails()

    assert "evil.example" not in "".join(text_of(mail) for mail in sent)


def test_an_old_request_is_not_served(company: Company, mails: Any) -> None:
    people.ask_for_reset("grace@demo.example", at=timezone.now() - timedelta(hours=7))

    assert mails() == []
