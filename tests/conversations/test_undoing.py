"""Taking back: changes a moment ago, and a reply before it leaves, with the promises as they were."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import undoing
from helpdesk.conversations.actions import Changes
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Service, Team
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event, OutboxEntry
from helpdesk.events.outbox import drain
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.desk import write

TEN = timedelta(seconds=10)


@pytest.fixture
def conversation(company: Company, at: datetime) -> Conversation:
    return write(company.gil, at)


def _clocks(conversation: Conversation) -> list[tuple[object, ...]]:
    fields = ("target", "due_at", "wake_at", "paused_at", "met_at", "cancelled_at", "breached_at")
    return list(Clock.objects.filter(conversation=conversation).order_by("target", "pk").values_list(*fields))


def _undo(conversation: Conversation, company: Company, after: int, at: datetime) -> int:
    until = Event.objects.filter(conversation=conversation).latest("seq").seq
    return undoing.undo(conversation.pk, company.ada, after=after, until=until or 0, at=at)


def _change(conversation: Conversation, company: Company, at: datetime, **changes: object) -> int:
    before = Conversation.objects.get(pk=conversation.pk).last_seq
    conversations.change(conversation.pk, Changes(**changes), actor=Actor.agent(company.ada), at=at)  # type: ignore[arg-type]
    return before


def test_every_change_is_taken_back(conversation: Conversation, company: Company, at: datetime) -> None:
    was = Conversation.objects.get(pk=conversation.pk)
    tags = sorted(was.tags.values_list("name", flat=True))
    services = sorted(was.services.values_list("pk", flat=True))
    later = at + timedelta(minutes=1)
    after = _change(
        conversation,
        company,
        later,
        priority="urgent",
        team=Team.objects.earliest("pk"),
        tags=["slow"],
        services=[Service.objects.earliest("pk")],
        subject="Other",
        custom={"cause": "ours"},
        # Chosen in the agent's own time zone.
        snoozed_until=(later + timedelta(hours=3)).astimezone(ZoneInfo("Europe/Berlin")),
    )

    assert _undo(conversation, company, after, later + TEN) == 7
    now = Conversation.objects.get(pk=conversation.pk)
    for name in ("priority", "team_id", "subject", "custom", "snoozed_until", "status"):
        assert getattr(now, name) == getattr(was, name), name
    assert sorted(now.tags.values_list("name", flat=True)) == tags
    assert sorted(now.services.values_list("pk", flat=True)) == services


@pytest.mark.parametrize("status", ["resolved", "closed", "pending", "on_hold"])
def test_a_status_taken_back_leaves_the_promises_as_they_were(
    status: str, conversation: Conversation, company: Company, at: datetime
) -> None:
    conversations.change(conversation.pk, Changes(assignee=company.ada), actor=Actor.agent(company.ada), at=at)
    before = [(row[0], row[4], row[5]) for row in _clocks(conversation)]
    after = _change(conversation, company, at + timedelta(minutes=5), status=status)

    _undo(conversation, company, after, at + timedelta(minutes=5) + TEN)

    assert [(row[0], row[4], row[5]) for row in _clocks(conversation)] == before
    assert Conversation.objects.get(pk=conversation.pk).status == "open"


def test_taking_it_and_giving_it_back_at_once_wins_no_time(
    conversation: Conversation, company: Company, at: datetime
) -> None:
    before = _clocks(conversation)
    after = _change(conversation, company, at + timedelta(minutes=5), assignee=company.ada)

    _undo(conversation, company, after, at + timedelta(minutes=5) + TEN)

    now = Conversation.objects.get(pk=conversation.pk)
    assert (now.status, now.assignee) == ("new", None)
    assert _clocks(conversation) == before


def test_what_somebody_changed_since_stays(conversation: Conversation, company: Company, at: datetime) -> None:
    after = _change(conversation, company, at, priority="high")
    conversations.change(conversation.pk, Changes(priority="low"), actor=Actor.agent(company.grace), at=at)

    with pytest.raises(undoing.TooLate):
        _undo(conversation, company, after, at + TEN)
    assert Conversation.objects.get(pk=conversation.pk).priority == "low"


def test_only_ones_own_and_only_a_moment_later(conversation: Conversation, company: Company, at: datetime) -> None:
    after = _change(conversation, company, at, priority="high")
    until = Conversation.objects.get(pk=conversation.pk).last_seq

    with pytest.raises(undoing.TooLate):
        undoing.undo(conversation.pk, company.grace, after=after, until=until, at=at)
    with pytest.raises(undoing.TooLate):
        undoing.undo(conversation.pk, company.ada, after=after, until=until, at=at + timedelta(minutes=2))


def _reply(conversation: Conversation, company: Company, at: datetime) -> Message:
    return conversations.reply(conversation.pk, company.ada, "Oops", at=at, not_before=at + TEN)


def test_a_reply_waits_and_then_leaves(conversation: Conversation, company: Company, at: datetime) -> None:
    message = _reply(conversation, company, at)

    drain(at + timedelta(seconds=9))
    assert Message.objects.get(pk=message.pk).delivery == "pending"
    drain(at + TEN)
    assert Message.objects.get(pk=message.pk).delivery == "sent"


def test_a_reply_taken_back_never_happened(conversation: Conversation, company: Company, at: datetime) -> None:
    conversations.write_automatically(conversation, "Hello, we have received your request.", at=at)
    was, before = Conversation.objects.get(pk=conversation.pk), _clocks(conversation)
    message = _reply(conversation, company, at + timedelta(minutes=5))

    gone = undoing.take_back(message.pk, company.ada, at=at + timedelta(minutes=5, seconds=5))

    now = Conversation.objects.get(pk=conversation.pk)
    assert gone.text == "Oops" and not Message.objects.filter(pk=message.pk).exists()
    for name in ("status", "assignee", "preview", "last_message_at"):
        assert getattr(now, name) == getattr(was, name), name
    assert [(r[0], r[4], r[5]) for r in _clocks(conversation)] == [(r[0], r[4], r[5]) for r in before]
    assert Event.objects.filter(conversation=conversation, kind="message.taken_back").count() == 1
    drain(at + timedelta(hours=1))
    assert not OutboxEntry.objects.filter(done_at=None).exists()


def test_what_has_left_stays(conversation: Conversation, company: Company, at: datetime) -> None:
    message = _reply(conversation, company, at)
    drain(at + TEN)

    with pytest.raises(undoing.TooLate):
        undoing.take_back(message.pk, company.ada, at=at + timedelta(seconds=11))
    assert Message.objects.filter(pk=message.pk).exists()


def test_another_ones_reply_is_theirs(conversation: Conversation, company: Company, at: datetime) -> None:
    message = _reply(conversation, company, at)

    with pytest.raises(Message.DoesNotExist):
        undoing.take_back(message.pk, company.grace, at=at)


def test_a_reply_to_what_was_not_seen_is_held_back(conversation: Conversation, company: Company, at: datetime) -> None:
    seen = Message.objects.latest("pk").pk
    theirs = conversations.reply(conversation.pk, company.grace, "First", at=at)
    conversations.note(conversation.pk, company.grace, "Not for the customer", at=at)

    with pytest.raises(conversations.Overtaken) as caught:
        conversations.reply(conversation.pk, company.ada, "Second", at=at, seen=seen)
    assert caught.value.messages == [theirs.pk]
    conversations.reply(conversation.pk, company.ada, "Second", at=at, seen=theirs.pk)
    conversations.reply(conversation.pk, company.ada, "Third, after my own", at=at, seen=theirs.pk)
