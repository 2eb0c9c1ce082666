"""Whom a note calls."""

from datetime import datetime

import pytest

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk import mentions
from tickets.desk.models import Mention


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Grace Hopper look", ["Grace Hopper"]),
        ("@grace hopper, look", ["Grace Hopper"]),
        ("@grace look", ["Grace Hopper"]),
        ("(@linus)", ["Linus Torvalds"]),
        ("@Grace Hopper and @linus, @grace again", ["Grace Hopper", "Linus Torvalds"]),
        ("grace@demo.example", []),
        ("@gracefully", []),
        ("@ grace", []),
        ("@@grace", []),
        ("@nobody", []),
        ("@" * 10_000, []),
    ],
)
def test_names(text: str, called: list[str], company: Company) -> None:
    company.linus.name = "Linus Torvalds"
    company.linus.save()

    assert sorted(person.name for person in mentions.named_in(text, list(mentions.agents()))) == called


def test_a_first_name_of_two_calls_neither(company: Company) -> None:
    User.objects.create_user("hopper2@demo.example", name="Grace Other")
    User.objects.filter(email="grace@demo.example").update(email="gh@demo.example")

    assert mentions.named_in("@grace look", list(mentions.agents())) == []
    assert [person.name for person in mentions.named_in("@Grace Other", list(mentions.agents()))] == ["Grace Other"]


def test_a_mention_is_written_told_and_seen_once(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)

    note = mentions.write_note(conversation.pk, company.ada, "@Grace Hopper @ada please", at=at)

    mention = Mention.objects.get()
    assert (mention.message, mention.user) == (note, company.grace)
    assert Event.objects.get(kind="agent.mentioned").data == {"message": note.pk, "agents": [company.grace.pk]}
    mentions.see(conversation.pk, company.grace, at=at)
    mention.refresh_from_db()
    assert mention.seen_at == at


def test_nobody_is_called_to_what_they_may_not_see(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    Conversation.objects.update(team=Team.objects.create(name="Secret", is_private=True))

    mentions.write_note(conversation.pk, company.ada, "@Grace Hopper please", at=at)

    assert not Mention.objects.exists()
