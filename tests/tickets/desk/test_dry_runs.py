"""Rules tried over what happened before: the report tells, and nothing is changed."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team
from helpdesk.events.models import Event, OutboxEntry
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle
from tests.tickets.desk.ruling import HOUR, ask, idle_rule, rule
from tickets.desk import dry_runs, rules
from tickets.desk.models import Rule, RuleRun

pytestmark = pytest.mark.django_db


def snapshot() -> list[Any]:
    return [
        list(Conversation.objects.order_by("pk").values()),
        Message.objects.count(),
        Event.objects.count(),
        RuleRun.objects.count(),
        OutboxEntry.objects.count(),
    ]


def test_a_dry_run_tells_and_changes_nothing(company: Company, at: datetime) -> None:
    for number in range(6):
        ask(company, at + number * HOUR, subject=f"Shop {number}", text="slow" if number % 2 else "fast")
    settle(at)
    unsaved = rules.checked(
        Rule(
            name="x",
            event="conversation.opened",
            conditions=[{"field": "text", "operator": "contains", "value": "slow"}],
            actions=[{"do": "reply", "value": "About {{ conversation.subject }}"}],
        )
    )
    before = snapshot()
    first = dry_runs.dry_run(unsaved, company.ada, 2, at)
    assert [match.conversation.subject for match in first.matches] == ["Shop 5", "Shop 3"]
    assert first.matches[0].actions == [{"do": "reply", "value": "About Shop 5"}] and first.next is not None
    second = dry_runs.dry_run(unsaved, company.ada, 2, at, first.next)
    assert [match.conversation.subject for match in second.matches] == ["Shop 1"] and second.next is None
    assert snapshot() == before


@pytest.fixture
def high_numbers(db: None) -> None:
    """As after a move from another installation, or where much was rolled back."""
    with connection.cursor() as cursor:
        sequence = "pg_get_serial_sequence('helpdesk_event', 'id')"
        cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [2 * dry_runs.WINDOW])


def test_a_dry_run_ends_where_the_log_begins(high_numbers: None, company: Company, at: datetime) -> None:
    ask(company, at, subject="Shop")
    settle(at)
    asked = Rule(name="x", event="conversation.opened", actions=[{"do": "reply", "value": "Hello"}])
    found = dry_runs.dry_run(rules.checked(asked), company.ada, 2, at)
    assert len(found.matches) == 1 and found.next is None


def test_a_dry_run_of_silence(company: Company, at: datetime) -> None:
    made = idle_rule(at, conditions=[{"field": "subject", "operator": "contains", "value": "shop"}])
    for number in range(3):
        ask(company, at + number * HOUR, subject=f"Shop {number}")
    ask(company, at, subject="Other")
    found = dry_runs.dry_run(made, company.ada, 2, at + 60 * HOUR)
    assert [match.conversation.subject for match in found.matches] == ["Shop 2", "Shop 1"]
    rest = dry_runs.dry_run(made, company.ada, 2, at + 60 * HOUR, found.next or "")
    assert [match.conversation.subject for match in rest.matches] == ["Shop 0"] and rest.next is None
    with pytest.raises(dry_runs.BadCursor):
        dry_runs.dry_run(made, company.ada, 2, at, "yesterday")


def test_a_dry_run_keeps_private_teams_private(company: Company, at: datetime) -> None:
    private = Team.objects.create(name="Board", is_private=True)
    hidden = ask(company, at)
    settle(at)
    Conversation.objects.filter(pk=hidden.pk).update(team=private)
    made = rule("conversation.opened", [{"do": "mark_spam"}], at)
    assert not dry_runs.dry_run(made, company.grace, 10, at).matches
    assert len(dry_runs.dry_run(made, company.ada, 10, at).matches) == 1
