"""What lists are narrowed to by words: bounded, seen by this agent, rare words and common ones alike."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.conversations import search
from helpdesk.customers.models import Team, User
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write

pytestmark = pytest.mark.django_db


def test_subjects_messages_and_numbers(company: Company, at: datetime) -> None:
    titled = write(company.carol, at, subject="Certificate expired", text="Hello")
    said = write(company.carol, at, subject="Help", text="the certificate is gone")
    write(company.carol, at, subject="Help", text="something else")

    assert sorted(search.numbers("certificate", company.grace)) == [titled.pk, said.pk]
    assert search.numbers('"certificate is"', company.grace) == [said.pk]
    assert search.numbers("certificate -gone", company.grace) == [titled.pk]
    assert search.numbers(f"[#{said.pk}]", company.grace) == [said.pk]
    assert search.numbers(str(said.pk), company.grace) == [said.pk]
    assert search.numbers("  ", company.grace) == []


def test_what_is_hidden_takes_no_room_among_the_newest(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_LISTED", search._LISTED.replace(f"LIMIT {search.LISTED}", "LIMIT 1"))
    seen = write(company.carol, at, text="merger")
    team = Team.objects.create(name="Board", is_private=True)
    secret = write(company.carol, at + timedelta(minutes=1), text="merger", team_id=team.pk)

    assert search.numbers("merger", company.grace) == [seen.pk]
    assert search.numbers("merger", company.ada) == [secret.pk]


@pytest.mark.parametrize(("rare_rows", "fenced"), [(search.RARE_ROWS, True), (-1, False)])
def test_rare_words_by_their_index_common_ones_backwards(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch, rare_rows: int, fenced: bool
) -> None:
    monkeypatch.setattr(search, "RARE_ROWS", rare_rows)
    monkeypatch.setattr(search, "RARE_PART", 0)
    made = write(company.carol, at, text="nameserver")

    with CaptureQueriesContext(connection) as asked:
        assert search.numbers("nameserver", company.grace) == [made.pk]

    statement = next(query["sql"] for query in asked.captured_queries if "UNION" in query["sql"])
    assert ("OFFSET 0" in statement) is fenced


def test_what_takes_too_long_is_given_up_and_says_so(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_PATIENCE", "SET LOCAL statement_timeout = 20")
    monkeypatch.setattr(search, "_LISTED", search._LISTED + " UNION SELECT 1, 1, false FROM pg_sleep(20)")
    here = write(company.carol, at)

    with pytest.raises(search.TooCommon):
        search.numbers("x", company.grace)
    answer = Caller(company.grace)("get", "/conversations/", q="x")
    assert answer.status_code == 400 and "say more" in answer.json()["q"][0]
    page = logged_in(company.grace).get(f"/desk/conversations/{here.pk}/merge/", {"q": "x"})
    assert page.status_code == 200 and "say more" in page.content.decode()


@settings(max_examples=40)
@given(typed=st.text(max_size=60) | st.from_regex(r"\[?#?[0-9]{1,30}\]?( or -\")?", fullmatch=True))
def test_nothing_typed_is_an_error(typed: str) -> None:
    search.numbers(typed, User(pk=1, role="agent"))
