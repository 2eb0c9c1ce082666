"""The palette and the customer's page: what they find, for whom, in how many statements."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import Customer, Team, User
from helpdesk.events.actors import SYSTEM
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write, write_many
from tickets.desk import palette
from tickets.desk.models import CannedReply, Macro

BEFORE = 2


def _found(user: User, typed: str) -> tuple[list[int], list[str]]:
    found = palette.find(typed, user)
    return [row["id"] for row in found.conversations], [person["name"] for person in found.people]


def test_a_number_finds_its_conversation_first(company: Company, at: datetime) -> None:
    first = write(company.carol, at)
    write(company.carol, at, subject=f"About {first.pk}")

    assert _found(company.ada, f"#{first.pk}") == ([first.pk], [])
    assert _found(company.ada, str(first.pk)) == ([first.pk], [])
    assert _found(company.ada, "#99999999") == _found(company.ada, "#abc") == ([], [])


def test_subjects_are_found_by_parts_of_words_new_and_old(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(palette, "_RECENT", palette._RECENT.replace(f"LIMIT {palette.NEWEST}", "LIMIT 1"))
    old = write(company.carol, at, subject="Certificate expired")
    new = write(company.carol, at + timedelta(hours=1), subject="Another certificate question")

    assert _found(company.ada, "certif") == ([new.pk, old.pk], [])
    assert _found(company.ada, "certif expi") == ([old.pk], [])
    assert _found(company.ada, "tificate") == ([new.pk], [])


def test_people_are_found_by_name_address_and_in_spite_of_typos(company: Company) -> None:
    for typed in ("carol", "meyer", "CAROL@ACME", "ca", "Carol Mayer"):
        assert _found(company.ada, typed)[1] == ["Carol Meyer"], typed
    assert _found(company.ada, "zzzz") == ([], [])


@pytest.mark.parametrize(
    "typed", ["%", "_", "'", "\\", ":*", "& | !", "a\x00b", "x" * 5000, "#" + "9" * 30, "9" * 30, "<->"]
)
def test_nothing_typed_breaks_it(typed: str, company: Company, at: datetime) -> None:
    write(company.carol, at)

    answer = logged_in(company.ada).get("/desk/palette/", {"q": typed})

    assert answer.status_code == 200


def test_without_a_word_it_shows_the_agents_next_ones(company: Company, at: datetime) -> None:
    mine, _other = write_many(company.carol, at, 2)
    conversations.change(mine.pk, conversations.Changes(assignee=company.grace), actor=SYSTEM, at=at)

    assert _found(company.grace, " ") == ([mine.pk], [])


def test_closed_teams_stay_closed(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.is_private = True
    team.save()
    team.members.set([company.linus])
    secret = write(company.carol, at, team_id=team.pk, subject="Secret matter")

    for typed in ("secret", str(secret.pk), f"#{secret.pk}"):
        assert _found(company.grace, typed)[0] == []
        assert _found(company.ada, typed)[0] == [secret.pk]


def test_the_fragment_leads_to_conversations_people_and_views(
    company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    conversation = write(company.carol, at, subject="Mine is broken")
    browser = logged_in(company.ada)

    with django_assert_max_num_queries(BEFORE + 11):
        part = browser.get("/desk/palette/?q=mine").content.decode()

    assert f'href="/desk/conversations/{conversation.pk}/"' in part and 'href="/desk/?view=mine"' in part
    assert f'href="/desk/customers/{company.carol.pk}/"' in browser.get("/desk/palette/?q=carol").content.decode()


def test_it_finds_places_macros_and_canned_replies(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    macro = Macro.objects.create(name="Wall of fame", actions=[{"do": "close", "value": None}], updated_at=at)
    CannedReply.objects.create(name="Wallpaper", shortcut="wall", text="Hi", updated_at=at)
    CannedReply.objects.create(name="Walls", shortcut="walls", text="Hi", owner=company.linus, updated_at=at)

    def found(user: User, typed: str, here: int | str = "") -> str:
        return logged_in(user).get("/desk/palette/", {"q": typed, "here": here}).content.decode()

    admins = found(company.ada, "wall", conversation.pk)
    assert 'href="/desk/wallboard/"' in admins and 'href="/desk/settings/wallboards/"' in admins
    assert f'href="/desk/conversations/{conversation.pk}/macros/?macro={macro.pk}"' in admins
    assert "Wallpaper" in admins and "Walls" not in admins
    agents = found(company.grace, "wall", "x")
    assert 'href="/desk/wallboard/"' in agents and "settings/wallboards" not in agents and "fame" not in agents
    assert 'href="/desk/reports/"' in found(company.grace, "rep")


def test_the_customers_page_tells_who_what_and_everything_asked(
    company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    made = write_many(company.gil, at, 55)
    browser = logged_in(company.ada)

    with django_assert_max_num_queries(BEFORE + 5):
        page = browser.get(f"/desk/customers/{company.gil.pk}/").content.decode()

    for words in ("Gil Ortega", "Globex", "Enterprise", "24x7", "Included", "gil@globex.example"):
        assert words in page
    assert page.count('<li class="item"') == 50 and f"customer={company.gil.pk}&amp;after=" in page
    assert f'id="c{made[-1].pk}"' in page


def test_a_stranger_without_a_company_has_a_page_too(company: Company, at: datetime) -> None:
    nobody = Customer.objects.create(email="x@nowhere.example", timezone="Nowhere/Land", created_at=at)

    page = logged_in(company.ada).get(f"/desk/customers/{nobody.pk}/").content.decode()

    assert "x@nowhere.example" in page and "none known" in page


def test_the_customers_page_hides_closed_teams(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.is_private = True
    team.save()
    team.members.set([company.linus])
    write(company.carol, at, team_id=team.pk, subject="Secret matter")

    path = f"/desk/customers/{company.carol.pk}/"

    assert "Secret matter" in logged_in(company.ada).get(path).content.decode()
    assert "Secret matter" not in logged_in(company.grace).get(path).content.decode()


def test_notes_on_a_customer_are_kept_unless_somebody_was_faster(company: Company) -> None:
    browser = logged_in(company.ada)
    path = f"/desk/customers/{company.carol.pk}/notes/"

    browser.post(path, {"notes": "Prefers to be called.", "was": ""})
    browser.post(path, {"notes": "Overwrites.", "was": ""})

    company.carol.refresh_from_db()
    assert company.carol.notes == "Prefers to be called."
    assert "changed" in browser.get(f"/desk/customers/{company.carol.pk}/").content.decode()
