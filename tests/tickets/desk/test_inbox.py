"""The views: what each finds, what hides in none, whose they are, and what an address may not ask."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Service, Team
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.sla import sweep
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import filters, inbox, queue
from tickets.models import Mention, SavedView


def _shown(company: Company, **given: object) -> list[int]:
    view = inbox.find(given, company.ada)
    return [row["id"] for row in queue.read(view, company.ada).rows]


def _change(conversation: Conversation, at: datetime, **changes: object) -> None:
    conversations.change(conversation.pk, conversations.Changes(**changes), actor=SYSTEM, at=at)  # type: ignore[arg-type]


def test_what_sleeps_is_in_no_view_of_work_until_it_wakes(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    until = at + timedelta(days=2)
    _change(conversation, at, snoozed_until=until)

    assert _shown(company, view="reply") == []
    assert _shown(company, view="snoozed") == [conversation.pk]
    assert _shown(company, view="all") == [conversation.pk]
    assert conversations.wake_due(until - timedelta(seconds=1)) == 0
    assert conversations.wake_due(until) == 1
    assert conversations.wake_due(until) == 0
    assert _shown(company, view="reply") == [conversation.pk]


def test_a_customers_answer_wakes_it(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    _change(conversation, at, snoozed_until=at + timedelta(days=2))

    write(company.carol, at + timedelta(hours=1), conversation_id=conversation.pk)

    assert _shown(company, view="reply") == [conversation.pk]


def test_snoozing_needs_a_time_to_come_and_work_to_do(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    with pytest.raises(conversations.CannotSleep):
        _change(conversation, at, snoozed_until=at)
    _change(conversation, at, status="resolved")
    with pytest.raises(conversations.CannotSleep):
        _change(conversation, at, snoozed_until=at + timedelta(days=1))


def test_spam_is_shown_where_one_asks_for_it(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    _change(conversation, at, is_spam=True)

    assert _shown(company, view="all") == _shown(company, view="resolved") == []
    assert _shown(company, view="spam") == [conversation.pk]

    _change(conversation, at, is_spam=False)
    assert _shown(company, view="reply") == [conversation.pk]


def test_at_risk_is_what_has_warned(company: Company, at: datetime) -> None:
    first, second = write(company.carol, at), write(company.carol, at + timedelta(minutes=30))
    sweep.sweep(at + timedelta(minutes=50))

    assert _shown(company, view="risk") == [first.pk]

    sweep.sweep(at + timedelta(minutes=80))
    assert _shown(company, view="risk") == [first.pk, second.pk]
    for conversation in (first, second):
        _change(conversation, at + timedelta(minutes=90), status="resolved")
    assert _shown(company, view="risk") == []


def test_filters_narrow(company: Company, at: datetime) -> None:
    service = Service.objects.order_by("pk")[0]
    tagged = write(company.carol, at, tags=("vip",))
    serviced = write(company.gil, at, service_ids=(service.pk,), priority="high")
    Mention.objects.create(conversation=tagged, message=tagged.messages.get(), user=company.ada, at=at)

    assert _shown(company, view="filter", tag=["vip"]) == [tagged.pk]
    assert _shown(company, view="filter", service=str(service.pk)) == [serviced.pk]
    assert _shown(company, view="filter", priority="high") == [serviced.pk]
    assert _shown(company, view="filter", channel="chat") == []
    assert _shown(company, view="filter", customer=company.gil.pk) == [serviced.pk]
    assert _shown(company, view="mentions") == [tagged.pk]


@pytest.mark.parametrize(
    "given",
    [{"status": "gone"}, {"team": "x"}, {"service": "-1"}, {"service": str(2**64)}, {"channel": "a'b"}, {"x": 1}],
)
def test_bad_filters_say_what_is_wrong(given: dict[str, object]) -> None:
    with pytest.raises(filters.BadFilter):
        filters.cleaned(given)


def test_saved_views_are_for_those_they_were_saved_for(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.members.set([company.linus])
    made = {"filters": {"status": ["new"]}, "updated_at": at}
    own = SavedView.objects.create(name="Mine alone", owner=company.grace, **made)
    theirs = SavedView.objects.create(name="Hosting's", team=team, **made)
    shared = SavedView.objects.create(name="All's", **made)

    assert inbox.saved_for(company.grace) == [shared, own]
    assert inbox.saved_for(company.linus) == [shared, theirs]
    with pytest.raises(inbox.UnknownView):
        inbox.find({"view": f"saved-{own.pk}"}, company.linus)


def test_a_private_teams_conversations_are_its_own(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.is_private = True
    team.save()
    team.members.set([company.linus])
    conversation = write(company.carol, at, team_id=team.pk)
    message = conversation.messages.get()
    addresses = [
        f"/desk/conversations/{conversation.pk}/",
        f"/desk/conversations/{conversation.pk}/news/",
        f"/desk/conversations/{conversation.pk}/older/",
        f"/desk/messages/{message.pk}/full/",
        f"/desk/clocks/{conversation.clocks.order_by('pk')[0].pk}/",
    ]

    for user, expected in ((company.linus, 200), (company.ada, 200), (company.grace, 404)):
        browser = logged_in(user)
        assert {address: browser.get(address).status_code for address in addresses} == dict.fromkeys(
            addresses, expected
        )
        row = f'id="c{conversation.pk}"'
        assert (row in browser.get("/desk/").content.decode()) == (expected == 200)
    stranger = logged_in(company.grace)
    for verb in ("take", "work", "messages"):
        assert stranger.post(f"/desk/conversations/{conversation.pk}/{verb}/", {}).status_code == 404
    conversations.change(conversation.pk, conversations.Changes(team=None), actor=Actor.agent(company.linus), at=at)
    assert stranger.get(addresses[0]).status_code == 200
