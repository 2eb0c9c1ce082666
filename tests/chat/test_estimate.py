"""The estimate customers read is reckoned from answers that people gave, in office time."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from chat import chats, estimate, widgets
from chat.chats import FirstWords
from chat.estimate import DAY, FEW_HOURS, HOUR, LEAST, MINUTE, MOST, STEPS, Estimate
from chat.models import Chat, ReplyTime, Widget
from chat.sessions import open_visit
from helpdesk.conversations.models import Conversation, Message
from helpdesk.sla.models import Goal, Policy
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def widget(company: Company) -> Widget:
    return Widget.objects.get(key="pk_demo")


def _answered(company: Company, widget: Widget, began: datetime, seconds: float, **answer: bool) -> Chat:
    """A chat as it stands once somebody has joined and answered."""
    policy = Policy.objects.earliest("pk")
    conversation = Conversation.objects.create(
        channel="chat", customer=company.ivy, policy=policy, opened_at=began, updated_at=began, last_message_at=began
    )
    answered = began + timedelta(seconds=seconds)
    Message.objects.create(
        conversation=conversation,
        kind=Message.Kind.OUTBOUND,
        author_kind=Message.Author.AGENT,
        agent=company.grace,
        at=answered,
        via="chat",
        text="Hello",
        delivery=Message.Delivery.SENT,
        **answer,
    )
    return Chat.objects.create(
        conversation=conversation,
        widget=widget,
        mode=Chat.Mode.CHAT,
        state=Chat.State.ACTIVE,
        started_at=began,
        joined_at=answered,
    )


def test_nothing_is_promised_before_enough_were_answered(company: Company, widget: Widget, at: datetime) -> None:
    for _ in range(LEAST - 1):
        _answered(company, widget, at, 60)

    assert estimate.reckon_all(at=at + timedelta(hours=1)) == 0
    assert estimate.of(widget, at=at) is None


def test_until_then_the_goal_is_told_as_a_goal(company: Company, widget: Widget, at: datetime) -> None:
    told = estimate.says(widget, None, at=at)
    assert told == "We aim to reply within 5 minutes"
    assert widgets.config(widget, "en", at=at)["avail"]["says"] == told

    # Whoever comes is not told of a goal that somebody has been waiting beyond.
    visit, _token = open_visit(widget, None, at=at)
    chats.start(visit, FirstWords("Hello?", uuid4()), at=at)
    assert estimate.aim(widget, at=at + timedelta(minutes=5)) == told
    assert estimate.aim(widget, at=at + timedelta(minutes=6)) == ""
    Goal.objects.filter(is_live=True).update(seconds=HOUR)
    assert estimate.aim(widget, at=at) == ""


def test_most_wait_is_what_is_said(company: Company, widget: Widget, at: datetime) -> None:
    for number in range(LEAST + 1):
        _answered(company, widget, at, 100 + number * 10)

    assert estimate.reckon_all(at=at + timedelta(hours=1)) == 1
    assert ReplyTime.objects.get(widget=widget).median == 150
    assert estimate.of(widget, at=at) == Estimate(3 * MINUTE, 3 * MINUTE)


def test_where_waits_differ_by_far_a_range_is_said(company: Company, widget: Widget, at: datetime) -> None:
    for number in range(20):
        _answered(company, widget, at, 50 if number < 16 else 1500)
    estimate.reckon_all(at=at + timedelta(hours=1))

    found = estimate.of(widget, at=at)

    assert found == Estimate(MINUTE, 30 * MINUTE)
    assert estimate.words(found) == "Usually replies in 1 min to 30 min"


def test_machines_and_nights_do_not_count(company: Company, widget: Widget, at: datetime) -> None:
    evening = at + timedelta(hours=10, minutes=58)  # two minutes before the office closes
    for _ in range(LEAST):
        _answered(company, widget, evening, 12 * 3600 + 240)
        _answered(company, widget, at, 3 * 3600, is_automatic=True)

    estimate.reckon_all(at=at + timedelta(days=1, hours=3))

    assert ReplyTime.objects.get(widget=widget).counted == LEAST
    assert estimate.of(widget, at=evening) == Estimate(5 * MINUTE, 5 * MINUTE)


def test_only_the_last_two_weeks_and_the_last_two_hundred_count(company: Company, widget: Widget, at: datetime) -> None:
    for _ in range(LEAST):
        _answered(company, widget, at - timedelta(days=20), 3000)
    for number in range(MOST + 5):
        _answered(company, widget, at + timedelta(seconds=number), 3000 if number < 5 else 30)

    estimate.reckon_all(at=at + timedelta(hours=2))

    known = ReplyTime.objects.get(widget=widget)
    assert (known.counted, known.median, known.ninetieth) == (MOST, 30, 30)


def test_it_is_never_less_than_somebody_waits_already(company: Company, widget: Widget, at: datetime) -> None:
    for _ in range(LEAST):
        _answered(company, widget, at, 30)
    estimate.reckon_all(at=at + timedelta(hours=1))
    visit, _token = open_visit(widget, None, at=at + timedelta(hours=1))
    chats.start(visit, FirstWords("hello", uuid4()), at=at + timedelta(hours=1))

    later = at + timedelta(hours=1, minutes=12)

    assert estimate.of(widget, at=later) == Estimate(15 * MINUTE, 15 * MINUTE)


@given(st.floats(min_value=0, max_value=10 * DAY))
def test_rounding_is_up_and_to_a_step(seconds: float) -> None:
    step = estimate.rounded(seconds)

    assert step in STEPS
    assert step >= min(seconds, DAY)
    assert all(smaller < seconds for smaller in STEPS if smaller < step)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (MINUTE, MINUTE, "Usually replies in a minute"),
        (30 * MINUTE, 30 * MINUTE, "Usually replies in half an hour"),
        (HOUR, HOUR, "Usually replies in an hour"),
        (FEW_HOURS, FEW_HOURS, "Usually replies in a few hours"),
        (DAY, DAY, "Usually replies in a day"),
        (5 * MINUTE, HOUR, "Usually replies in 5 min to an hour"),
    ],
)
def test_what_customers_read(low: int, high: int, says: str) -> None:
    assert estimate.words(Estimate(low, high)) == says


def test_every_step_has_its_words() -> None:
    said = {estimate.words(Estimate(step, step)) for step in STEPS}

    assert len(said) == len(STEPS)


def test_it_is_read_from_an_index(company: Company, at: datetime) -> None:
    with connection.cursor() as cursor:
        # A plan for a table that is nearly empty says nothing about one that is not.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {estimate._ANSWERED}", [1, at])
        plan = " ".join(line for (line,) in cursor.fetchall())

    assert "chat_answered" in plan
