"""To whom a chat that waits is offered, in which order, and what the visitor is told meanwhile."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from chat import chats, handling, offers, queueing
from chat.models import Chat, ChatAgent
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from tests.chat.continuing import widget
from tests.chat.waiting import MINUTE, SECOND, all_agents, chat_of, fresh, offers_of, there, until
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


def test_whose_turn_was_longest_ago_is_asked_first(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    asked = []
    for number in range(4):
        chat = chat_of(at + number * SECOND)
        until(at + number * SECOND)
        asked += offers_of(chat)
        handling.take(chat.pk, User.objects.get(pk=asked[-1]), at=at + number * SECOND)

    assert set(asked[:3]) == {user.pk for user in all_agents(company)}
    assert asked[3] == asked[0]


def test_an_offer_ends_and_the_next_is_asked(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    chat = chat_of(at)

    until(at + 29 * SECOND)
    assert len(offers_of(chat)) == 1
    until(at + 31 * SECOND)

    assert len(set(offers_of(chat))) == 2
    assert fresh(chat).declined_by == offers_of(chat)[:1]


def test_who_declines_is_not_asked_again_and_the_next_at_once(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    chat = chat_of(at)
    until(at)
    first = User.objects.get(pk=offers_of(chat)[0])

    assert offers.decline(chat.pk, first, at=at + SECOND)
    assert not offers.decline(chat.pk, first, at=at + SECOND)

    assert len(offers_of(chat)) == 2
    assert offers_of(chat)[1] != first.pk


def test_where_all_have_declined_it_is_open_to_everybody_and_rings(company: Company, at: datetime) -> None:
    there(company.grace)
    chat = chat_of(at)
    until(at)
    offers.decline(chat.pk, company.grace, at=at)

    last = Event.objects.filter(conversation=chat.pk, kind="chat.offered").latest("pk")

    assert last.data["agent"] is None
    assert last.data["agents"] == sorted(user.pk for user in all_agents(company))
    until(at + MINUTE)
    assert offers_of(chat) == [company.grace.pk, None], "it is said once"


def test_only_so_many_at_once(company: Company, at: datetime) -> None:
    there(company.grace, capacity=1)
    first, second = chat_of(at), chat_of(at + SECOND)
    until(at + SECOND)
    handling.take(first.pk, company.grace, at=at + SECOND)
    until(at + 2 * SECOND)

    assert company.grace.pk not in offers_of(second)
    assert queueing.places()[second.pk] == queueing.Place(1, False)
    assert queueing.frame(queueing.place_of(second.pk)) == {"t": "queue", "position": 1}

    chats.end(first.pk, actor=Actor.agent(company.grace), at=at + 5 * SECOND)
    until(at + 6 * SECOND)
    assert offers_of(second)[-1] == company.grace.pk


def test_those_of_the_widgets_team_are_asked(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    team = Team.objects.create(name="Chatters")
    team.members.add(company.linus)
    widget().__class__.objects.update(team=team)
    chat = chat_of(at)

    until(at + 5 * MINUTE)

    assert {agent for agent in offers_of(chat) if agent} == {company.linus.pk}


def test_the_language_and_the_tags_choose_among_those_who_are_free(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    ChatAgent.objects.filter(user=company.linus).update(skills=["FR"], offered_at=at)
    chat = chat_of(at + SECOND, language="fr-CA")

    until(at + SECOND)

    assert offers_of(chat) == [company.linus.pk]


def test_nobody_else_waits_for_a_skill_that_is_busy(company: Company, at: datetime) -> None:
    there(company.grace)
    ChatAgent.objects.filter(user=company.linus).update(skills=["fr"])
    chat = chat_of(at, language="fr")

    until(at)

    assert offers_of(chat) == [company.grace.pk]


def test_who_goes_away_while_asked_is_passed_over_when_it_is_looked_at_again(company: Company, at: datetime) -> None:
    there(company.grace, company.linus)
    chat = chat_of(at)
    until(at)
    first = offers_of(chat)[0]
    ChatAgent.objects.filter(user=first).update(state=ChatAgent.State.AWAY)

    until(at + 31 * SECOND)

    assert offers_of(chat)[1] not in (first, None)


def test_places_are_counted_for_each_team_and_from_one(company: Company, at: datetime) -> None:
    there()
    waiting = [chat_of(at + number * SECOND) for number in range(3)]
    other = Team.objects.create(name="Others")
    changes = conversations.Changes(team=other)
    conversations.change(waiting[0].pk, changes, actor=Actor.agent(company.ada), at=at)

    places = queueing.places()

    assert [places[chat.pk].position for chat in waiting] == [1, 1, 2]


def test_a_message_in_a_ticket_is_offered_to_nobody(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    chat = chat_of(at)
    handling.convert(chat.pk, company.ada, subject="A ticket", category="", at=at)

    until(at + MINUTE)

    assert offers_of(chat) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_at_once_one_has_it_and_the_other_is_told_who(company: Company, at: datetime) -> None:
    chat = chat_of(at)
    begin = threading.Barrier(2)
    told: dict[int, User] = {}

    def take(user: User) -> None:
        try:
            begin.wait(10)
            handling.take(chat.pk, user, at=at + SECOND)
        except handling.Taken as taken:
            told[user.pk] = taken.by
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(user,)) for user in (company.grace, company.linus)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    holder = fresh(chat).conversation.assignee
    assert holder is not None and list(told.values()) == [holder]
    assert holder.pk not in told
    assert Event.objects.filter(conversation=chat.pk, kind="chat.joined").count() == 1


def test_taken_over_by_a_lead(company: Company, at: datetime) -> None:
    chat = chat_of(at)
    handling.take(chat.pk, company.grace, at=at)

    handling.take_over(chat.pk, company.ada, at=at + SECOND)

    assert fresh(chat).conversation.assignee == company.ada


def test_handed_to_an_agent_who_does_not_take_it_it_goes_to_the_others(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    chat = chat_of(at)
    handling.take(chat.pk, company.grace, at=at)

    handling.hand_to_agent(chat.pk, company.grace, company.linus, note="He knows DNS.", at=at + SECOND)
    until(at + 40 * SECOND)

    assert fresh(chat).state == Chat.State.WAITING
    assert offers_of(chat)[-2:] == [company.linus.pk, company.ada.pk]
    assert chat.conversation.messages.filter(kind="note", text="He knows DNS.").exists()
    handling.take(chat.pk, company.ada, at=at + 41 * SECOND)
    assert fresh(chat).conversation.assignee == company.ada


def test_handed_to_a_team_its_members_are_asked(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    team = Team.objects.create(name="Network")
    team.members.add(company.linus)
    chat = chat_of(at)
    handling.take(chat.pk, company.grace, at=at)

    handling.hand_to_team(chat.pk, company.grace, team, note="", at=at + SECOND)
    until(at + 2 * SECOND)

    assert fresh(chat).conversation.team == team
    assert offers_of(chat)[-1] == company.linus.pk


def test_a_chat_is_not_handed_to_those_who_may_not_see_it(company: Company, at: datetime) -> None:
    team = Team.objects.create(name="Secret", is_private=True)
    team.members.add(company.grace)
    chat = chat_of(at)
    handling.take(chat.pk, company.grace, at=at)
    conversations.change(chat.pk, conversations.Changes(team=team), actor=Actor.agent(company.ada), at=at)

    with pytest.raises(handling.CannotReceive):
        handling.hand_to_agent(chat.pk, company.grace, company.linus, note="", at=at + timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_two_chats_looked_at_at_once_are_not_offered_to_the_same_agent(company: Company, at: datetime) -> None:
    there(company.grace)
    chats_ = [chat_of(at), chat_of(at)]
    begin = threading.Barrier(2)

    def look(number: int) -> None:
        try:
            begin.wait(10)
            with transaction.atomic():
                chat = Chat.objects.select_related("visit").get(pk=number)
                chat.conversation = lock(number)
                offers.look(chat, at)
        finally:
            connection.close()

    threads = [threading.Thread(target=look, args=(chat.pk,)) for chat in chats_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert Chat.objects.filter(offered_to=company.grace).count() == 1
