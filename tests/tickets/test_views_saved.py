"""Saved views, the filter form, the list pane, and the keys' switch."""

from datetime import datetime
from typing import Any

import pytest

from helpdesk.customers.models import Service, Team, User
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import views_kept
from tickets.models import SavedView


def _save(user: User, query: str = "view=filter&priority=high", **fields: Any) -> Any:
    return logged_in(user).post("/desk/views/", {"query": query, "name": "Mine", "audience": "me", **fields})


def test_what_one_sees_is_saved_under_a_name(company: Company, at: datetime) -> None:
    wanted = write(company.carol, at, priority="high", tags=("vip",))
    write(company.carol, at, priority="high")

    answer = _save(company.grace, "view=filter&priority=high&tag=vip", name="Important")

    view = SavedView.objects.get()
    assert (view.owner, view.team, view.name) == (company.grace, None, "Important")
    assert answer["Location"] == f"/desk/?view=saved-{view.pk}"
    page = logged_in(company.grace).get(answer["Location"]).content.decode()
    assert page.count('<li class="item"') == 1 and f'id="c{wanted.pk}"' in page
    assert "Important" in page


def test_the_newest_first_order_is_kept(company: Company, at: datetime) -> None:
    _save(company.ada, "view=resolved&priority=high")
    _save(company.ada, "view=filter&priority=high")

    assert [view.newest_first for view in SavedView.objects.order_by("pk")] == [True, False]


def test_teams_and_everybody_are_saved_for_by_those_who_speak_for_them(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.members.set([company.linus])

    assert _save(company.linus, audience=str(team.pk)).status_code == 302
    assert _save(company.grace, audience=str(team.pk)).status_code == 403
    assert _save(company.grace, audience="all").status_code == 403
    assert _save(company.ada, audience="all").status_code == 302
    assert _save(company.ada, audience="x").status_code == 403
    assert sorted((v.team_id, v.owner_id) for v in SavedView.objects.filter(team=None)) == [(None, None)]


@pytest.mark.parametrize("query", ["view=nothing", "view=filter&status=gone", "view=saved-99999"])
def test_what_leads_nowhere_is_not_saved(query: str, company: Company) -> None:
    assert _save(company.ada, query).status_code == 404
    assert not SavedView.objects.exists()


def test_a_view_needs_a_name(company: Company) -> None:
    assert _save(company.ada, name="  ").status_code == 302
    assert not SavedView.objects.exists()


def test_views_are_renamed_ordered_and_thrown_away(company: Company, at: datetime) -> None:
    for name in ("A", "B", "C"):
        _save(company.ada, name=name)
    first, second, third = SavedView.objects.order_by("position")
    browser = logged_in(company.ada)

    browser.post(f"/desk/views/{third.pk}/place/", {"by": "up"})
    browser.post(f"/desk/views/{first.pk}/place/", {"by": "up"})
    browser.post(f"/desk/views/{second.pk}/", {"name": "Bee", "newest_first": "on"})

    assert list(SavedView.objects.values_list("name", flat=True)) == ["A", "C", "Bee"]
    assert "Bee" in browser.get("/desk/views/").content.decode()
    browser.post(f"/desk/views/{first.pk}/deletion/")
    assert list(SavedView.objects.values_list("name", flat=True)) == ["C", "Bee"]


def test_somebody_elses_view_is_not_there_and_a_shared_one_is_not_changed(company: Company, at: datetime) -> None:
    own = SavedView.objects.create(name="Own", owner=company.ada, filters={}, updated_at=at)
    shared = SavedView.objects.create(name="All's", filters={}, updated_at=at)
    browser = logged_in(company.grace)

    for verb in ("", "place/", "deletion/"):
        assert browser.post(f"/desk/views/{own.pk}/{verb}", {"name": "x"}).status_code == 404
        assert browser.post(f"/desk/views/{shared.pk}/{verb}", {"name": "x"}).status_code == 403
    assert "Own" not in browser.get("/desk/views/").content.decode()


def test_there_are_only_so_many(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views_kept, "MOST", 1)
    _save(company.ada)

    assert _save(company.ada)["Location"] == "/desk/views/"
    assert SavedView.objects.count() == 1


def test_the_filter_form_says_what_is_chosen_and_offers_no_closed_team(company: Company) -> None:
    team = Team.objects.get(name="Hosting")
    team.is_private = True
    team.save()
    team.members.set([company.linus])

    page = logged_in(company.grace).get("/desk/filter/?view=filter&priority=high&tag=a,b").content.decode()

    assert '<option value="high" selected>' in page and 'value="a, b"' in page
    assert "Hosting" not in page and "<html" in page
    part = logged_in(company.ada).get("/desk/filter/?view=filter", headers={"HX-Target": "layer-body"})
    assert "<html" not in part.content.decode() and "Hosting" in part.content.decode()


def test_empty_fields_of_the_form_ask_for_nothing(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at, tags=("a",))

    page = logged_in(company.ada).get(
        "/desk/?view=filter&team=&assignee=&status=&priority=&channel=&service=&tag=a%2C+b"
    )

    assert f'id="c{conversation.pk}"' in page.content.decode()


def test_filters_are_said_in_words_each_with_the_way_out(company: Company) -> None:
    service = Service.objects.order_by("pk")[0]
    path = f"/desk/?view=filter&priority=high&service={service.pk}&assignee=me&customer={company.carol.pk}"

    page = logged_in(company.ada).get(path).content.decode()

    for words in ("Priority: High", f"Service: {service.name}", "Assignee: You", "Customer: Carol Meyer"):
        assert words in page
    without_service = f"?view=filter&amp;priority=high&amp;assignee=me&amp;customer={company.carol.pk}"
    assert without_service in page


def test_the_list_comes_alone_beside_a_conversation(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    browser = logged_in(company.ada)

    part = browser.get("/desk/list/?view=dispatch").content.decode()
    page = browser.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    pane = browser.get(f"/desk/conversations/{conversation.pk}/", headers={"HX-Target": "main"})

    assert "<html" not in part and f'id="c{conversation.pk}"' in part
    assert 'data-src="/desk/list/"' in page and "<html" in page
    assert "<html" not in pane.content.decode() and 'id="thread"' in pane.content.decode()
    assert "HX-Target" in pane["Vary"]


def test_single_letters_are_switched_off_for_one_agent(company: Company) -> None:
    browser = logged_in(company.ada)
    assert 'data-single-keys="yes"' in browser.get("/desk/").content.decode()

    browser.post("/desk/keys/", {})

    assert 'data-single-keys="no"' in browser.get("/desk/").content.decode()
    assert 'data-single-keys="yes"' in logged_in(company.grace).get("/desk/").content.decode()
    browser.post("/desk/keys/", {"on": "yes"})
    assert 'data-single-keys="yes"' in browser.get("/desk/").content.decode()
