"""The wallboard: what it counts, whom it shows it to, and links without a login."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from helpdesk.customers.models import Team, User
from helpdesk.oncall import paging
from helpdesk.sla.sweep import sweep
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.reports import keeping, wallboard

HOUR = timedelta(hours=1)


def test_what_waits_what_is_at_risk_and_what_was_broken(company: Company, at: datetime) -> None:
    first = write(company.carol, at)
    write(company.carol, at + HOUR)
    late = at + 2 * HOUR + timedelta(minutes=1)
    for _ in range(2):
        sweep(at + 112 * timedelta(minutes=1))
    paging.trigger("test", paging.Reason("test", "Down", at), urgency="high", summary="Secret words", at=late - HOUR)
    keeping.rebuild()

    board = wallboard.board(company.ada, at + 112 * timedelta(minutes=1))

    assert (board.waiting.count, board.waiting.conversation) == (2, first.pk)
    assert board.waiting.due_at == at + HOUR
    assert board.at_risk >= 1 and board.broken == 1 and board.kept == 0
    assert (board.pages.count, board.pages.unacknowledged) >= (1, 1)
    assert board.new == 2 and board.on_call and board.first_response.median is None


def test_private_teams_are_on_nobodys_television(company: Company, at: datetime) -> None:
    secret = Team.objects.create(name="Secret", is_private=True)
    secret.members.add(company.linus)
    write(company.carol, at, team_id=secret.pk)
    keeping.rebuild()

    assert wallboard.board(company.linus, at).waiting.count == 1
    seen = wallboard.board(wallboard.stranger(), at)
    assert (seen.waiting.count, seen.waiting.due_at, seen.new) == (0, None, 0)


def test_it_is_narrowed_to_a_team_that_one_may_see(company: Company, at: datetime) -> None:
    secret, other = Team.objects.create(name="Secret", is_private=True), Team.objects.create(name="Open team")
    secret.members.add(company.linus)
    write(company.carol, at, team_id=secret.pk)
    write(company.gil, at, team_id=other.pk)
    number = '<p class="n num">1</p>'

    member, stranger = logged_in(company.linus), logged_in(company.grace)
    for client, team in ((member, secret), (member, other), (stranger, other)):
        page = client.get(f"/desk/wallboard/?team={team.pk}").content.decode()
        assert number in page and f'hx-get="/desk/wallboard/?team={team.pk}"' in page
        part = client.get(f"/desk/wallboard/?team={team.pk}", headers={"HX-Request": "true"}).content.decode()
        assert number in part and team.name in part and "<html" not in part
    assert number not in member.get("/desk/wallboard/").content.decode()

    assert "Secret" in member.get("/desk/wallboard/").content.decode()
    assert "Secret" not in stranger.get("/desk/wallboard/").content.decode()
    for team_id in (secret.pk, 2**62, "x", "-1", "9" * 40):
        assert stranger.get(f"/desk/wallboard/?team={team_id}").status_code == 404


def test_a_link_shows_it_until_it_is_revoked(company: Company, at: datetime) -> None:
    link, token = wallboard.make_link("Kitchen", company.ada, at=at)
    assert token not in link.digest
    television = Client()
    page = television.get(f"/wallboard/{token}/")
    assert page.status_code == 200 and page["Referrer-Policy"] == "no-referrer" and not page.cookies
    assert "no-store" in page["Cache-Control"]
    part = television.get(f"/wallboard/{token}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "To dispatch" in part
    assert television.post(f"/wallboard/{token}/").status_code == 405
    # It opens nothing else.
    assert television.get("/desk/wallboard/").status_code == 302
    assert television.get("/api/v1/reports/").status_code in (401, 403)

    assert wallboard.revoke_link(link.pk, at=at) and not wallboard.revoke_link(link.pk, at=at)
    assert television.get(f"/wallboard/{token}/").status_code == 404


def test_a_link_ends_with_who_made_it(company: Company, at: datetime) -> None:
    _link, token = wallboard.make_link("Kitchen", company.ada, at=at)
    User.objects.filter(pk=company.ada.pk).update(is_active=False)
    assert Client().get(f"/wallboard/{token}/").status_code == 404


def test_a_link_of_a_team_shows_its_numbers_alone(company: Company, at: datetime) -> None:
    team, other = Team.objects.order_by("pk")[:2]
    for of in (team, other, other):
        write(company.carol, at, team_id=of.pk)
    keeping.rebuild()
    _link, token = wallboard.make_link("Kitchen", company.ada, at=at, team=other)

    seen = wallboard.board(wallboard.stranger(), at, other)
    page = Client().get(f"/wallboard/{token}/").content.decode()

    assert (seen.waiting.count, seen.new, seen.team) == (2, 2, other.name) and other.name in page
    assert {load.pk for load in seen.agents} <= set(other.members.values_list("pk", flat=True))
    Team.objects.filter(pk=other.pk).update(is_private=True)
    assert Client().get(f"/wallboard/{token}/").status_code == 404


def test_a_link_says_when_it_was_used_last(company: Company, at: datetime) -> None:
    link, token = wallboard.make_link("Kitchen", company.ada, at=at)
    for minutes in (1, 1.5, 3):
        assert wallboard.opened(token, at=at + timedelta(minutes=minutes)) == link
        link.refresh_from_db()
    assert link.used_at == at + timedelta(minutes=3)

    shown = logged_in(company.ada).get("/desk/settings/wallboards/").content.decode()
    assert "Kitchen" in shown and "last used" in shown and token not in shown


@pytest.mark.parametrize("token", ["x", "é" * 40, "a" * 2000])
def test_no_token_no_board(company: Company, token: str) -> None:
    assert Client().get(f"/wallboard/{token}/").status_code == 404


def test_nobodys_words_are_on_it(company: Company, at: datetime) -> None:
    write(company.carol, at, subject="Our secret project")
    paging.trigger("test", paging.Reason("test", "Down", at), urgency="high", summary="Secret words", at=at)
    page = logged_in(company.ada).get("/desk/wallboard/").content.decode()
    assert "secret" not in page.lower() and company.carol.name not in page


def test_it_asks_a_bounded_number_of_times(
    company: Company, at: datetime, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        write(company.carol, at + number * HOUR)
    keeping.rebuild()
    browser = logged_in(company.ada)
    with django_assert_max_num_queries(2 + 13):  # type: ignore[operator]
        browser.get("/desk/wallboard/", headers={"HX-Request": "true"})
