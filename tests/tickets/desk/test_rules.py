"""Automation: rules that act, stop by themselves, wait, and can be tried without acting."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import CustomField, Message
from helpdesk.customers.models import Organization, Team
from helpdesk.events import outbox
from helpdesk.events.actions import caused_by
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event, OutboxEntry
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.tickets.desk.ruling import HOUR, ask, idle_rule, rule
from tickets.desk import event_lines, idle, rules
from tickets.desk.models import Mention, Rule, RuleRun
from tickets.desk.rules import BadRule

pytestmark = pytest.mark.django_db


def test_a_rule_does_all_it_says(company: Company, at: datetime) -> None:
    team = Team.objects.earliest("pk")
    actions: list[dict[str, Any]] = [
        {"do": "set_priority", "value": "high"},
        {"do": "set_team", "value": team.pk},
        {"do": "assign", "value": company.grace.pk},
        {"do": "add_tags", "value": ["VIP", "shop"]},
        {"do": "note", "value": "From {{ organization.name }}: {{ conversation.subject }}"},
        {"do": "reply", "value": "Hello {{ customer.first_name|there }}, we are on it."},
        {"do": "notify", "value": [company.linus.pk], "text": "Please look."},
        {"do": "set_status", "value": "pending"},
    ]
    conditions = [
        {"field": "domain", "value": "acme.example"},
        {"field": "text", "operator": "contains", "value": "slow"},
    ]
    made = rule("conversation.opened", actions, at, conditions=conditions)
    conversation = ask(company, at)
    other = ask(company, at, subject="Hello", text="A question")
    settle(at)
    conversation.refresh_from_db()
    assert (conversation.priority, conversation.team, conversation.assignee) == ("high", team, company.grace)
    assert conversation.status == "pending" and set(conversation.tags.values_list("name", flat=True)) >= {"vip", "shop"}
    texts = list(conversation.messages.filter(author_kind="system").order_by("pk").values_list("kind", "text"))
    assert ("note", "From Acme Media: Shop is slow") in texts
    assert ("outbound", f"Hello {company.carol.name.split()[0]}, we are on it.") in texts
    mention = Mention.objects.get()
    assert mention.user == company.linus and mention.message.text == f"@{company.linus.name} Please look."
    run = RuleRun.objects.get()
    assert (run.rule, run.state, run.conversation) == (made, "done", conversation) and len(run.done) == len(actions)
    other.refresh_from_db()
    assert other.priority == "normal" and not other.tags.filter(name="vip").exists()
    caused = Event.objects.get(conversation=conversation, kind="conversation.prioritized")
    assert caused.actor_kind == "system" and caused.data["cause"]["rules"] == [made.pk]


def test_an_event_handled_twice_acts_once(company: Company, at: datetime) -> None:
    rule("conversation.opened", [{"do": "note", "value": "Seen."}], at)
    conversation = ask(company, at)
    settle(at)
    OutboxEntry.objects.filter(handler=rules.HANDLER).update(done_at=None)
    settle(at)
    event = Event.objects.get(conversation=conversation, kind="conversation.opened")
    rules.run_rules(event, at)
    assert conversation.messages.filter(kind="note").count() == 1 and RuleRun.objects.count() == 1


def test_a_rule_never_sees_what_it_caused(company: Company, at: datetime) -> None:
    rule("note.written", [{"do": "note", "value": "A note on a note."}], at)
    conversation = ask(company, at)
    conversations.note(conversation.pk, company.grace, "Look at this.", at=at)
    settle(at)
    assert conversation.messages.filter(kind="note").count() == 2


def test_rules_that_set_each_other_off_end(company: Company, at: datetime) -> None:
    """Two that would play ping-pong: each acts once in a chain."""
    rule("conversation.prioritized", [{"do": "add_tags", "value": ["a"]}, {"do": "set_priority", "value": "low"}], at)
    rule("conversation.prioritized", [{"do": "set_priority", "value": "high"}], at)
    conversation = ask(company, at)
    change = conversations.Changes(priority="urgent")
    conversations.change(conversation.pk, change, actor=Actor.agent(company.grace), at=at)
    settle(at)
    assert Event.objects.filter(conversation=conversation, kind="conversation.prioritized").count() <= 5
    assert not OutboxEntry.objects.filter(done_at=None, gave_up_at=None).exists()


def test_a_chain_has_an_end(company: Company, at: datetime) -> None:
    made = rule("note.written", [{"do": "add_tags", "value": ["again"]}], at)
    conversation = ask(company, at)
    others = [made.pk + number for number in range(1, rules.DEEPEST + 1)]
    with transaction.atomic(), caused_by({"rules": others}):
        conversations.note(conversation.pk, company.grace, "The last link.", at=at)
    settle(at)
    (run,) = RuleRun.objects.all()
    assert run.state == "skipped" and "set each other off" in run.done[0]["why"]


def test_many_rules_on_one_thing_end(company: Company, at: datetime) -> None:
    for number in range(7):
        rule("note.written", [{"do": "note", "value": f"Note {number}"}], at, name=f"Rule {number}")
    conversation = ask(company, at)
    conversations.note(conversation.pk, company.grace, "Begin.", at=at)
    settle(at)
    assert RuleRun.objects.filter(state="done").count() == rules.MOST_AN_HOUR
    assert "within an hour" in str(RuleRun.objects.filter(state="skipped").values_list("done", flat=True)[0])


def test_a_conversation_has_so_many_runs_an_hour(company: Company, at: datetime) -> None:
    rule("message.received", [{"do": "add_tags", "value": ["wrote"]}], at)
    conversation = ask(company, at)
    for number in range(rules.MOST_AN_HOUR + 3):
        conversations.receive_message(
            conversations.Inbound(
                channel="email", customer=company.carol, at=at, text=f"{number}", conversation_id=conversation.pk
            )
        )
    settle(at)
    assert RuleRun.objects.filter(state="done").count() == rules.MOST_AN_HOUR
    assert RuleRun.objects.filter(state="skipped").count() == 3
    later = at + HOUR
    conversations.receive_message(
        conversations.Inbound(
            channel="email", customer=company.carol, at=later, text="more", conversation_id=conversation.pk
        )
    )
    settle(later)
    assert RuleRun.objects.filter(state="done").count() == rules.MOST_AN_HOUR + 1


def test_a_machine_is_not_answered(company: Company, send_mail: Send, at: datetime) -> None:
    reply = [{"do": "reply", "value": "We are on it."}]
    rule("conversation.opened", reply, at)
    send_mail(raw_mail(auto_submitted="auto-generated"), at=at)
    settle(at)
    (run,) = RuleRun.objects.all()
    assert run.state == "skipped" and not Message.objects.filter(text="We are on it.").exists()


def test_a_sender_is_answered_so_often_a_day(company: Company, at: datetime) -> None:
    rule("conversation.opened", [{"do": "reply", "value": "We are on it."}], at)
    for _ in range(rules.REPLIES_A_DAY + 2):
        ask(company, at)
    settle(at)
    assert Message.objects.filter(text="We are on it.").count() == rules.REPLIES_A_DAY


def test_what_goes_wrong_is_kept_and_undone_and_the_others_go_on(company: Company, at: datetime) -> None:
    gone = Team.objects.create(name="Gone")
    rule(
        "conversation.opened",
        [{"do": "note", "value": "Half."}, {"do": "set_team", "value": gone.pk}],
        at,
        name="Broken",
        position=0,
    )
    rule("conversation.opened", [{"do": "add_tags", "value": ["fine"]}], at, name="Fine", position=1)
    gone.delete()
    conversation = ask(company, at)
    settle(at)
    broken, fine = RuleRun.objects.order_by("rule__position")
    assert broken.state == "failed" and "not there any more" in broken.done[0]["why"] and fine.state == "done"
    assert not conversation.messages.filter(kind="note").exists()
    assert conversation.tags.filter(name="fine").exists()


def test_old_events_and_switched_off_rules_do_nothing(company: Company, at: datetime) -> None:
    made = rule("conversation.opened", [{"do": "note", "value": "Seen."}], at)
    ask(company, at - timedelta(days=3))
    settle(at)
    rules.save_rule(made, {"is_active": False}, at=at)
    ask(company, at)
    settle(at)
    assert not RuleRun.objects.exists()


def test_events_without_rules_cost_one_statement_together(company: Company, at: datetime) -> None:
    for number in range(10):
        ask(company, at, subject=f"Question {number}")
    events = list(Event.objects.filter(kind="conversation.opened"))
    with CaptureQueriesContext(connection) as queries:
        rules.run_rules.takes_many(events, at)  # type: ignore[attr-defined]
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("event", {"event": "conversation.eaten"}),
        ("event", {"event": "message.sent"}),
        ("idle_hours", {"event": "conversation.idle"}),
        ("conditions", {"conditions": [{"field": "nose", "value": 1}]}),
        ("actions", {"actions": []}),
        ("actions", {"actions": [{"do": "explode"}]}),
        ("actions", {"actions": [{"do": "set_team", "value": 999_999}]}),
        ("actions", {"actions": [{"do": "assign", "value": "me"}]}),
        ("actions", {"actions": [{"do": "reply", "value": "{{ customer.age }}"}]}),
        ("actions", {"actions": [{"do": "set_custom", "value": {"nothing": 1}}]}),
        ("actions", {"actions": [{"do": "snooze", "value": 0}]}),
        ("actions", {"event": "message.failed", "actions": [{"do": "reply", "value": "Again"}]}),
    ],
)
def test_what_means_nothing_is_refused(company: Company, at: datetime, field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRule) as refused:
        rules.save_rule(
            Rule(), {"name": "x", "event": "note.written", "actions": [{"do": "mark_spam"}], **fields}, at=at
        )
    assert refused.value.field == field and not Rule.objects.exists()


def look(at: datetime) -> int:
    found = idle.find_idle(at)
    while outbox.drain(at):
        pass
    return found


def test_silence_sets_off_a_rule_once(company: Company, at: datetime) -> None:
    idle_rule(at)
    waiting, working = ask(company, at), ask(company, at)
    conversations.reply(waiting.pk, company.grace, "Which shop?", at=at)
    settle(at)
    assert look(at + 47 * HOUR) == 0
    assert look(at + 49 * HOUR) == 1
    assert [run.conversation_id for run in RuleRun.objects.filter(state="done")] == [waiting.pk]
    assert waiting.tags.filter(name="reminded").exists() and not working.tags.filter(name="reminded").exists()
    # The reminder itself breaks no silence.
    for days in range(3, 12):
        look(at + timedelta(days=days))
    assert Message.objects.filter(text="Are you still there?").count() == 1
    # An agent's answer does: two days after it the customer is reminded again.
    later = at + timedelta(days=12)
    conversations.reply(waiting.pk, company.grace, "Hello?", at=later)
    settle(later)
    assert look(later + 49 * HOUR) == 1
    assert Message.objects.filter(text="Are you still there?").count() == 2


def test_whoever_writes_meanwhile_is_not_reminded(company: Company, at: datetime) -> None:
    idle_rule(at)
    waiting = ask(company, at)
    conversations.reply(waiting.pk, company.grace, "Which shop?", at=at)
    settle(at)
    assert idle.find_idle(at + 49 * HOUR) == 1
    now = at + 49 * HOUR
    conversations.receive_message(
        conversations.Inbound(channel="email", customer=company.carol, at=now, text="x", conversation_id=waiting.pk)
    )
    settle(now)
    assert not RuleRun.objects.exists()


def test_many_fall_silent_at_once_and_each_is_found(company: Company, at: datetime) -> None:
    idle_rule(at, conditions=[])
    all_of_them = {ask(company, at).pk for _ in range(7)}
    settle(at)
    now = at + 49 * HOUR
    assert sum(idle.find_idle(now, limit=3) for _ in range(4)) == 7 and idle.find_idle(now, limit=3) == 0
    assert set(Event.objects.filter(kind="conversation.idle").values_list("conversation", flat=True)) == all_of_them


def test_what_was_silent_before_the_rule_was_made_is_left_alone(company: Company, at: datetime) -> None:
    ask(company, at - timedelta(days=30))
    settle(at)
    idle_rule(at, conditions=[])
    assert idle.find_idle(at) == 0 and idle.find_idle(at + HOUR) == 0


def test_conditions_know_plan_and_organization(company: Company, at: datetime) -> None:
    acme = Organization.objects.get(name="Acme Media")
    rule(
        "conversation.opened",
        [{"do": "add_tags", "value": ["standard"]}],
        at,
        conditions=[{"field": "plan", "value": acme.plan_id}, {"field": "organization", "value": acme.pk}],
    )
    conversation = ask(company, at)
    settle(at)
    assert conversation.tags.filter(name="standard").exists()


def test_old_runs_are_forgotten(company: Company, at: datetime) -> None:
    rule("conversation.opened", [{"do": "mark_spam"}], at)
    ask(company, at)
    settle(at)
    assert rules.forget(at) == 0 and rules.forget(at + HOUR) == 1


def test_a_rule_sees_what_the_one_before_it_did(company: Company, at: datetime) -> None:
    urgent = [{"field": "priority", "value": "urgent"}]
    rule("conversation.opened", [{"do": "set_priority", "value": "urgent"}], at, position=0)
    rule("conversation.opened", [{"do": "add_tags", "value": ["red"]}], at, position=1, conditions=urgent)
    conversation = ask(company, at)
    settle(at)
    assert conversation.tags.filter(name="red").exists()


def test_conditions_know_when_it_happened(company: Company, at: datetime) -> None:
    closed = [{"field": "hours", "value": "closed"}]
    rule("conversation.opened", [{"do": "add_tags", "value": ["night"]}], at, conditions=closed)
    night = at - timedelta(hours=6)
    by_day, by_night = ask(company, at), ask(company, night)
    settle(at)
    assert by_night.tags.filter(name="night").exists() and not by_day.tags.filter(name="night").exists()


def test_a_flood_costs_a_bounded_number_of_statements(company: Company, at: datetime) -> None:
    """Rules that do not match read the same few statements for a hundred events as for one."""
    nothing = [{"field": "subject", "value": "nothing of the kind"}]
    for number in range(5):
        rule("conversation.opened", [{"do": "mark_spam"}], at, conditions=nothing, name=f"Rule {number}")
    for number in range(20):
        ask(company, at, subject=f"Question {number}")
    events = list(Event.objects.filter(kind="conversation.opened"))
    with CaptureQueriesContext(connection) as few:
        rules.run_rules.takes_many(events[:1], at)  # type: ignore[attr-defined]
    with CaptureQueriesContext(connection) as many:
        rules.run_rules.takes_many(events, at)  # type: ignore[attr-defined]
    assert len(many) == len(few) <= 9


def test_custom_fields_are_filled_with_what_fits(company: Company, at: datetime) -> None:
    CustomField.objects.create(key="size", name="Size", kind="number")
    CustomField.objects.create(key="paid", name="Paid", kind="yes_no")
    rule("conversation.opened", [{"do": "set_custom", "value": {"size": "12", "paid": True}}], at)
    conversation = ask(company, at)
    settle(at)
    conversation.refresh_from_db()
    assert conversation.custom == {"size": 12, "paid": True}
    with pytest.raises(BadRule, match="number"):
        rule("conversation.opened", [{"do": "set_custom", "value": {"size": "large"}}], at)


def test_the_thread_tells_which_rule_it_was() -> None:
    data = {"was": "normal", "priority": "high", "cause": {"rule": 3, "name": "VIP", "rules": [3]}}
    assert event_lines.line("conversation.prioritized", "", data, {}).startswith("Rule “VIP”: ")
