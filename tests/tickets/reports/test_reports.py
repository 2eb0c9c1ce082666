"""The report of a period: its sums, who may see what of it, and its page, CSV and API."""

import csv
import io
import itertools
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations import actions as conversations
from helpdesk.customers.models import Team, User
from helpdesk.desk.tables import Column, Table
from helpdesk.events.actors import Actor
from helpdesk.oncall import paging
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.reports import keeping, reading, selection, sources, tables, wording
from tickets.reports.models import Figure, Tally
from tickets.reports.selection import BadSelection, Selection, parse
from tickets.reports.tables import Report

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Session and user come before any view.
BEFORE = 2
ADDRESSES = ("/desk/reports/", "/desk/reports/teams.csv", "/api/v1/reports/", "/api/v1/reports/teams/")


@pytest.fixture
def history(company: Company, at: datetime) -> Company:
    """Six conversations on two days: two of a private team, three answered after 1, 2 and 3 hours, one resolved."""
    secret = Team.objects.create(name="Secret", is_private=True)
    secret.members.add(company.linus)
    teams = [None, Team.objects.get(name="Support"), secret]
    for number in range(6):
        opened = at + timedelta(days=number % 2, minutes=number)
        team = teams[number % 3]
        asked = write(company.carol, opened, team_id=team.pk if team else None, priority="high" if number else "low")
        if number < 3:
            conversations.reply(asked.pk, company.ada, "So.", at=opened + (number + 1) * HOUR)
        if number == 0:
            done = conversations.Changes(status="resolved")
            conversations.change(asked.pk, done, actor=Actor.agent(company.ada), at=opened + 4 * HOUR)
    keeping.rebuild()
    return company


def report(user: User, **given: str) -> Report:
    return tables.report(parse({"period": "28d"} | given, NOW), user)


def admin(company: Company) -> User:
    return User.objects.get(role=User.Role.ADMIN, pk=company.ada.pk) if company.ada.is_admin else company.grace


def seer(company: Company) -> User:
    """An agent who sees everything: one of the private team."""
    return company.linus


def test_the_numbers_of_a_small_history(history: Company) -> None:
    found = report(seer(history))
    assert (found.now.count("opened"), found.now.count("resolution"), found.backlog) == (6, 1, 5)
    first = found.now.time("first_response")
    assert (first.count, first.median, first.p90) == (3, 2 * 3600, 3 * 3600)
    volume = found.tables["volume"]
    assert [row[1:] for row in volume.rows if row[1]] == [[3, 1, 2], [3, 0, 5]]
    assert volume.rows[-1][3] == 5 and len(volume.rows) == 28
    assert found.week[0][9] == 3 and found.week[1][9] == 3 and sum(map(sum, found.week)) == 6
    ada = next(row for row in found.tables["agents"].rows if row[0] == "Ada Lovelace")
    assert ada == ["Ada Lovelace", 2, 1, 3, 0]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("period", ["28d", "90d", "month", "12m"])
def test_the_parts_are_the_whole(history: Company, period: str, exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EXACT", 20_000 if exact else -1)
    found = report(seer(history), period=period).now
    days = sum(row[1] for row in report(seer(history), period=period).tables["volume"].rows)
    assert days == found.count("opened") == 6
    for measure in ("opened", "resolution", "reply"):
        whole = found.count(measure)
        for scope in ("unit", "team", "channel", "priority"):
            assert sum(found.count(measure, scope, key) for key in found.keys(scope)) == whole, (measure, scope)
    for scope in ("unit", "team", "channel", "priority"):
        timed = sum(found.time("first_response", scope, key).count for key in found.keys(scope))
        assert timed == found.time("first_response").count == 3
    assert found.time("first_response").median == pytest.approx(7200, rel=0.05)


@pytest.mark.parametrize("by", ["organization", "agent"])
def test_few_are_counted_as_all_are(history: Company, by: str) -> None:
    """Read from figures for the only customer or agent there is, the numbers are those of the tallies."""
    user = seer(history)
    few = {"organization": str(history.carol.organization_id), "agent": str(history.ada.pk)}
    whole, part = report(user).now, report(user, **{by: few[by]}).now
    if by == "organization":
        assert dict(part.counts) == dict(whole.counts) and dict(part.kept) == dict(whole.kept)
        assert part.times == whole.times
    assert part.count("reply") == whole.count("reply") == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"team": "0"}, 2), ({"priority": "low"}, 1), ({"channel": "email"}, 6), ({"channel": "form"}, 0),
        ({"period": "custom", "from": "2026-01-12", "to": "2026-01-12"}, 3), ({"period": "today"}, 0),
        ({"period": "year"}, 6), ({"period": "12m"}, 6), ({"period": "last-month"}, 0),
    ],
)  # fmt: skip
def test_filters(history: Company, given: dict[str, str], expected: int) -> None:
    assert report(seer(history), **given).now.count("opened") == expected


def test_private_teams_are_not_in_the_sums_of_strangers(history: Company) -> None:
    stranger = next(u for u in (history.ada, history.grace) if not u.is_admin)
    found = report(stranger)
    assert found.now.count("opened") == 4 and sum(map(sum, found.week)) == 4 and found.backlog == 3
    assert "Secret" not in str(found.tables)
    assert report(history.linus).now.count("opened") == 6
    secret = Team.objects.get(name="Secret")
    assert report(stranger, team=str(secret.pk)).now.count("opened") == 0
    assert report(stranger, organization=str(history.carol.organization_id)).now.count("opened") == 4
    stranger.role = User.Role.ADMIN
    assert report(stranger).now.count("opened") == 6


def test_pages_are_counted_by_urgency(history: Company, at: datetime) -> None:
    page = paging.trigger("test", paging.Reason("test", "Down", at), urgency="high", summary="Down", at=at)
    paging.acknowledge(page.pk, at=at + timedelta(minutes=3), user=history.ada, via="desk")
    high, low = report(seer(history)).tables["pages"].rows
    assert high[1:] == [1, 1, 180, 180, 0] and low[1:] == [0, 0, None, None, 0]


@time_machine.travel(NOW, tick=False)
def test_the_page_holds_charts_with_words_and_tables(history: Company) -> None:
    answer = logged_in(seer(history)).get("/desk/reports/")
    page = answer.content.decode()
    assert answer.status_code == 200
    charts = re.findall(r'<svg class="(?:chart|bars|heat)"[^>]*role="img"', page)
    assert len(charts) >= 9 and page.count("<desc") == len(charts) and page.count("<table") >= 9
    assert " style=" not in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@time_machine.travel(NOW, tick=False)
def test_the_page_asks_a_bounded_number_of_times(history: Company, django_assert_max_num_queries: Any) -> None:
    browser = logged_in(seer(history))
    with django_assert_max_num_queries(BEFORE + 22):
        browser.get("/desk/reports/")
    for number in range(8):
        write(history.carol, NOW - number * HOUR)
    keeping.rebuild()
    with django_assert_max_num_queries(BEFORE + 22):
        browser.get("/desk/reports/?period=12m")


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_read(history: Company, address: str) -> None:
    """Strangers none of it; viewers as well as agents."""
    assert Client().get(address).status_code in (302, 401, 403)
    User.objects.filter(pk=history.grace.pk).update(role=User.Role.VIEWER)
    assert logged_in(User.objects.get(pk=history.grace.pk)).get(address).status_code == 200
    assert logged_in(history.ada).post(address).status_code in (403, 405)
    User.objects.filter(pk=history.ada.pk).update(is_active=False)
    assert logged_in(history.ada).get(address).status_code in (302, 401, 403)


@pytest.mark.parametrize(
    "query",
    ["period=never", "from=2026-02-30", "from=x", "from=2026-02-01&to=2026-01-01", "from=1990-01-01&to=2026-01-01",
     "team=x", "team=" + "9" * 30, "priority=x", "channel=" + "x" * 30, "time=x", "from=2010-01-01&to=2026-01-01",
     "team=²", "from=9999-12-31&to=9999-12-31"],
)  # fmt: skip
def test_nonsense_is_refused(company: Company, query: str) -> None:
    browser = logged_in(company.ada)
    page = browser.get(f"/desk/reports/?{query}")
    assert page.status_code == 400 and 'role="alert"' in page.content.decode()
    assert browser.get(f"/api/v1/reports/?{query}").status_code == 400
    assert browser.get(f"/desk/reports/teams.csv?{query}").status_code == 404
    assert browser.get("/desk/reports/nothing.csv").status_code == 404
    assert browser.get("/api/v1/reports/nothing/").status_code == 404


@time_machine.travel(NOW, tick=False)
def test_csv_and_api_say_what_the_page_says(history: Company) -> None:
    browser = logged_in(seer(history))
    answer = browser.get("/desk/reports/teams.csv")
    assert answer.streaming and "attachment" in answer["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    everything = browser.get("/api/v1/reports/").json()
    assert everything["totals"]["new"] == 6 and everything["tables"].keys() == set(tables.KEYS)
    rows = browser.get("/api/v1/reports/teams/").json()["rows"]
    assert rows == everything["tables"]["teams"]["rows"]
    assert [(row["name"], str(row["new"])) for row in rows] == [(line[0], line[1]) for line in lines[1:]]


@given(st.text(max_size=40))
def test_no_cell_is_a_formula(name: str) -> None:
    table = Table("teams", "Teams", [Column("name", "Team", "text"), Column("new", "New")], [[name, -1]])
    line = list(wording.csv_lines(table))[-1]
    cell, number = next(csv.reader(io.StringIO(line, newline="")))
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert number == "-1"


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 1800))
def test_stretches_cover_each_day_once(start: date, days: int) -> None:
    end = start + timedelta(days=days)
    parts = sources.stretches(start, end)
    assert parts[0][1] == start and parts[-1][2] == end
    for before, after in itertools.pairwise(parts):
        assert after[1] == before[2] + timedelta(days=1)
    for grain, first, last in parts:
        assert first <= last and (grain == "day" or (first.day == 1 and (last + timedelta(days=1)).day == 1))


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 1800))
def test_every_day_is_in_one_unit_of_the_chart(start: date, days: int) -> None:
    chosen = Selection("custom", start, start + timedelta(days=days))
    assert len(set(chosen.units)) == len(chosen.units) <= 62
    for day in (chosen.start, chosen.end, start + timedelta(days=days // 2)):
        assert selection.unit_of(day, chosen.unit) in chosen.units
    before = chosen.before()
    assert before.days == chosen.days and before.end + timedelta(days=1) == chosen.start


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200))
def test_a_quantile_of_buckets_is_within_five_percent(values: list[int]) -> None:
    buckets: dict[int, int] = {}
    for value in values:
        bucket = math.floor(math.log(value + 1) / math.log(keeping.GROWTH))
        buckets[bucket] = buckets.get(bucket, 0) + 1
    for share in (0.5, 0.9):
        exact = sorted(values)[math.ceil(len(values) * share) - 1]
        assert reading._quantile(sorted(buckets.items()), len(values), share) == pytest.approx(exact, rel=0.05, abs=1)


def test_an_address_gives_the_same_selection_again() -> None:
    given = {
        "period": "custom",
        "from": "2026-01-01",
        "to": "2026-01-05",
        "team": "0",
        "priority": "low",
        "time": "wall",
    }
    chosen = parse(given, NOW)
    assert parse(dict(part.split("=") for part in chosen.query.split("&")), NOW) == chosen
    with pytest.raises(BadSelection):
        parse({"period": "x"}, NOW)


def test_empty_tallies_make_an_empty_report(company: Company) -> None:
    assert not Figure.objects.exists() and not Tally.objects.exists()
    found = report(company.ada)
    assert found.backlog == 0 and found.now.time("first_response").median is None
