"""The queue: what each view shows, in which order, page by page, in how many statements."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team
from helpdesk.events.actors import Actor
from helpdesk.prepared import ALL
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write, write_many
from tickets.desk.counts import count

# Session and user come before any view.
BEFORE = 2
QUEUE = 3


def _ids(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li class="item" id="c(\d+)"', page)]


def _walk(browser: Client, path: str) -> list[int]:
    """All rows of a view, following the plain links to the end."""
    found: list[int] = []
    while path:
        page = browser.get(path).content.decode()
        found += _ids(page)
        link = re.search(r'<li class="more"><a class="btn" href="([^"]+)"', page)
        path = link.group(1).replace("&amp;", "&") if link else ""
    return found


def test_every_row_comes_once_in_order_of_its_deadline(company: Company, at: datetime) -> None:
    made = write_many(company.carol, at, 120)
    answered = made[3]
    conversations.reply(answered.pk, company.ada, "Done.", at=at + timedelta(hours=1), status="open")

    rows = _walk(logged_in(company.ada), "/desk/")

    # The answered one has no promise left to keep: it comes last.
    assert rows == [c.pk for c in made if c != answered] + [answered.pk]


def test_rows_without_a_deadline_are_paged_too(company: Company, at: datetime) -> None:
    made = write_many(company.carol, at, 110)
    for conversation in made:
        conversations.reply(conversation.pk, company.ada, "Done.", at=at + timedelta(hours=2), status="open")

    assert _walk(logged_in(company.ada), "/desk/?view=mine") == [c.pk for c in made]


@pytest.mark.parametrize("view", ["pending", "resolved"])
def test_what_waits_or_is_done_comes_last_changed_first(view: str, company: Company, at: datetime) -> None:
    made = write_many(company.carol, at, 60)
    states = {"pending": ("pending", "on_hold"), "resolved": ("resolved", "closed")}[view]
    for number, conversation in enumerate(made):
        changes = conversations.Changes(status=states[number % 2])
        conversations.change(
            conversation.pk, changes, actor=Actor.agent(company.ada), at=at + timedelta(hours=2, minutes=number)
        )

    assert _walk(logged_in(company.ada), f"/desk/?view={view}") == [c.pk for c in reversed(made)]


def test_all_shows_all(company: Company, at: datetime) -> None:
    made = write_many(company.carol, at, 55)

    assert _walk(logged_in(company.ada), "/desk/?view=all") == [c.pk for c in reversed(made)]


def test_the_views_divide_the_work(company: Company, at: datetime) -> None:
    hosting = Team.objects.get(name="Hosting")
    free = write(company.carol, at)
    theirs = write(company.carol, at, team_id=hosting.pk)
    mine = write(company.carol, at)
    conversations.change(mine.pk, conversations.Changes(assignee=company.ada), actor=Actor.agent(company.ada), at=at)
    browser = logged_in(company.ada)

    assert set(_walk(browser, "/desk/?view=dispatch")) == {free.pk, theirs.pk}
    assert _walk(browser, f"/desk/?view=dispatch&team={hosting.pk}") == [theirs.pk]
    assert _walk(browser, "/desk/?view=mine") == [mine.pk]
    assert _walk(logged_in(company.grace), "/desk/?view=mine") == []


@pytest.mark.parametrize("count", [3, 60])
@pytest.mark.parametrize("view", ["reply", "dispatch", "mine", "pending", "resolved", "all"])
def test_a_page_costs_the_same_statements_however_long_the_queue(
    view: str, count: int, company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    write_many(company.gil, at, count)
    browser = logged_in(company.ada)
    browser.get("/desk/")

    with django_assert_max_num_queries(BEFORE + QUEUE):
        browser.get(f"/desk/?view={view}")


def test_no_statement_of_the_queue_counts_or_loads_everything(
    company: Company, at: datetime, django_assert_max_num_queries: Any
) -> None:
    write_many(company.gil, at, 60)
    browser = logged_in(company.ada)
    captured: CaptureQueriesContext
    with django_assert_max_num_queries(BEFORE + QUEUE) as captured:
        browser.get("/desk/")

    ran = [_written_out(query["sql"]) for query in captured.captured_queries]
    about = [sql for sql in ran if Conversation._meta.db_table in sql]
    assert len(about) == 2
    assert all("LIMIT" in sql or "conversation_id" in sql for sql in about)


def _written_out(sql: str) -> str:
    """What a prepared statement was prepared from."""
    name = sql.removeprefix("EXECUTE ").partition("(")[0]
    return ALL[name].prepare if name in ALL else sql


def test_numbers_stop_at_99(company: Company, at: datetime) -> None:
    write_many(company.gil, at, 101)

    counts = count(company.ada)

    assert counts.views["reply"] == counts.views["dispatch"] == "99+"
    assert counts.views["mine"] == ""


def test_shown_rows_are_fetched_anew_at_once_but_not_without_bound(company: Company, at: datetime) -> None:
    write_many(company.gil, at, 70)
    browser = logged_in(company.ada)

    assert len(_ids(browser.get("/desk/rows/?shown=60").content.decode())) == 60
    assert len(_ids(browser.get("/desk/rows/?shown=99999").content.decode())) == 70
    assert len(_ids(browser.get("/desk/rows/?shown=99999999999").content.decode())) == 50


def test_a_row_tells_what_is_due_and_what_it_came_from(company: Company, at: datetime) -> None:
    write(company.gil, at, priority="urgent", subject="The shop is down")

    page = logged_in(company.ada).get("/desk/").content.decode()

    assert "The shop is down" in page and "Gil Ortega" in page and "Globex</bdi> · Enterprise" in page
    assert "Urgent" in page and 'data-due="2026-01-12T' in page and "Take" in page


def test_what_customers_write_cannot_become_markup(company: Company, at: datetime) -> None:
    company.carol.name = "<script>alert(1)</script>"
    company.carol.save()
    write(company.carol, at, subject='"><img src=x onerror=alert(2)>', text="<b onclick=alert(3)>hi</b>")

    page = logged_in(company.ada).get("/desk/").content.decode()

    assert "<script>alert" not in page and "<img src=x" not in page and "<b onclick" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_empty_queue_says_so(company: Company, at: datetime) -> None:
    page = logged_in(company.ada).get("/desk/").content.decode()
    assert "No request has come yet" in page and "support@demo.example" in page
    write(company.carol, at)
    page = logged_in(company.ada).get("/desk/?view=spam").content.decode()
    assert "Nothing here" in page and "No request has come yet" not in page
