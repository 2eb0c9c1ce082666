"""Rows of lists that are open: sent drawn anew when they change, to those who show them and may see them."""

import re

import pytest
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from tests.chat.agents import Desk, Desks, Frame
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
    wanted = [(conversation.pk, user, "en", zone, "due") for user, zone in pairs]

    drawn = live_rows.draw([*wanted, (2**62, company.ada.pk, "en", "", "due")])

    assert set(drawn) == set(wanted)
    assert len({id(text) for text in drawn.values()}) == 4


def _listed(desk: Desk, conversation: Conversation) -> bool:
    """Whether the next frame that speaks of it says that it belongs to the list."""
    number = str(conversation.pk)

    def speaks(frame: Frame) -> bool:
        return frame["t"] == "rows" and (number in frame["v"] or conversation.pk in frame.get("left", ()))

    frame = desk.until(speaks)
    return number in frame["v"] and conversation.pk not in frame["left"]


def test_what_is_new_comes_to_a_list_at_once_with_its_place(desks: Desks, company: Company) -> None:
    shown = write(company.carol, now(), subject="Shown")
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[shown.pk], lang="en", view="view=reply")

    other = write(company.gil, now(), subject="New here")

    row = _row(grace, other)
    assert "New here" in row
    place = int(re.findall(r'data-place="(-?\d+)"', row)[0])
    due = Conversation.objects.get(pk=other.pk).next_due_at
    assert due is not None and place == round(due.timestamp() * 1_000_000)


def test_what_no_longer_belongs_leaves_at_once_and_comes_back(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[conversation.pk], lang="en", view="view=reply")

    _change(conversation, company.ada, status="resolved")
    assert not _listed(grace, conversation)
    _change(conversation, company.ada, status="open")
    assert _listed(grace, conversation)
    # It was never told that this is shown: that it was sent is enough.
    _change(conversation, company.ada, status="pending")
    assert not _listed(grace, conversation)


def test_mine_is_mine_and_a_teams_is_the_teams(desks: Desks, company: Company) -> None:
    conversation, last = write(company.carol, now()), write(company.gil, now())
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk in (grace, linus):
        desk.hello()
        desk.say("list", rows=[], lang="en", view="view=mine")

    _change(conversation, company.ada, assignee=company.grace)
    assert _listed(grace, conversation)
    _change(last, company.ada, assignee=company.linus)
    assert _listed(linus, last)

    told = [number for frame in linus.said if frame["t"] == "rows" for number in frame["v"]]
    assert told == [str(last.pk)]


def test_a_list_is_not_told_what_its_agent_may_not_see(desks: Desks, company: Company) -> None:
    team = Team.objects.create(name="Management", is_private=True)
    team.members.set([company.linus])
    conversation, after = write(company.carol, now()), write(company.gil, now())
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[conversation.pk], lang="en", view="view=all")

    _change(conversation, company.ada, team=team)
    assert not _listed(grace, conversation)
    frames = len(grace.said)
    _change(conversation, company.ada, priority="urgent")
    _change(after, company.ada, priority="urgent")
    assert _listed(grace, after)

    assert not any(str(conversation.pk) in frame.get("v", {}) for frame in grace.said[frames - 1 :])


def test_what_belongs_to_a_later_page_does_not_come(desks: Desks, company: Company) -> None:
    first, second = write(company.carol, now()), write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    due = Conversation.objects.get(pk=first.pk).next_due_at
    assert due is not None
    upto = round(due.timestamp() * 1_000_000) - 1
    grace.say("list", rows=[first.pk], lang="en", view="view=reply", upto=upto)

    _change(second, company.ada, priority="low")
    _change(first, company.ada, priority="urgent")

    assert _listed(grace, first)
    assert not any(str(second.pk) in frame["v"] for frame in grace.said if frame["t"] == "rows")


@pytest.mark.parametrize(
    "view", ["view=nothing", "view=saved-9", "view=all&tag=%00", "%ff=1", "view=all&team=x", "ä", ""]
)
def test_a_strange_view_is_a_list_that_stays_as_it_is(desks: Desks, company: Company, view: str) -> None:
    shown = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[shown.pk], lang="en", view=view)

    _change(shown, company.ada, priority="urgent")
    assert "Urgent" in _row(grace, shown)


@pytest.mark.parametrize("upto", ["1", 1.5, True, 2**53, -(2**53)])
def test_a_place_that_is_none_ends_it(desks: Desks, company: Company, upto: object) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("list", rows=[], upto=upto)
    assert grace.closed_with() == 4400
