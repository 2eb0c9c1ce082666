"""Agents to choose from where there are too many to list: found by name, by those who may, and nobody who is gone."""

from datetime import datetime

import pytest
from django.db import connection
from django.http import HttpRequest, QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.actions import Changes
from helpdesk.customers import agents
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write, write_many
from tickets.desk import inbox
from tickets.desk.filters import BadFilter
from tickets.views.settings.people import TeamForm
from tickets.views.settings.steps_form import Sayer, StepPart, given_in, shown


@pytest.fixture
def many(company: Company) -> list[User]:
    """More agents than a page lists."""
    return User.objects.bulk_create(
        User(email=f"n{number:03}@demo.example", name=f"Nora {number:03}") for number in range(agents.MOST_LISTED + 5)
    )


def _found(client: Client, typed: str, **more: int) -> list[tuple[str, str]]:
    given: dict[str, str | int] = {"q": typed, **more}
    answer = client.get("/desk/names/user/", given).json()["results"]
    return [(one["name"], one["hint"]) for one in answer]


def test_agents_are_found_but_nobody_who_left(company: Company) -> None:
    client = logged_in(company.grace)
    User.objects.create_user("old@demo.example", None, name="Ada Gone", is_active=False)
    User.objects.create_user("ada2@demo.example", None, name="Ada Lovelace")

    assert _found(client, "hopper") == [("Grace Hopper", "grace@demo.example")]
    # Of namesakes the addresses say who is who.
    assert _found(client, "ada l") == [("ada@demo.example", "Ada Lovelace"), ("ada2@demo.example", "Ada Lovelace")]
    assert Client().get("/desk/names/user/?q=n").status_code in (302, 401)


def test_of_a_private_teams_conversation_only_its_readers_are_found(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    asked = {"conversation": conversation.pk}
    assert _found(logged_in(company.grace), "linus", **asked)

    team = Team.objects.create(name="Board", is_private=True)
    team.members.add(company.grace)
    conversations.change(conversation.pk, Changes(team=team), actor=Actor.agent(company.ada), at=at)

    desk = logged_in(company.grace)
    assert not _found(desk, "linus", **asked)
    assert _found(desk, "grace", **asked) and _found(desk, "ada", **asked), "a member and an admin"
    assert logged_in(company.linus).get(f"/desk/names/user/?q=a&conversation={conversation.pk}").status_code == 404
    assert desk.get("/desk/names/user/", {"q": "a", "conversation": "x"}).status_code == 404


def test_a_conversation_lists_none_of_them_and_takes_a_name(company: Company, many: list[User], at: datetime) -> None:
    conversation = write(company.carol, at)
    client, path = logged_in(company.grace), f"/desk/conversations/{conversation.pk}/"

    client.post(f"{path}work/", {"assignee_name": many[-1].name.upper()})
    conversation.refresh_from_db()
    assert conversation.assignee == many[-1]
    client.post(f"{path}work/", {"assignee_name": "grace@demo.example"})
    client.post(f"{path}work/", {"assignee_name": "Nora"})  # who of them?
    conversation.refresh_from_db()
    assert conversation.assignee == company.grace

    shown = client.get(path).content.decode()
    assert 'name="assignee_name"' in shown and many[0].name not in shown
    assert f"assigned to {many[-1].name}" in shown, "an event speaks of somebody who is not listed"


def test_lists_and_many_at_once_take_a_name(company: Company, many: list[User], at: datetime) -> None:
    mine, other = write_many(company.carol, at, 2)
    client = logged_in(company.grace)
    for path in ("/desk/filter/", f"/desk/bulk/?c={mine.pk}"):
        page = client.get(path).content.decode()
        assert 'name="assignee_name"' in page and many[0].name not in page, path

    asked = {"c": [mine.pk], "client_id": "7f0c0d3e-1111-4222-8333-444455556666", "assignee_name": many[-1].name}
    assert client.post("/desk/bulk/", asked).status_code == 302
    mine.refresh_from_db()
    assert mine.assignee == many[-1]
    listed = client.get("/desk/", {"view": "filter", "assignee_name": many[-1].name}).content.decode()
    assert f'id="c{mine.pk}"' in listed and f'id="c{other.pk}"' not in listed
    with pytest.raises(BadFilter):
        inbox.asked(QueryDict("view=filter&assignee_name=Nora"), company.grace)


def test_settings_and_reports_take_names_too(company: Company, many: list[User], at: datetime) -> None:
    client, last = logged_in(company.ada), many[-1]
    for path in (
        "settings/schedules/new/",
        "settings/teams/new/",
        "settings/rules/new/",
        "settings/views/new/",
        "settings/audit/",
        "on-call/",
        "reports/",
    ):
        page = client.get(f"/desk/{path}").content.decode()
        assert f"{last.name}</option>" not in page and "/desk/names/user/" in page, path

    page = client.get("/desk/reports/", {"agent_name": last.name}).content.decode()
    assert f'<option value="{last.pk}" selected>' in page
    assert client.get("/desk/reports/", {"agent_name": "Nora"}).status_code == 400

    form = TeamForm(HttpRequest(), None, {"name": "New", "members": f"{last.name}\n{many[3].name}"})
    assert form.is_valid() and set(form.cleaned_data["members"]) == {last, many[3]}


def test_a_macros_step_names_whom_it_gives_it_to(company: Company, many: list[User]) -> None:
    given = {"a0-do": "assign:who", "a0-who": many[-1].name}
    part = StepPart(given, prefix="a0")
    assert part.is_valid() and given_in(part.cleaned_data) == {"do": "assign", "value": str(many[-1].pk)}
    assert not StepPart({"a0-do": "assign:who"}, prefix="a0").is_valid()
    again = StepPart(prefix="a0", initial=next(iter(shown({"do": "assign", "value": many[-1].pk}))))
    assert many[-1].name in str(again["do"]) and many[0].name not in str(again["do"])
    assert Sayer([[{"do": "assign", "value": many[-1].pk}]]).said([{"do": "assign", "value": many[-1].pk}]) == str(
        many[-1]
    )


def test_as_many_statements_for_many_as_for_few(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    path, client = f"/desk/conversations/{conversation.pk}/", logged_in(company.grace)
    counts = []
    for more in (0, agents.MOST_LISTED + 5):
        User.objects.bulk_create(User(email=f"n{n}@demo.example", name=f"Nora {n}") for n in range(more))
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1]
