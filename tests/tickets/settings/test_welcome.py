"""The first run: from an empty database to an inbox that is ready for its first mail."""

from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from helpdesk.customers.company import company as the_company
from helpdesk.customers.models import AuditEntry, Plan, Team, User
from helpdesk.embedded.setup_token import setup_token
from helpdesk.oncall.models import EscalationPolicy, Schedule
from helpdesk.sla.models import Calendar, Policy
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tickets.models import Mailbox

pytestmark = pytest.mark.django_db

FIRST = {
    "name": "Mary Jackson",
    "email": "Mary@Rocket.example",
    "password": "orbit-mechanics-1958",
    "timezone": "Europe/Berlin",
}


def _first(**more: str) -> dict[str, str]:
    return {**FIRST, "token": setup_token(settings.SECRET_KEY), **more}


def test_from_nothing_to_the_inbox(client: Client) -> None:
    answer = client.get("/desk/")
    assert answer["Location"] == "/desk/welcome/"
    link = f"/desk/welcome/?token={setup_token(settings.SECRET_KEY)}"
    assert setup_token(settings.SECRET_KEY) in client.get(link).content.decode()

    assert client.post("/desk/welcome/", _first())["Location"] == "/desk/welcome/company/"
    mary = User.objects.get()
    assert (mary.email, mary.is_admin, mary.check_password(FIRST["password"])) == ("mary@rocket.example", True, True)

    steps: list[tuple[str, dict[str, Any]]] = [
        ("company", {"name": "Rocket Hosting", "logo_text": "Rocket", "languages": ["en", "de"]}),
        ("team", {"name": "Support", "colleagues": "katherine@rocket.example\ndorothy.v@rocket.example"}),
        ("mailbox", {"address": "support@rocket.example", "name": "Rocket Support"}),
        ("hours", {"days": ["mon", "tue"], "start": "09:00", "end": "17:00", "timezone": "Europe/Berlin",
                   "country": "DE", "urgent": "30 min", "high": "4 h", "normal": "8 h", "low": "24 h"}),
        ("on-call", {"members": [mary.pk], "handoff": "09:00", "then": mary.pk}),
    ]  # fmt: skip
    for place, (key, given) in enumerate(steps):
        where = f"/desk/welcome/{key}/"
        assert client.get(where).status_code == 200
        following = f"/desk/welcome/{steps[place + 1][0]}/" if place + 1 < len(steps) else "/desk/welcome/done/"
        answer = client.post(where, given)
        assert answer.status_code == 302, answer.content.decode()
        assert answer["Location"] == following

    assert the_company().name == "Rocket Hosting"
    assert set(Team.objects.get().members.values_list("email", flat=True)) == {
        "mary@rocket.example", "katherine@rocket.example", "dorothy.v@rocket.example",
    }  # fmt: skip
    mailbox = Mailbox.objects.get()
    assert (mailbox.address, mailbox.is_default, mailbox.team) == ("support@rocket.example", True, Team.objects.get())
    calendar, policy, plan = Calendar.objects.get(), Policy.objects.get(), Plan.objects.get()
    assert calendar.is_office and calendar.holidays.exists()
    assert calendar.week == {"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]]}
    assert (plan.policy, plan.support_hours, plan.is_default) == (policy, calendar, True)
    assert policy.goals.get(target="first_response", priority="normal").seconds == 8 * 3600
    assert Schedule.objects.get().fallback == mary
    assert EscalationPolicy.objects.get().steps.count() == 2
    assert set(AuditEntry.objects.values_list("kind", flat=True)) >= {
        "user", "company", "team", "mailbox", "plan", "schedule", "escalationpolicy",
    }  # fmt: skip

    done = client.get("/desk/welcome/done/").content.decode()
    assert "Open the inbox" in done
    assert done.count("is-there") == 6
    assert client.get("/desk/").status_code == 200


def test_every_step_may_be_skipped_and_shows_what_is_there(client: Client) -> None:
    client.post("/desk/welcome/", _first())
    for key in ("company", "team", "mailbox", "hours", "on-call"):
        page = client.get(f"/desk/welcome/{key}/").content.decode()
        assert "Skip" in page
        assert ("Back" in page) == (key != "company")
    assert client.get("/desk/welcome/done/").content.decode().count("is-there") == 0
    client.post("/desk/welcome/team/", {"name": "Support"})

    page = client.get("/desk/welcome/team/").content.decode()
    assert "This is there already" in page
    client.post("/desk/welcome/team/", {"name": "Another"})
    assert Team.objects.get().name == "Support"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"token": "guessed"}, "not the setup word"),
        ({"token": ""}, "required"),
        ({"password": "12345678"}, "password"),
        ({"email": "mary"}, "email address"),
        ({"timezone": "Mars/Crater"}, "time zone"),
        ({"name": ""}, "required"),
    ],
)
def test_what_is_wrong_makes_nobody(wrong: dict[str, str], words: str, client: Client) -> None:
    answer = client.post("/desk/welcome/", _first(**wrong))

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Mary Jackson" in answer.content.decode() or "name" in wrong
    assert FIRST["password"] not in answer.content.decode()
    assert not User.objects.exists()


def test_the_setup_word_opens_nothing_once_there_is_somebody(client: Client, company: Company) -> None:
    before = User.objects.count()
    for ask in (client.get, client.post):
        answer = ask("/desk/welcome/", _first())
        assert answer.status_code == 302
        assert answer["Location"].startswith("/desk/login/")
    assert User.objects.count() == before
    with pytest.raises(CommandError):
        call_command("setup_link")


def test_two_who_hold_the_word_do_not_both_become_admin(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has opened the page while there was nobody."""
    Client().post("/desk/welcome/", _first())
    monkeypatch.setattr("tickets.views.settings.welcome.nobody_is_there", lambda: True)

    answer = client.post("/desk/welcome/", _first(email="second@rocket.example"))

    assert answer.status_code == 422
    assert "Somebody was faster" in answer.content.decode()
    assert User.objects.count() == 1


def test_the_command_prints_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_link")

    assert capsys.readouterr().out.strip().endswith(f"/desk/welcome/?token={setup_token(settings.SECRET_KEY)}")


def test_an_unknown_step_is_no_page(company: Company) -> None:
    assert logged_in(company.ada).get("/desk/welcome/colours/").status_code == 404


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("mailbox", {"address": "nonsense", "name": "X"}, "email address"),
        ("team", {"name": "Support", "colleagues": "mary@rocket.example"}, "is an agent already"),
        ("team", {"name": "Support", "colleagues": "nonsense"}, "email address"),
        ("hours", {"days": [], "start": "09:00", "end": "17:00", "timezone": "UTC"}, "required"),
        ("on-call", {"handoff": "late"}, "time"),
    ],
)
def test_a_step_says_what_is_wrong_and_keeps_the_rest(
    key: str, given: dict[str, Any], words: str, client: Client
) -> None:
    client.post("/desk/welcome/", _first())

    answer = client.post(f"/desk/welcome/{key}/", given)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert User.objects.count() == 1
    assert not Team.objects.exists()
