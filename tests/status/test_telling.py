"""One update goes to every linked conversation, once, in its own channel; the end solves them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, Service
from helpdesk.events import outbox
from helpdesk.events.actors import SYSTEM
from helpdesk.events.models import Event, OutboxEntry
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page
from status import concerning, incidents, linking, telling
from status.incidents import Opening, Words
from status.models import Component, ConversationNotice, Incident, IncidentConversation
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db
HAND = IncidentConversation.How.BY_HAND


@pytest.fixture
def web(company: Company, at: datetime) -> Component:
    """What stands for the server of Acme's website."""
    found = component("Web 1", at)
    found.services.add(Service.objects.get(name="c01-web1.demo.example"))
    return found


def _ask(customer: Customer, at: datetime, text: str = "My site is down", **more: Any) -> Conversation:
    return conversations.receive_message(
        Inbound(channel="email", customer=customer, at=at, text=text, subject="Down", **more)
    ).conversation


def _break(web: Component, company: Company, at: datetime, **more: Any) -> Incident:
    words = Words("investigating", "We look into it.", {web.pk: "major_outage"}, **more)
    return incidents.open_incident(Opening("Web 1 is down", words), company.ada, at=at)


def _told(conversation: Conversation) -> list[Message]:
    return list(conversation.messages.filter(kind="outbound", text__contains="Web 1 is down").order_by("pk"))


def _drain(at: datetime) -> None:
    while outbox.drain(at):
        pass


def test_what_names_the_server_is_linked_told_once_and_solved(web: Component, company: Company, at: datetime) -> None:
    # It names acme.example, which lies on the server.
    mine = _ask(company.carol, at - timedelta(minutes=20))
    others = _ask(company.gil, at - timedelta(minutes=20))
    incident = _break(web, company, at)
    _drain(at)
    assert [one.text.count("We look into it.") for one in _told(mine)] == [1]
    assert not _told(others)
    mine.refresh_from_db()
    assert mine.status == "new", "nobody has judged yet what it is about"

    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=at + timedelta(hours=1))
    _drain(at + timedelta(hours=1))
    _drain(at + timedelta(hours=2))
    mine.refresh_from_db()
    assert (mine.status, len(_told(mine))) == ("resolved", 2)
    others.refresh_from_db()
    assert others.status == "new"
    found = linking.counts(incident)
    assert (found.linked, found.done, found.still_broken, found.told, found.failed) == (1, 1, 0, 1, 0)


def test_whoever_writes_again_is_listed_as_still_broken(web: Component, company: Company, at: datetime) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=20))
    incident = _break(web, company, at)
    _drain(at)
    later = at + timedelta(hours=1)
    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=later)
    _drain(later)

    again = later + timedelta(minutes=5)
    _ask(company.carol, again, text="Still broken here", conversation_id=mine.pk)
    _drain(again)

    mine.refresh_from_db()
    assert mine.status == "open"
    (broken,) = linking.linked(incident, company.ada, only_still_broken=True)
    assert (broken.id, broken.still_broken_at, broken.told) == (mine.pk, again, 2)
    assert Event.objects.filter(conversation=mine, kind=telling.STILL_BROKEN).count() == 1

    conversations.reply(mine.pk, company.ada, "Now?", at=again, status="resolved")
    assert not linking.linked(incident, company.ada, only_still_broken=True)


def test_who_writes_while_it_goes_on_is_not_still_broken(web: Component, company: Company, at: datetime) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=20))
    incident = _break(web, company, at)
    _drain(at)
    _ask(company.carol, at, text="And now?", conversation_id=mine.pk)
    incidents.add_update(incident, Words("resolved", "New disks."), company.ada, at=at + timedelta(hours=1))
    _drain(at + timedelta(hours=1))
    mine.refresh_from_db()
    assert (mine.status, mine.incident_link.still_broken_at) == ("resolved", None)


def test_linked_by_hand_it_is_told_at_once_and_waits_for_the_end(
    web: Component, company: Company, at: datetime
) -> None:
    incident = _break(web, company, at)
    _drain(at)
    theirs = _ask(company.gil, at + timedelta(minutes=1))
    later = at + timedelta(minutes=2)
    key = paging.conversation_key(theirs.pk)
    paging.trigger(key, paging.Reason("after_hours", "x", at), urgency="low", summary="x", at=at)

    assert linking.link(incident, [theirs.pk], how=HAND, user=company.ada, at=later, tells=True) == [theirs.pk]
    assert linking.link(incident, [theirs.pk], how=HAND, user=company.ada, at=later, tells=True) == []
    _drain(later)
    _drain(later)

    assert len(_told(theirs)) == 1
    theirs.refresh_from_db()
    assert theirs.status == "on_hold"
    assert Page.objects.get(dedup_key=key).state == Page.State.RESOLVED
    assert not theirs.clocks.filter(target="dispatch", cancelled_at=None).exists()
    assert theirs.clocks.filter(target="first_response", met_at__isnull=False).exists()
    # Told of how things stood, they are not told of the same again with the next round.
    incidents.add_update(incident, Words("identified", "A disk."), company.ada, at=later + timedelta(minutes=9))
    _drain(later + timedelta(minutes=9))
    assert len(_told(theirs)) == 2

    assert linking.unlink(theirs.pk, company.ada, at=later + timedelta(minutes=10))
    theirs.refresh_from_db()
    assert theirs.status == "open"
    assert not linking.unlink(theirs.pk, company.ada, at=later + timedelta(minutes=10))


def test_a_silent_update_tells_and_solves_nobody(web: Component, company: Company, at: datetime) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=20))
    incident = _break(web, company, at, tells=False)
    incidents.add_update(incident, Words("resolved", "Nothing.", tells=False), company.ada, at=at)
    _drain(at)
    mine.refresh_from_db()
    assert (mine.status, _told(mine)) == ("new", [])


def test_new_conversations_are_linked_while_it_goes_on(web: Component, company: Company, at: datetime) -> None:
    incident = _break(web, company, at)
    _drain(at)
    mine = _ask(company.carol, at + timedelta(minutes=5))
    machine = _ask(company.carol, at + timedelta(minutes=5), text="acme.example CRITICAL", is_automatic=True)
    _drain(at + timedelta(minutes=5))
    assert linking.linked(incident, company.ada)[0].id == mine.pk
    assert not IncidentConversation.objects.filter(conversation=machine).exists()
    # What stood on the page already is said by the acknowledgement, not by a message of its own.
    assert not ConversationNotice.objects.filter(link__conversation=mine).exists()

    incidents.add_update(incident, Words("identified", "A disk."), company.ada, at=at + timedelta(minutes=9))
    _drain(at + timedelta(minutes=9))
    assert [one.text.count("A disk.") for one in _told(mine)] == [1]


def test_what_has_ended_links_nothing(web: Component, company: Company, at: datetime) -> None:
    incident = _break(web, company, at)
    incidents.add_update(incident, Words("resolved", "Over."), company.ada, at=at)
    mine = _ask(company.carol, at + timedelta(minutes=5))
    _drain(at + timedelta(minutes=5))
    assert not IncidentConversation.objects.filter(conversation=mine).exists()


def test_stopped_in_the_middle_each_is_told_once(
    web: Component, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [_ask(company.carol, at - timedelta(minutes=5)) for _ in range(6)]
    incident = _break(web, company, at)
    event = Event.objects.get(kind=incidents.PUBLISHED)
    told = 0
    real = telling._tell

    def killed(*args: Any) -> None:
        nonlocal told
        told += 1
        if told == 4:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(telling, "_tell", killed)
    with pytest.raises(KeyboardInterrupt):
        telling.tell(event, at)
    monkeypatch.setattr(telling, "_tell", real)
    assert ConversationNotice.objects.count() == 3
    telling.tell(event, at)
    telling.tell(event, at)
    assert [len(_told(one)) for one in asked] == [1] * 6
    assert linking.counts(incident).told == 6


def test_one_that_cannot_be_told_does_not_keep_the_others_waiting(
    web: Component, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [_ask(company.carol, at - timedelta(minutes=5)) for _ in range(3)]
    incident = _break(web, company, at)
    real = telling._words

    def broken(conversation: Conversation, *args: Any) -> tuple[str, str]:
        if conversation.pk == asked[0].pk:
            raise RuntimeError("no words")
        return real(conversation, *args)

    monkeypatch.setattr(telling, "_words", broken)
    _drain(at)
    assert [len(_told(one)) for one in asked] == [0, 1, 1]
    first = linking.linked(incident, company.ada)[0]
    assert (first.told, first.delivery) == (0, "")
    assert "no words" in first.error
    assert linking.counts(incident).failed == 1

    monkeypatch.setattr(telling, "_words", real)
    _drain(at + telling.AGAIN_AFTER[0] - timedelta(seconds=1))
    assert not _told(asked[0]), "it is not asked all the time"
    _drain(at + telling.AGAIN_AFTER[0])
    _drain(at + timedelta(hours=5))
    assert [len(_told(one)) for one in asked] == [1, 1, 1], "whatever it was has passed"
    assert linking.counts(incident).failed == 0
    assert not OutboxEntry.objects.filter(handler="status.telling.tell", done_at=None).exists()


def test_what_never_passes_has_an_end_and_is_listed(
    web: Component, company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=5))
    incident = _break(web, company, at)
    tried = []

    def broken(*args: Any) -> tuple[str, str]:
        tried.append(args)
        raise RuntimeError("no words")

    monkeypatch.setattr(telling, "_words", broken)
    moment = at
    for wait in (timedelta(), *telling.AGAIN_AFTER, timedelta(days=1)):
        moment += wait
        _drain(moment)
    assert len(tried) == 1 + len(telling.AGAIN_AFTER)
    assert not OutboxEntry.objects.filter(handler="status.telling.tell", done_at=None).exists()
    assert "no words" in linking.linked(incident, company.ada)[0].error
    assert not _told(mine)


def test_linked_again_they_are_not_told_the_same_again(web: Component, company: Company, at: datetime) -> None:
    theirs = _ask(company.gil, at - timedelta(minutes=5))
    incident = _break(web, company, at)
    for minute in (1, 3):
        when = at + timedelta(minutes=minute)
        linking.link(incident, [theirs.pk], how=HAND, user=company.ada, at=when, tells=True)
        _drain(when)
        assert len(_told(theirs)) == 1
        assert linking.linked(incident, company.ada)[0].told == 1
        assert linking.unlink(theirs.pk, company.ada, at=when + timedelta(minutes=1))
    incidents.add_update(incident, Words("identified", "The disk."), company.ada, at=at + timedelta(minutes=5))
    linking.link(incident, [theirs.pk], how=HAND, user=company.ada, at=at + timedelta(minutes=6), tells=True)
    _drain(at + timedelta(minutes=6))
    assert len(_told(theirs)) == 2, "there is news by now"


def test_an_acknowledgement_that_has_told_it_is_not_followed_by_the_same(
    web: Component, company: Company, at: datetime
) -> None:
    mine = _ask(company.carol, at)
    incident = _break(web, company, at)
    linking.link_witnesses(incident, at=at)
    said = concerning.of_conversation(mine)
    assert [one.says for one in said] == ["We look into it."]
    with transaction.atomic():
        conversations.write_automatically(mine, f"Hello,\n\n{said[0].says}\n{said[0].url}", at=at)
    _drain(at)
    assert mine.messages.filter(text__contains="We look into it.").count() == 1
    assert linking.linked(incident, company.ada)[0].told == 1

    other = _ask(company.carol, at)
    linking.link(incident, [other.pk], how=HAND, user=company.ada, at=at, tells=True)
    _drain(at)
    assert concerning.of_conversation(other) == [], "told a moment ago; the acknowledgement does not repeat it"
    later = at + timedelta(minutes=5)
    incidents.add_update(incident, Words("identified", "We look into it."), company.ada, at=later)
    _drain(later)
    assert mine.messages.filter(text__contains="We look into it.").count() == 2, "said anew, it is told anew"


def test_later_news_overtake_older_ones(web: Component, company: Company, at: datetime) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=5))
    incident = _break(web, company, at)
    incidents.add_update(incident, Words("resolved", "Over."), company.ada, at=at + timedelta(seconds=1))
    first, last = Event.objects.filter(kind=incidents.PUBLISHED).order_by("pk")
    linking.link(incident, [mine.pk], how=HAND, user=company.ada, at=at)
    telling.tell(last, at + timedelta(seconds=2))
    telling.tell(first, at + timedelta(seconds=3))
    assert [one.text.count("Over.") for one in _told(mine)] == [1]
    assert {n.error for n in ConversationNotice.objects.all()} == {"", telling.OVERTAKEN}
    mine.refresh_from_db()
    assert mine.status == "resolved"


def test_spam_merged_and_blocked_are_not_told(web: Component, company: Company, at: datetime) -> None:
    spam, mine = _ask(company.gil, at), _ask(company.carol, at - timedelta(minutes=5))
    incident = _break(web, company, at)
    conversations.change(spam.pk, conversations.Changes(is_spam=True), actor=SYSTEM, at=at)
    assert linking.link(incident, [spam.pk], how=HAND, user=company.ada, at=at) == []
    Customer.objects.filter(pk=company.carol.pk).update(blocked_at=at)
    _drain(at)
    assert not _told(mine)
    assert linking.linked(incident, company.ada)[0].error == "the customer is blocked"


def test_agents_link_and_see_only_what_they_may(web: Component, company: Company, at: datetime) -> None:
    mine = _ask(company.carol, at - timedelta(minutes=5))
    team = company.grace.teams.get(name="Backoffice")
    team.is_private = True
    team.save()
    team.members.set([company.grace])
    Conversation.objects.filter(pk=mine.pk).update(team=team)
    incident = _break(web, company, at)
    assert linking.link(incident, [mine.pk], how=HAND, user=company.linus, at=at) == []
    assert linking.link(incident, [mine.pk], how=HAND, user=company.grace, at=at) == [mine.pk]
    assert [one.id for one in linking.linked(incident, company.grace)] == [mine.pk]
    assert linking.linked(incident, company.linus) == []
    assert [one.id for one in linking.linked(incident, company.ada)] == [mine.pk]
