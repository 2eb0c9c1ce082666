"""Rows of lists that are open: sent drawn anew when they change, to those who show them and may see them."""

import pytest
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from tests.chat.agents import Desk, Desks
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk import live_rows

pytestmark = pytest.mark.django_db(transaction=True)


def _change(conversation: Conversation, user: User, **changes: object) -> None:
    changed = conversations.Changes(**changes)  # type: ignore[arg-type]
    conversations.change(conversation.pk, changed, actor=Actor.agent(user), at=now())


def _row(desk: Desk, conversation: Conversation) -> str:
    """The next one of this conversation."""
    number = str(conversation.pk)
    return str(desk.until(lambda frame: frame["t"] == "rows" and number in frame["v"])["v"][number])


def test_rows_that_are_shown_come_when_they_change(desks: Desks, company: Company) -> None:
    shown, other = write(company.carol, now(), subject="Shown"), write(company.gil, now(), subject="Not shown")
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[shown.pk], lang="en")

    _change(other, company.ada, priority="urgent")
    _change(shown, company.ada, priority="urgent")

    row = _row(grace, shown)
    assert "Shown" in row and "Urgent" in row
    assert not any(str(other.pk) in frame["v"] for frame in grace.said if frame["t"] == "rows")


def test_each_reads_a_row_in_their_own_words(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk, language in ((grace, "en"), (linus, "de")):
        desk.hello()
        desk.say("list", rows=[conversation.pk], lang=language)

    _change(conversation, company.ada, assignee=company.grace, priority="urgent")

    assert ">You<" in _row(grace, conversation)
    theirs = _row(linus, conversation)
    assert ">Grace Hopper<" in theirs and "Dringend" in theirs


def test_rows_of_private_teams_are_not_sent_to_others(desks: Desks, company: Company) -> None:
    team = Team.objects.create(name="Management", is_private=True)
    team.members.set([company.linus])
    conversation, after = write(company.carol, now()), write(company.gil, now())
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk in (grace, linus):
        desk.hello()
        desk.say("list", rows=[conversation.pk, after.pk], lang="en")

    _change(conversation, company.ada, team=team)
    assert "Management" in _row(linus, conversation)
    _change(after, company.ada, priority="urgent")

    assert "Urgent" in _row(grace, after)
    assert not any(str(conversation.pk) in frame["v"] for frame in grace.said if frame["t"] == "rows")


def test_a_page_that_nobody_sees_is_sent_no_rows(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[conversation.pk], lang="en")
    grace.say("vis", tab=False)
    _change(conversation, company.ada, priority="urgent")
    grace.event("conversation.prioritized")

    grace.say("vis", tab=True)
    _change(conversation, company.ada, priority="low")

    assert "Low" in _row(grace, conversation)
    assert len([frame for frame in grace.said if frame["t"] == "rows"]) == 1


@pytest.mark.parametrize("rows", [None, 5, "1", [0], [-1], [2**63], ["1"], [True], [[1]], [1.5]])
def test_a_list_of_nonsense_ends_it(desks: Desks, company: Company, rows: object) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=rows)
    assert grace.closed_with() == 4400


def test_readers_alike_are_drawn_for_once(company: Company) -> None:
    conversation = write(company.carol, now())
    _change(conversation, company.ada, assignee=company.grace)
    pairs = [(user.pk, zone) for user in (company.ada, company.linus, company.grace) for zone in ("", "Asia/Tokyo")]
    wanted = [(conversation.pk, user, "en", zone) for user, zone in pairs]

    drawn = live_rows.draw([*wanted, (2**62, company.ada.pk, "en", "")])

    assert set(drawn) == set(wanted)
    assert len({id(text) for text in drawn.values()}) == 4
