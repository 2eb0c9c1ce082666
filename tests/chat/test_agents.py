"""Whether agents take chats: by their word, by their silence, by their coming back."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from chat import agents, availability, dues
from chat.models import Chat, ChatAgent, ChatDue
from helpdesk.customers.models import User
from helpdesk.events.models import Event
from tests.chat.continuing import widget
from tests.chat.waiting import MINUTE, SECOND, chat_of, offers_of, there, until
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in

pytestmark = pytest.mark.django_db


def _state(user: User) -> tuple[str, bool]:
    agent = ChatAgent.objects.get(user=user)
    return agent.state, agent.is_auto_away


@pytest.fixture
def grace(company: Company, at: datetime) -> User:
    """At her desk since just now; nobody else is."""
    ChatAgent.objects.all().delete()
    agents.active(company.grace.pk, at=at)
    return company.grace


def test_the_first_sign_of_an_agent_makes_them_available(grace: User, at: datetime) -> None:
    assert _state(grace) == ("available", False)
    assert ChatAgent.objects.get(user=grace).active_at == at


def test_viewers_do_not_chat(company: Company, at: datetime) -> None:
    ChatAgent.objects.all().delete()
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    agents.active(company.linus.pk, at=at)
    assert not ChatAgent.objects.exists()
    assert agents.profile(User.objects.get(pk=company.linus.pk)) is None


def test_it_is_noted_once_a_minute(grace: User, at: datetime) -> None:
    agents.active(grace.pk, at=at + 59 * SECOND)
    assert ChatAgent.objects.get(user=grace).active_at == at
    agents.active(grace.pk, at=at + 61 * SECOND)
    assert ChatAgent.objects.get(user=grace).active_at == at + 61 * SECOND


def test_who_does_nothing_for_ten_minutes_is_away_and_back_with_a_key(grace: User, at: datetime) -> None:
    for minute in range(1, 11):
        agents.connected(grace.pk, at=at + minute * MINUTE)
        agents.sweep(at + minute * MINUTE)
    assert _state(grace) == ("available", False)
    agents.connected(grace.pk, at=at + 11 * MINUTE)

    assert agents.sweep(at + 10 * MINUTE + SECOND) == 1
    assert _state(grace) == ("away", True)
    assert agents.sweep(at + 10 * MINUTE + 2 * SECOND) == 0
    assert agents.active(grace.pk, at=at + 12 * MINUTE)

    assert _state(grace) == ("available", False)
    assert Event.objects.filter(kind="chat.agent_changed").count() == 2


def test_without_a_page_for_two_minutes_away(grace: User, at: datetime) -> None:
    assert agents.sweep(at + 2 * MINUTE) == 0
    assert agents.sweep(at + 2 * MINUTE + SECOND) == 1


def test_a_browser_that_can_be_woken_counts_as_a_page(grace: User, at: datetime, settings: Settings) -> None:
    settings.LIVE_DESK = {**settings.LIVE_DESK, "wakeable": "tests.chat.test_agents.everybody"}
    assert agents.sweep(at + 9 * MINUTE) == 0
    assert agents.sweep(at + 11 * MINUTE) == 1


def everybody(user_ids: list[int]) -> set[int]:
    return set(user_ids)


def test_away_by_ones_own_word_lasts(grace: User, at: datetime) -> None:
    agents.choose(grace, "away", at=at)
    assert not agents.active(grace.pk, at=at + 5 * MINUTE)
    assert _state(grace) == ("away", False)
    agents.choose(grace, "available", at=at + 6 * MINUTE)
    assert _state(grace) == ("available", False)


def test_who_comes_is_asked_at_once(company: Company, at: datetime) -> None:
    there()
    chat = chat_of(at)
    until(at)
    assert offers_of(chat) == [None]

    agents.choose(company.grace, "available", at=at + 3 * SECOND)
    until(at + 3 * SECOND)

    assert offers_of(chat) == [None, company.grace.pk]


def test_the_widget_knows_whether_somebody_is_there(company: Company, at: datetime) -> None:
    there()
    assert not availability.of(widget(), at=at).is_live
    agents.choose(company.grace, "available", at=at)
    assert availability.of(widget(), at=at).is_live


def test_the_page_of_the_desk_says_it(company: Company, at: datetime) -> None:
    client = logged_in(company.grace)
    answer = client.post("/desk/chats/state/", {"state": "away"}, headers={"Accept": "application/json"})
    assert answer.json() == {"state": "away", "auto": False, "enter": True}
    assert client.post("/desk/chats/state/", {"state": "asleep"}).status_code == 404
    page = client.get("/desk/chats/").content.decode()
    assert "You are away" in page and "Be available" in page


def test_viewers_may_not_say_it(company: Company) -> None:
    User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
    client = logged_in(User.objects.get(pk=company.linus.pk))
    assert client.post("/desk/chats/state/", {"state": "away"}).status_code == 403
    assert client.get("/desk/chats/").status_code == 200


def test_strangers_see_no_chats(company: Company) -> None:
    assert Client().get("/desk/chats/").status_code == 302


def test_only_chats_that_wait_are_looked_at(company: Company, at: datetime) -> None:
    there()
    chat = chat_of(at)
    Chat.objects.filter(pk=chat.pk).update(state=Chat.State.ENDED, ended_at=at + timedelta(seconds=1))
    ChatDue.objects.all().delete()
    agents.look_at_waiting(at)
    assert not ChatDue.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_coming_and_being_asked_at_once_wait_for_each_other_and_no_longer(company: Company, at: datetime) -> None:
    there()
    chats = [chat_of(at + number * SECOND) for number in range(5)]
    errors: list[OperationalError] = []
    begin = threading.Barrier(2)

    def turn(work: Callable[[], object]) -> None:
        begin.wait(10)
        try:
            for _round in range(10):
                work()
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    def come_and_go() -> None:
        agents.choose(company.grace, "available", at=at + MINUTE)
        agents.choose(company.grace, "away", at=at + MINUTE)

    def look() -> None:
        # Each by itself, as everywhere: one statement for all would lock them in the order in which they happen to lie.
        for chat in chats:
            dues.plan(chat.pk, "offer", at)
        dues.sweep(at + MINUTE)

    threads = [threading.Thread(target=turn, args=(work,)) for work in (come_and_go, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    assert ChatDue.objects.filter(kind="offer").count() == len(chats)
