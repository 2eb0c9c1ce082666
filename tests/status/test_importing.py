"""Lists of subscribers: nobody is told who has not said yes, unless an admin declares where they did."""

from datetime import datetime

import pytest
from django.test import Client

from helpdesk.events.models import Event
from status import importing, subscribing
from status.models import Subscriber
from tests.fixtures.company import Company
from tests.fixtures.status import component
from tests.fixtures.subscribers import subscriber

pytestmark = pytest.mark.django_db
TABLE = "Email,Language,Components\na@one.example,de,web14\nB@two.example,,\nnonsense,,\nc@three.example,,no such\n"


def test_each_is_asked_first_and_told_nothing(company: Company, at: datetime) -> None:
    web = component("web14", at)
    found = importing.import_all(TABLE, company.ada, at=at)
    assert (found.made, found.known, found.refused_count) == (2, 0, 2)
    assert found.refused[0].startswith("4: ") and "no such" in found.refused[1]
    first, second = Subscriber.objects.order_by("pk")
    assert (first.status, first.language, first.wants_all, list(first.components.all())) == (
        "pending",
        "de",
        False,
        [web],
    )
    assert (second.address, second.wants_all, second.confirmed_at) == ("B@two.example", True, None)
    assert Event.objects.filter(kind=subscribing.ASKED).count() == 2, "the mails that ask follow"
    again = importing.import_all(TABLE, company.ada, at=at)
    assert (again.made, again.known) == (0, 2)


def test_declared_consent_is_kept_with_each(company: Company, at: datetime) -> None:
    gone = subscriber("gone@four.example", at)
    subscribing.end(gone, at=at)
    mine = f"gone@four.example\r\n{company.carol.email}\r\n"
    found = importing.import_all(mine, company.ada, consent="our old page", at=at)
    assert (found.made, found.known) == (1, 1)
    made = Subscriber.objects.get(address=company.carol.email)
    assert (made.status, made.confirmed_at, made.customer) == ("active", at, company.carol)
    assert made.consent == f"our old page ({company.ada.email}, 2026-01-12)"
    gone.refresh_from_db()
    assert gone.status == "ended", "who has left does not come back by a list"


def test_by_page_and_api_for_admins_alone(company: Company, at: datetime) -> None:
    client = Client()
    client.force_login(company.grace)
    assert client.get("/desk/status/subscribers/").status_code == 403
    assert client.post("/api/v1/subscribers/import/", {"csv": "a@one.example"}).status_code == 403
    client.force_login(company.ada)
    page = client.post("/desk/status/subscribers/", {"text": "a@one.example\nb@one.example", "consent": ""})
    assert page.status_code == 200 and '<dd class="num">2</dd>' in page.text
    assert client.post("/desk/status/subscribers/", {"text": " "}).status_code == 422
    sent = {"csv": "a@one.example\nc@one.example", "consent": "by contract"}
    answer = client.post("/api/v1/subscribers/import/", sent, content_type="application/json")
    assert answer.json() == {"made": 1, "known": 1, "refused": [], "refused_count": 0}
    assert Subscriber.objects.get(address="c@one.example").consent.startswith("by contract (")


@pytest.mark.parametrize("text", ["a@one.example\n" * (importing.MOST_ROWS + 1), "x" * (importing.MOST_BYTES + 1)])
def test_what_is_endless_is_refused(company: Company, at: datetime, text: str) -> None:
    with pytest.raises(importing.NotAList):
        importing.import_all(text, company.ada, at=at)


def test_what_is_no_table_at_all_is_left_out(company: Company, at: datetime) -> None:
    found = importing.import_all('"a@one.example\n\0\x00;;;"\n<b>,=cmd()\n' + "," * 200_000, company.ada, at=at)
    assert (found.made, Subscriber.objects.count()) == (0, 0)
