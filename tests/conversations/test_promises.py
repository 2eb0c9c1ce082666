"""Clocks through a conversation's life, and the numbers of its events."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.sla import calendars, clocks, receivers, sweep
from helpdesk.sla.models import Calendar, Clock, Target
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


def ask(customer: Customer, at: datetime, **fields: Any) -> Conversation:
    inbound = conversations.Inbound(channel="email", customer=customer, at=at, subject="Help", text="please", **fields)
    return conversations.receive_message(inbound).conversation


def clock(conversation: Conversation, target: str) -> Clock:
    return Clock.objects.filter(conversation=conversation, target=target).latest("pk")


def change(conversation: Conversation, company: Company, at: datetime, **changes: Any) -> None:
    conversations.change(
        conversation.pk,
        conversations.Changes(**changes),
        actor=Actor.agent(company.ada),
        at=at,
    )


@pytest.mark.parametrize(
    ("priority", "seconds"), [("urgent", 1800), ("high", 4 * 3600), ("normal", 12 * 3600), ("low", 36 * 3600)]
)
def test_a_new_conversation_promises_what_its_priority_says(
    company: Company, at: datetime, priority: str, seconds: int
) -> None:
    conversation = ask(company.carol, at, priority=priority)
    assert clock(conversation, Target.FIRST_RESPONSE).goal_seconds == seconds
    assert clock(conversation, Target.DISPATCH).due_at == at + timedelta(seconds=min(3600, seconds))
    conversation.refresh_from_db()
    assert conversation.next_due_at == at + timedelta(seconds=min(3600, seconds))


def test_enterprise_counts_round_the_clock(company: Company) -> None:
    saturday_night = datetime.fromisoformat("2026-01-10T23:00+00:00")
    conversation = ask(company.gil, saturday_night, priority="high")
    assert clock(conversation, Target.FIRST_RESPONSE).due_at == saturday_night + timedelta(hours=4)


def test_a_team_dispatches_nothing_and_a_person_does(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    team = company.grace.teams.first()
    change(conversation, company, at, team=team)
    assert clock(conversation, Target.DISPATCH).met_at is None
    change(conversation, company, at + timedelta(minutes=5), assignee=company.grace)
    assert clock(conversation, Target.DISPATCH).met_at == at + timedelta(minutes=5)
    change(conversation, company, at + timedelta(minutes=9), assignee=None)
    assert clock(conversation, Target.DISPATCH).met_at is None


def test_an_answer_keeps_the_promise_and_the_next_question_makes_another(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    conversations.reply(conversation.pk, company.grace, "On it.", at=at + timedelta(hours=1))
    assert clock(conversation, Target.FIRST_RESPONSE).met_at == at + timedelta(hours=1)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.assignee, conversation.next_due_at) == ("pending", company.grace, None)
    ask(company.carol, at + timedelta(hours=2), conversation_id=conversation.pk)
    assert clock(conversation, Target.NEXT_RESPONSE).started_at == at + timedelta(hours=2)
    conversation.refresh_from_db()
    assert conversation.status == "open"


def test_a_late_answer_meets_but_the_breach_stays(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at, priority="urgent")
    assert sweep.sweep(at + timedelta(minutes=40)) == 2
    conversations.reply(conversation.pk, company.grace, "Sorry.", at=at + timedelta(minutes=50))
    response = clock(conversation, Target.FIRST_RESPONSE)
    assert (response.breached_at, response.met_at) == (at + timedelta(minutes=30), at + timedelta(minutes=50))


def test_a_late_answer_that_no_sweep_saw_is_a_breach_all_the_same(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at, priority="urgent")
    conversations.reply(conversation.pk, company.grace, "Sorry.", at=at + timedelta(minutes=31))
    assert clock(conversation, Target.FIRST_RESPONSE).breached_at == at + timedelta(minutes=30)


def test_an_answer_on_the_dot_is_in_time(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at, priority="urgent")
    on_the_dot = at + timedelta(minutes=30)
    sweep.sweep(on_the_dot)
    conversations.reply(conversation.pk, company.grace, "Here.", at=on_the_dot)
    assert clock(conversation, Target.FIRST_RESPONSE).breached_at is None


def test_clocks_warn_at_four_fifths_and_each_fires_once(company: Company, at: datetime) -> None:
    ask(company.carol, at)
    assert sweep.sweep(at + timedelta(minutes=47)) == 0
    assert sweep.sweep(at + timedelta(minutes=49)) == 1
    assert sweep.sweep(at + timedelta(minutes=49)) == 0
    assert sweep.sweep(at + timedelta(minutes=61)) == 1
    assert list(Event.objects.filter(kind__startswith="clock").order_by("pk").values_list("kind", flat=True)) == [
        "clock.warned",
        "clock.breached",
    ]


def test_waiting_for_the_customer_banks_the_time_used(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at, priority="high")
    change(conversation, company, at + timedelta(hours=1), status="pending")
    paused = clock(conversation, Target.FIRST_RESPONSE)
    assert (paused.used_seconds, paused.due_at) == (3600, None)
    change(conversation, company, at + timedelta(hours=3), status="open")
    assert clock(conversation, Target.FIRST_RESPONSE).due_at == at + timedelta(hours=6)


def test_another_priority_is_another_promise_from_the_same_start(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    change(conversation, company, at + timedelta(minutes=10), priority="urgent")
    assert clock(conversation, Target.FIRST_RESPONSE).due_at == at + timedelta(minutes=30)


def test_what_was_agreed_for_later_has_to_be_taken_once_it_waits_no_more(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    change(conversation, company, at, status="on_hold")
    promises.agreed(conversation, at=at)
    assert clock(conversation, "dispatch").cancelled_at == at

    later = at + timedelta(days=1)
    change(conversation, company, later, status="open")

    assert clock(conversation, "dispatch").due_at == later + timedelta(hours=1)
    assert Clock.objects.filter(conversation=conversation, target="dispatch", cancelled_at=None).count() == 1


def test_waiting_and_going_on_leaves_a_running_dispatch_as_it_is(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    before = clock(conversation, "dispatch")

    change(conversation, company, at, status="pending")
    change(conversation, company, at + timedelta(minutes=5), status="open")

    assert (clock(conversation, "dispatch").pk, clock(conversation, "dispatch").due_at) == (before.pk, before.due_at)


def test_resolving_ends_what_is_waited_for(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    change(conversation, company, at, status="resolved")
    assert not Clock.objects.filter(clocks.OPEN, conversation=conversation).exists()
    conversation.refresh_from_db()
    assert (conversation.resolved_at, conversation.next_due_at) == (at, None)


def test_an_old_ticket_is_continued_by_a_new_one(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    change(conversation, company, at, status="closed")
    soon = ask(company.carol, at + timedelta(days=29), conversation_id=conversation.pk)
    assert soon.pk == conversation.pk
    change(conversation, company, at + timedelta(days=29), status="closed")
    late = ask(company.carol, at + timedelta(days=60), conversation_id=conversation.pk)
    assert (late.pk != conversation.pk, late.previous_id) == (True, conversation.pk)


def test_a_changed_calendar_moves_open_clocks_and_keeps_the_time_used(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    office = Calendar.objects.get(is_office=True)
    noon = at + timedelta(hours=3)
    week = {day: [["08:00", "14:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    calendars.change_calendar(office, at=noon, actor=Actor.agent(company.ada), week=week)
    event = Event.objects.filter(kind="calendar.changed").latest("pk")
    receivers.recalculate(event, noon)
    response = clock(conversation, Target.FIRST_RESPONSE)
    # Three of twelve hours used; two more until 14:00 today, six tomorrow, one on Wednesday.
    assert (response.used_seconds, response.due_at) == (3 * 3600, at + timedelta(days=2))


def test_the_same_client_id_is_said_once(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    client_id = uuid4()
    first = conversations.reply(conversation.pk, company.grace, "Hello", at=at, client_id=client_id)
    second = conversations.reply(conversation.pk, company.grace, "Hello", at=at, client_id=client_id)
    assert first.pk == second.pk
    assert Message.objects.filter(conversation=conversation, kind="outbound").count() == 1


def test_nothing_is_not_an_answer(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    with pytest.raises(ValueError, match="write something"):
        conversations.reply(conversation.pk, company.grace, "  ", at=at)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE helpdesk_event SET kind = 'x'",
        "DELETE FROM helpdesk_event",
        "UPDATE helpdesk_conversation SET status = 'resolved'",
        "UPDATE helpdesk_conversation SET assignee_id = (SELECT min(id) FROM helpdesk_user) WHERE status = 'new'",
        "UPDATE helpdesk_clock SET wake_at = NULL WHERE target = 'dispatch'",
        "UPDATE helpdesk_clock SET met_at = now(), cancelled_at = now(), wake_at = NULL",
        "INSERT INTO helpdesk_clock SELECT (helpdesk_clock).* FROM helpdesk_clock",
        "UPDATE helpdesk_message SET customer_id = NULL",
    ],
)
def test_the_database_refuses_illegal_states(company: Company, at: datetime, statement: str) -> None:
    ask(company.carol, at)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_events_are_numbered_without_gaps_under_concurrent_writers(company: Company, at: datetime) -> None:
    conversation = ask(company.carol, at)
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for number in range(20):
                try:
                    with transaction.atomic():
                        record(Fact("test.happened", conversation.pk, public=number % 3 == 0), at=at)
                        if number % 5 == 4:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    continue
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert not failures
    events = Event.objects.filter(conversation=conversation)
    seqs = sorted(n for n in events.values_list("seq", flat=True) if n is not None)
    public = sorted(n for n in events.values_list("public_seq", flat=True) if n is not None)
    assert seqs == list(range(1, len(seqs) + 1))
    assert public == list(range(1, len(public) + 1))
    assert len(seqs) == 1 + 6 * 16
