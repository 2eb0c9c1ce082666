"""Figures against small histories counted by hand."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import merging
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Organization, Plan, User
from helpdesk.events.actors import Actor
from helpdesk.sla.sweep import sweep
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk import chores
from tickets.reports import keeping
from tickets.reports.models import Figure, Measure, ReportProgress, Tally

# What has not been committed is not in the log yet.
pytestmark = pytest.mark.django_db(transaction=True)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def change(conversation: Conversation, user: User, at: datetime, **changes: Any) -> None:
    conversations.change(conversation.pk, conversations.Changes(**changes), actor=Actor.agent(user), at=at)


def found(conversation: Conversation) -> dict[tuple[str, int], Figure]:
    return {(f.measure, f.place): f for f in Figure.objects.filter(conversation=conversation)}


def state() -> tuple[list[Any], list[Any]]:
    """All figures and tallies, for comparing; cells that have become empty say nothing."""
    figures = Figure.objects.order_by("conversation", "measure", "place").values_list()
    tallies = Tally.objects.exclude(count=0).values_list(
        "kind", "grain", "measure", "starts", "bucket", "channel", "priority", "team_id", "plan_id", "count"
    )
    return [row[1:] for row in figures], sorted(tallies, key=repr)


def test_a_conversation_is_counted_from_its_first_word_to_its_end(company: Company, at: datetime) -> None:
    asked = write(company.carol, at)
    change(asked, company.ada, at + 20 * MINUTE, assignee=company.ada)
    conversations.reply(asked.pk, company.ada, "Look.", at=at + 90 * MINUTE)
    conversations.reply(asked.pk, company.grace, "And here.", at=at + 100 * MINUTE)
    chores.spend(asked.pk, 12, "", company.ada, at=at + 95 * MINUTE)
    change(asked, company.ada, at + 5 * HOUR, status="resolved")

    keeping.keep_figures()

    rows = found(asked)
    assert {measure for measure, _ in rows} == set(Measure.values) - {"next_response"}
    opened, dispatch = rows["opened", 0], rows["dispatch", 0]
    assert (opened.day, opened.hour, opened.at) == (date(2026, 1, 12), 9, at)
    assert (dispatch.seconds, dispatch.working_seconds, dispatch.is_kept) == (1200, 1200, True)
    first, resolution = rows["first_response", 0], rows["resolution", 0]
    assert (first.seconds, first.working_seconds, first.is_kept) == (5400, 5400, True)
    assert resolution.seconds == 5 * 3600 and resolution.agent_id == company.ada.pk
    replies = {rows["reply", place].agent_id for place in (0, 1)}
    assert replies == {company.ada.pk, company.grace.pk}
    assert (rows["time", 0].agent_id, rows["time", 0].amount) == (company.ada.pk, 12)


def test_working_time_leaves_the_night_out(company: Company, at: datetime) -> None:
    evening = at + 10 * HOUR  # 19:00 in Berlin, an hour before the office closes
    asked = write(company.carol, evening)
    conversations.reply(asked.pk, company.ada, "Good morning.", at=evening + 14 * HOUR)

    keeping.keep_figures()

    first = found(asked)["first_response", 0]
    assert (first.seconds, first.working_seconds) == (14 * 3600, 2 * 3600)
    assert first.day == date(2026, 1, 13)


def test_a_broken_promise_counts_on_the_day_it_was_broken(company: Company, at: datetime) -> None:
    asked = write(company.carol, at)
    late = at + timedelta(days=2)
    sweep(at + HOUR + MINUTE)  # warned
    sweep(at + HOUR + 2 * MINUTE)
    change(asked, company.ada, late, assignee=company.ada)

    keeping.keep_figures()

    rows = found(asked)
    assert rows["dispatch", 0].is_kept is None and rows["dispatch", 0].day == late.date()
    broken = rows["dispatch", 1]
    assert (broken.is_kept, broken.seconds, broken.day) == (False, None, at.date())
    kept = {t.bucket: t.count for t in Tally.objects.filter(kind="kept", grain="day", measure="dispatch", count__gt=0)}
    assert kept == {0: 1}


def test_spam_counts_nothing_and_a_merged_one_only_the_work_done(company: Company, at: datetime) -> None:
    spam, twice, once = (write(company.carol, at, subject=name) for name in ("spam", "twice", "once"))
    conversations.reply(twice.pk, company.ada, "Look.", at=at + MINUTE)
    keeping.keep_figures()
    assert Tally.objects.get(kind="all", grain="month", measure="opened", count__gt=0).count == 3

    change(spam, company.ada, at + HOUR, is_spam=True)
    merging.merge(twice.pk, once.pk, company.ada, at=at + HOUR)
    keeping.keep_figures()

    assert found(spam) == {}
    assert {measure for measure, _ in found(twice)} == {"reply"}
    assert [t.count for t in Tally.objects.filter(kind="all", grain="day", measure="opened", count__gt=0)] == [1]


def test_an_automatic_message_is_no_answer(company: Company, at: datetime) -> None:
    asked = write(company.carol, at)
    conversations.write_automatically(asked, "We have it.", at=at + MINUTE)
    conversations.note(asked.pk, company.ada, "Hm.", at=at + MINUTE)
    change(asked, company.ada, at + HOUR, subject="Now it has an event")
    keeping.keep_figures()
    assert {measure for measure, _ in found(asked)} == {"opened"}


def test_opened_again_takes_the_resolution_back(company: Company, at: datetime) -> None:
    asked = write(company.carol, at)
    change(asked, company.ada, at + HOUR, status="resolved")
    keeping.keep_figures()
    assert ("resolution", 0) in found(asked)

    change(asked, company.ada, at + 2 * HOUR, status="open")
    keeping.keep_figures()
    assert not Tally.objects.filter(kind="all", measure="resolution").exclude(count=0).exists()


def test_an_upgrade_does_not_rewrite_the_past(company: Company, at: datetime) -> None:
    asked = write(company.carol, at)
    keeping.keep_figures()
    before = found(asked)["opened", 0].plan_id
    other = Plan.objects.exclude(pk=before).first()
    assert other is not None
    Organization.objects.filter(pk=company.carol.organization_id).update(plan=other)

    change(asked, company.ada, at + HOUR, status="resolved")
    keeping.keep_figures()
    keeping.rebuild()

    assert {figure.plan_id for figure in found(asked).values()} == {before}


def test_reading_twice_changes_nothing_and_rebuilding_gives_the_same(company: Company, at: datetime) -> None:
    keeping.keep_figures()  # from here on by the log
    asked = [write(company.carol, at + n * HOUR, priority="high" if n % 2 else "low") for n in range(4)]
    keeping.keep_figures()
    for number, conversation in enumerate(asked[:3]):
        conversations.reply(conversation.pk, company.ada, "So.", at=at + (5 + number) * HOUR)
    sweep(at + timedelta(days=3))
    change(asked[0], company.ada, at + timedelta(days=3), status="resolved")
    change(asked[3], company.ada, at + timedelta(days=3), is_spam=True)
    keeping.keep_figures()
    once = state()
    assert any(row[1] == "first_response" for row in once[0])

    assert keeping.keep_figures() == 0
    from_start = ReportProgress.objects.update(transaction_id=0, event_id=0)
    assert from_start == 1 and keeping.keep_figures() > 0
    assert state() == once

    call_command("rebuild_reports")
    assert state() == once
    Figure.objects.all().delete()
    Tally.objects.all().delete()
    call_command("rebuild_reports")
    assert state() == once


def test_what_was_there_before_is_counted_bit_by_bit(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        write(company.carol, at + n * MINUTE)
    monkeypatch.setattr(keeping, "CONVERSATIONS", 2)
    monkeypatch.setattr(keeping, "ROUNDS", 1)
    seen = []
    while keeping.keep_figures():
        seen.append(Figure.objects.filter(measure="opened").count())
    assert seen == [2, 4, 5]
