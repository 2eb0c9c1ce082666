"""What is found by which words, in what order, by whom; and that nothing typed is an error."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import search


def _found(typed: str, company: Company, **how: object) -> list[int]:
    query = search.parse(typed, company.ada)
    return [row["id"] for row in search.find(query, company.ada, **how).rows]  # type: ignore[arg-type]


def test_words_are_found_in_subjects_messages_notes_files_and_names(company: Company, at: datetime) -> None:
    subject = write(company.gil, at, subject="Certificate expired", text="Hello")
    text = write(company.gil, at, text="The nameserver refuses.")
    noted = write(company.gil, at, text="Hello")
    conversations.note(noted.pk, company.ada, "Probably the firewall.", at=at)
    filed = write(company.gil, at, text="Hello", files=(File("traceroute-berlin.txt", "text/plain", b"1 2 3"),))
    theirs = write(company.carol, at, text="Hello")

    assert _found("certificate", company) == [subject.pk]
    assert _found("nameserver", company) == [text.pk]
    assert _found("firewall", company) == [noted.pk]
    assert _found("in:notes firewall", company) == [noted.pk]
    assert _found("in:notes nameserver", company) == []
    assert _found("traceroute", company) == [filed.pk]
    assert _found(company.carol.name, company) == [theirs.pk]
    assert _found(f"#{text.pk}", company)[0] == text.pk


def test_a_misspelt_name_finds_its_owner(company: Company, at: datetime) -> None:
    company.carol.name = "Carolina Steinhauer"
    company.carol.save()
    theirs = write(company.carol, at)

    assert _found("Carolina Steinhuaer", company) == [theirs.pk]


def test_field_filters_narrow_and_stand_alone(company: Company, at: datetime) -> None:
    first = write(company.carol, at, text="mysql is slow", tags=("vip",))
    second = write(company.gil, at + timedelta(days=3), text="mysql is gone")

    assert _found("mysql tag:vip", company) == [first.pk]
    assert _found(f"from:{company.gil.email}", company) == [second.pk]
    assert _found("mysql before:2026-01-14", company) == [first.pk]
    assert _found("mysql after:2026-01-14", company) == [second.pk]
    assert _found("mysql status:resolved", company) == []
    assert search.parse("mysql status:gone nonsense:1 assignee:nobody-at-all", company.ada).words == "mysql nonsense:1"
    assert search.parse("after:soon", company.ada).not_understood == ("after:soon",)


def test_better_and_younger_ones_come_first(company: Company, at: datetime) -> None:
    old = write(company.carol, at - timedelta(days=200), text="backup")
    young = write(company.carol, at, text="backup")
    titled = write(company.carol, at, subject="backup backup", text="backup backup")

    assert _found("backup", company) == [titled.pk, young.pk, old.pk]
    assert _found("backup", company, newest_first=True) == [titled.pk, young.pk, old.pk]


def test_what_the_house_says_to_everybody_is_found_where_nobody_else_said_it(company: Company, at: datetime) -> None:
    said = write(company.carol, at - timedelta(days=200), text="Where is my request?")
    thanked = write(company.gil, at, text="Hello")
    conversations.write_automatically(thanked, "Hello, we have received your request.", at=at)

    assert _found("request", company) == [said.pk]
    assert _found("received", company) == [thanked.pk]
    assert _found("request", company, newest_first=True) == [said.pk]
    assert _found("in:notes request", company) == []


def test_private_teams_and_spam_are_not_found(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    Team.objects.filter(pk=team.pk).update(is_private=True)
    team.members.set([company.linus])
    secret = write(company.carol, at, text="merger", subject="merger", team_id=team.pk)
    spam = write(company.carol, at, text="lottery")
    conversations.change(spam.pk, conversations.Changes(is_spam=True), actor=Actor.agent(company.ada), at=at)

    def hits(user: User, typed: str) -> list[int]:
        return [row["id"] for row in search.find(search.parse(typed, user), user).rows]

    assert hits(company.linus, "merger") == [secret.pk]
    for typed in ("merger", f"#{secret.pk}", f"{secret.pk}", company.carol.name, "from:" + company.carol.email):
        assert secret.pk not in hits(company.grace, typed)
    assert hits(company.grace, "lottery") == []
    assert hits(company.grace, "lottery is:spam") == [spam.pk]


@settings(max_examples=60, deadline=None)
@given(
    typed=st.text(max_size=60)
    | st.from_regex(r'(status|from|tag|after|in|is|org):"?[^ ]{0,12}"? ?.{0,10}', fullmatch=True)
)
@pytest.mark.django_db
def test_nothing_typed_is_an_error(typed: str) -> None:
    search.find(search.parse(typed, User(pk=1, role="agent")), User(pk=1, role="agent"))


def test_the_page_marks_what_was_found_and_escapes_the_rest(company: Company, at: datetime) -> None:
    write(company.carol, at, subject="<b>Cron</b> fails", text="cron <script>alert(1)</script> fails")
    browser = logged_in(company.ada)

    page = browser.get("/desk/search/", {"q": "cron"}).content.decode()

    assert "<mark>Cron</mark>" in page and "<mark>cron</mark>" in page
    assert "<script>alert" not in page and "<b>" not in page
    assert "Nothing found" in browser.get("/desk/search/", {"q": "xyzzy"}).content.decode()
    assert browser.get("/desk/search/", {"q": "cron", "from": "9999"}).status_code == 404


def test_results_come_in_parts(company: Company, at: datetime) -> None:
    made = [write(company.carol, at + timedelta(minutes=number), text="disk full") for number in range(60)]

    first = search.find(search.parse("disk", company.ada), company.ada, newest_first=True)
    second = search.find(search.parse("disk", company.ada), company.ada, newest_first=True, offset=first.after)

    assert [row["id"] for row in first.rows + second.rows] == [c.pk for c in reversed(made)]
    assert second.after == 0
