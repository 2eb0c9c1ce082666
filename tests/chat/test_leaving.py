"""Who waits and leaves: their turn passes, the others move up, and whoever comes back stands where they stood."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from chat import handling, leaving, queueing, slack_words, supervision, visitor_presence
from chat.models import Booking, Chat, ChatDue
from helpdesk.conversations.models import Message
from helpdesk.events import broadcast, outbox
from helpdesk.events.models import Event
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock, Target
from tests.chat.continuing import begin, mails, say, visitor
from tests.chat.waiting import MINUTE, SECOND, chat_of, fresh, nudges_of, offers_of, there, until
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.engine import Engine, text_of

pytestmark = pytest.mark.django_db

HALF_A_MINUTE = 30 * SECOND
# The first look misses them, and then they are given so long.
LEFT = HALF_A_MINUTE + leaving.LEAVES_AFTER


def _stranger(at: datetime, email: str = "") -> Chat:
    return begin(visitor(at), "Anybody there?", at=at, email=email)


def _kinds(chat: Chat) -> list[str]:
    found = Event.objects.filter(conversation=chat.pk).order_by("seq").values_list("kind", flat=True)
    return [kind for kind in found if kind in ("chat.left", "chat.returned", "chat.converted", "chat.given_up")]


def _clock(chat: Chat) -> Clock:
    return Clock.objects.get(conversation=chat.pk, target=Target.FIRST_RESPONSE)


def test_who_has_left_is_offered_to_nobody_and_the_others_move_up(
    company: Company, gone: set[int], at: datetime
) -> None:
    there()
    first, second = _stranger(at), _stranger(at + SECOND)
    until(at + SECOND)
    gone.add(first.pk)

    until(at + LEFT - SECOND)
    assert queueing.places()[second.pk].position == 2, "a page that changes has not left"
    until(at + LEFT)

    assert fresh(first).state == Chat.State.LEFT
    assert queueing.places().keys() == {second.pk} and queueing.places()[second.pk].position == 1
    there(company.grace)
    until(at + LEFT + MINUTE)
    assert offers_of(first) == [None] and company.grace.pk in offers_of(second)


def test_agents_see_who_has_left_and_when(company: Company, gone: set[int], at: datetime) -> None:
    chat = _stranger(at)
    gone.add(chat.pk)
    until(at + LEFT)

    seen = supervision.now_for(company.ada, since=at)

    assert [row["id"] for row in seen.left] == [chat.pk] and not seen.waiting
    assert seen.left[0]["unseen_since"] == at + HALF_A_MINUTE


def test_who_comes_back_stands_where_they_stood(company: Company, gone: set[int], at: datetime) -> None:
    there()
    first, second = _stranger(at), _stranger(at + SECOND)
    gone.add(first.pk)
    until(at + LEFT)

    gone.clear()
    leaving.arrived(fresh(first), at + LEFT + SECOND)

    assert fresh(first).state == Chat.State.WAITING
    assert [queueing.places()[chat.pk].position for chat in (first, second)] == [1, 2]
    there(company.grace)
    until(at + LEFT + 2 * SECOND)
    assert company.grace.pk in offers_of(first)
    assert _kinds(first) == ["chat.left", "chat.returned"]


def test_what_they_write_brings_them_back_and_a_look_as_well(company: Company, gone: set[int], at: datetime) -> None:
    there()
    by_word, by_sight = _stranger(at), _stranger(at + SECOND, email="sam@example.com")
    gone.update((by_word.pk, by_sight.pk))
    until(at + LEFT + MINUTE)
    assert {fresh(chat).state for chat in (by_word, by_sight)} == {Chat.State.LEFT}

    gone.clear()
    assert by_word.visit is not None
    say(by_word.visit, by_word, "I am back", at=at + LEFT + MINUTE)
    until(at + 11 * MINUTE)

    assert {fresh(chat).state for chat in (by_word, by_sight)} == {Chat.State.WAITING}
    assert queueing.places()[by_word.pk].position == 1


def test_nobody_is_called_for_who_has_left(company: Company, gone: set[int], at: datetime) -> None:
    there()
    chat = _stranger(at)
    until(at)
    gone.add(chat.pk)
    until(at + 30 * MINUTE)

    assert Page.objects.get().state == "resolved"
    # Half of the promised time was over before they were missed for long enough.
    assert nudges_of(chat) == ["half"] and fresh(chat).nudge == ""
    clock = _clock(chat)
    assert clock.paused_at is not None and clock.breached_at is None

    leaving.arrived(fresh(chat), at + 30 * MINUTE)
    until(at + 30 * MINUTE)
    assert Page.objects.filter(state="triggered").count() == 1, "somebody waits again"
    assert _clock(chat).due_at == at + 30 * MINUTE + (5 * MINUTE - LEFT)


def test_a_broken_promise_calls_nobody_more_for_who_has_left(
    engine: Engine, company: Company, gone: set[int], at: datetime
) -> None:
    there()
    chat = _stranger(at)
    engine.until(at + 6 * MINUTE)
    page = Page.objects.get()
    assert [reason["kind"] for reason in page.reasons] == ["chat_waits", "first_response"]

    gone.add(chat.pk)
    until(at + 6 * MINUTE + LEFT + MINUTE)

    page.refresh_from_db()
    assert page.state == "resolved"


def test_without_an_address_the_question_waits_for_them(company: Company, gone: set[int], at: datetime) -> None:
    chat = _stranger(at)
    gone.add(chat.pk)
    until(at + timedelta(hours=2))

    assert fresh(chat).state == Chat.State.LEFT and not ChatDue.objects.filter(chat=chat, kind="left").exists()
    handling.take(chat.pk, company.grace, at=at + timedelta(hours=2))
    assert fresh(chat).state == Chat.State.ACTIVE and fresh(chat).unseen_since is None


def test_with_an_address_it_is_a_request_that_is_acknowledged_and_answered_by_mail(
    engine: Engine, company: Company, gone: set[int], at: datetime
) -> None:
    there()
    chat = _stranger(at, email="sam@example.com")
    gone.add(chat.pk)

    until(at + HALF_A_MINUTE + leaving.MAILS_AFTER - SECOND)
    assert mails(engine, "sam@example.com") == []
    until(at + HALF_A_MINUTE + leaving.MAILS_AFTER)

    found = fresh(chat)
    assert (found.mode, found.state) == (Chat.Mode.TICKET, Chat.State.ENDED)
    assert _kinds(chat) == ["chat.left", "chat.converted", "chat.given_up"]
    (mail,) = mails(engine, "sam@example.com")
    assert f"#{chat.pk}" in text_of(mail) and "Anybody there?\n" not in text_of(mail)
    assert _clock(chat).paused_at is None and _clock(chat).goal_seconds > 300, "as promised for every request"
    # A retried event tells nothing twice.
    outbox.drain(at + timedelta(hours=1))
    until(at + timedelta(hours=1))
    assert len(mails(engine, "sam@example.com")) == 1
    assert not Message.objects.filter(conversation=chat.pk, remark__gt="").exists()


def test_at_an_hour_that_was_agreed_they_are_waited_for(company: Company, gone: set[int], at: datetime) -> None:
    there()
    chat = chat_of(at)
    assert chat.visit is not None
    Booking.objects.create(
        widget=chat.widget,
        customer=chat.conversation.customer,
        conversation=chat.conversation,
        starts_at=at,
        ends_at=at + 30 * MINUTE,
        seat=1,
        email="uma@umbrella.example",
        booked_at=at,
    )
    gone.add(chat.pk)

    until(at + 29 * MINUTE)
    assert fresh(chat).state == Chat.State.LEFT
    until(at + 30 * MINUTE)
    assert fresh(chat).mode == Chat.Mode.TICKET


def test_as_a_ticket_it_is_promised_like_every_other(company: Company, gone: set[int], at: datetime) -> None:
    chat = _stranger(at)
    gone.add(chat.pk)
    until(at + LEFT)

    handling.convert(chat.pk, company.grace, subject="Is anybody there?", category="", at=at + LEFT)

    clock = _clock(chat)
    assert clock.paused_at is None and clock.goal_seconds > 300


def test_slack_and_the_desk_read_of_it(company: Company, gone: set[int], at: datetime) -> None:
    chat = _stranger(at)
    gone.add(chat.pk)
    until(at + LEFT)
    leaving.arrived(fresh(chat), at + LEFT)

    told = slack_words.lines([slack_words.Happened(1, kind, "") for kind in ("chat.left", "chat.returned")])
    assert told == "_The customer has left while they waited_\n_The customer is back and waits again_"
    page = logged_in(company.ada).get(f"/desk/conversations/{chat.pk}/").content.decode()
    assert "The customer has left the chat while they waited" in page and "The customer is back in the chat" in page


def test_with_redis_dead_nobody_is_taken_for_gone(
    company: Company, monkeypatch: pytest.MonkeyPatch, at: datetime
) -> None:
    there()
    chat = _stranger(at)
    monkeypatch.setattr(leaving, "is_there", lambda _conversation: None)

    until(at + 30 * MINUTE)

    assert fresh(chat).state == Chat.State.WAITING and _kinds(chat) == []


def test_what_is_known_of_presence(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.undo()
    visitor_presence.put(4711, visitor_presence.Presence(at=1.0))
    assert leaving.is_there(4711) is True
    visitor_presence.drop(4711)
    assert leaving.is_there(4711) is False

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(broadcast, "shared", broadcast.client)
    assert leaving.is_there(4711) is None
