"""A conversation with an empty required field is resolved by nobody; what ends by itself is held up by nothing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import merging, undoing
from helpdesk.conversations.actions import Changes, NotFilledIn
from helpdesk.conversations.models import Conversation, CustomField, Message
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tests.fixtures.engine import Engine
from tests.fixtures.mailing import raw_mail
from tickets.desk import bulk, idle, macros, rules
from tickets.desk.models import Macro, Rule, RuleRun

pytestmark = pytest.mark.django_db
SAYS = "Fill in before it is resolved: Cause."


@pytest.fixture
def cause(company: Company) -> CustomField:
    CustomField.objects.create(key="mood", name="Mood")
    CustomField.objects.create(key="old", name="Old", is_required=True, is_active=False)
    return CustomField.objects.create(key="cause", name="Cause", is_required=True)


@pytest.fixture
def conversation(company: Company, cause: CustomField, at: datetime) -> Conversation:
    return write(company.carol, at)


@pytest.fixture
def grace(company: Company) -> Caller:
    return Caller(company.grace)


def _now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


@pytest.mark.parametrize("status", ["resolved", "closed"])
@pytest.mark.parametrize("actor", ["agent", "house"])
def test_nobody_resolves_it(
    company: Company, cause: CustomField, conversation: Conversation, at: datetime, status: str, actor: str
) -> None:
    by = Actor.agent(company.grace) if actor == "agent" else SYSTEM

    with pytest.raises(NotFilledIn, match=SAYS) as refused:
        conversations.change(conversation.pk, Changes(status=status, priority="high"), actor=by, at=at)

    assert refused.value.fields == [cause]
    assert (_now(conversation).status, _now(conversation).priority) == ("new", "normal")
    both = Changes(status=status, custom={"cause": "A cable"})
    assert conversations.change(conversation.pk, both, actor=by, at=at).status == status
    # What is done already may change from resolved to closed, and lose its value.
    conversations.change(conversation.pk, Changes(custom={"cause": None}), actor=by, at=at)
    other = "closed" if status == "resolved" else "resolved"
    assert conversations.change(conversation.pk, Changes(status=other), actor=by, at=at).status == other


def test_a_reply_that_would_resolve_it_is_not_sent(company: Company, conversation: Conversation, at: datetime) -> None:
    with pytest.raises(NotFilledIn):
        conversations.reply(conversation.pk, company.grace, "Done", at=at, status="resolved")
    assert not Message.objects.filter(kind="outbound").exists() and _now(conversation).assignee is None


def test_a_change_by_api_names_the_fields(grace: Caller, conversation: Conversation) -> None:
    path = f"/conversations/{conversation.pk}/"

    refused = grace("patch", path, {"status": "resolved"})

    assert refused.status_code == 400
    assert refused.json() == {"status": [SAYS], "custom": {"cause": ["Cause is empty."]}}
    done = grace("patch", path, {"status": "resolved", "custom": {"cause": "A cable"}})
    assert (done.status_code, done.json()["status"]) == (200, "resolved")


def test_an_answer_by_api_names_them_as_well(grace: Caller, conversation: Conversation) -> None:
    said = {"kind": "outbound", "text": "Done", "status": "closed", "client_id": str(uuid4())}

    refused = grace("post", f"/conversations/{conversation.pk}/messages/", said)

    assert refused.status_code == 400 and refused.json()["custom"] == {"cause": ["Cause is empty."]}
    assert not Message.objects.filter(kind="outbound").exists()


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("number", 4, 4),
        ("number", "1,5", 1.5),
        ("yes_no", True, True),
        ("date", "2026-01-12", "2026-01-12"),
        ("text", "x", "x"),
        ("text", "", None),
        ("number", "many", SyntaxError),
        ("date", "tomorrow", SyntaxError),
        ("choice", "none of ours", SyntaxError),
        ("text", ["x"], SyntaxError),
        ("text", {"x": 1}, SyntaxError),
    ],
)
def test_values_by_api_fit_their_fields(
    grace: Caller, conversation: Conversation, kind: str, given: Any, kept: Any
) -> None:
    CustomField.objects.create(key="x", name="X", kind=kind, choices=["ours"] if kind == "choice" else [])

    answer = grace("patch", f"/conversations/{conversation.pk}/", {"custom": {"x": given}})

    if kept is SyntaxError:
        assert answer.status_code == 400 and "X: " in answer.json()["custom"][0]
    else:
        assert answer.json()["custom"].get("x") == kept


def test_a_key_nobody_knows_is_refused(grace: Caller, conversation: Conversation) -> None:
    answer = grace("patch", f"/conversations/{conversation.pk}/", {"custom": {"nothing": "x"}})
    assert (answer.status_code, answer.json()["custom"]) == (400, ["There is no custom field nothing."])


def test_many_at_once_are_told_why_not(company: Company, conversation: Conversation, at: datetime) -> None:
    filled = write(company.gil, at)
    filled_in = Changes(custom={"cause": "A cable"})
    conversations.change(filled.pk, filled_in, actor=Actor.agent(company.grace), at=at)
    asked = bulk.Asked(Changes(status="resolved"), reply="Hello", then="resolved")

    done = bulk.run(company.grace, [conversation.pk, filled.pk], asked, client_id=uuid4(), at=at)

    outcomes = {item.number: (item.outcome, item.why) for item in done.items.all()}
    assert outcomes == {conversation.pk: ("skipped", SAYS), filled.pk: ("done", "")}
    assert [message.conversation_id for message in Message.objects.filter(kind="outbound")] == [filled.pk]


def test_a_macro_does_nothing_or_fills_it_in_first(company: Company, conversation: Conversation, at: datetime) -> None:
    answer = [{"do": "reply", "value": "Done."}, {"do": "set_status", "value": "resolved"}]
    fill = {"do": "set_custom", "value": {"cause": "A cable"}}
    half, whole = (
        Macro.objects.create(name=name, owner=company.grace, actions=actions, updated_at=at)
        for name, actions in (("half", answer), ("whole", [*answer, fill]))
    )

    with pytest.raises(ValueError, match=SAYS):
        macros.apply(half, conversation.pk, company.grace, at=at)
    assert not Message.objects.filter(kind="outbound").exists()
    macros.apply(whole, conversation.pk, company.grace, at=at)
    assert (_now(conversation).status, _now(conversation).custom) == ("resolved", {"cause": "A cable"})


def _rule(at: datetime, **fields: Any) -> Rule:
    return rules.save_rule(Rule(), {"name": "R", "actions": [{"do": "close"}], **fields}, at=at)


def test_a_rule_is_refused_and_says_so(company: Company, conversation: Conversation, at: datetime) -> None:
    _rule(at, event="conversation.opened")
    rules.run_rules(Event.objects.get(conversation=conversation, kind="conversation.opened"), at)

    run = RuleRun.objects.get()
    assert (run.state, run.done, _now(conversation).status) == ("failed", [{"why": SAYS}], "new")


def test_a_silence_ends_it_all_the_same(company: Company, conversation: Conversation, at: datetime) -> None:
    _rule(at, event="conversation.idle", idle_hours=1)
    later = at + timedelta(hours=2)
    assert idle.find_idle(later) == 1
    rules.run_rules(Event.objects.get(conversation=conversation, kind="conversation.idle"), later)

    assert RuleRun.objects.get().state == "done" and _now(conversation).status == "closed"


def test_spam_and_merges_need_no_fields(company: Company, conversation: Conversation, at: datetime) -> None:
    other = write(company.carol, at)
    conversations.change(other.pk, Changes(is_spam=True), actor=Actor.agent(company.grace), at=at)
    merging.merge(conversation.pk, other.pk, company.grace, at=at)
    assert (_now(other).status, _now(conversation).status) == ("closed", "closed")


def test_what_is_taken_back_is_as_it_was(company: Company, conversation: Conversation, at: datetime) -> None:
    conversations.change(conversation.pk, Changes(status="resolved"), actor=SYSTEM, at=at, may_lack_fields=True)
    seq = _now(conversation).last_seq
    conversations.change(conversation.pk, Changes(status="open"), actor=Actor.agent(company.grace), at=at)
    undoing.undo(conversation.pk, company.grace, after=seq, until=_now(conversation).last_seq, at=at)
    assert _now(conversation).status == "resolved"

    again = bulk.run(company.grace, [conversation.pk], bulk.Asked(Changes(status="open")), client_id=uuid4(), at=at)
    bulk.undo(again, company.grace, at=at)
    assert _now(conversation).status == "resolved"


def test_an_all_clear_resolves_it(engine: Engine, cause: CustomField) -> None:
    at, sender = datetime.fromisoformat("2026-01-12T09:00+01:00"), "nagios@mon.example"
    for number, (kind, state) in enumerate((("PROBLEM", "CRITICAL"), ("RECOVERY", "OK"))):
        text = f"***** Nagios *****\n\nNotification Type: {kind}\n\nService: HTTP\nHost: web1\nState: {state}\n"
        subject, to = f"** {kind} Service Alert: web1/HTTP is {state} **", "hosting@demo.example"
        mail = raw_mail(sender=sender, to=to, subject=subject, text=text, message_id=f"<a{number}@mon>")
        engine.receive(mail, at=at + timedelta(minutes=number), sender=sender, to=to)

    assert Conversation.objects.get().status == "resolved"
