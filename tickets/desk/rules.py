"""Automation: what agents would do each time, done by itself when an event happens and its conditions hold.

A rule never sees what it caused itself, directly or through others: events caused by rules carry the rules in their
data (`cause`), a chain has at most DEEPEST links, and a conversation at most MOST_AN_HOUR runs an hour. What a rule
did, why it did not, and what went wrong is kept in RuleRun.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, transaction

from helpdesk.conversations.models import Conversation
from helpdesk.events.actions import caused_by
from helpdesk.events.handlers import together
from helpdesk.events.models import Event
from helpdesk.events.safe_text import one_line
from tickets import limits
from tickets.desk import cases, conditions, steps
from tickets.desk.models import Rule, RuleRun

logger = logging.getLogger(__name__)

HANDLER: Final = "tickets.desk.rules.run_rules"
IDLE: Final = "conversation.idle"
# What writes to the customer again because writing failed would never end.
NO_REPLY_ON: Final = ("message.failed",)
# What follows by itself and breaks no silence.
_BY_THEMSELVES: Final = (IDLE, "message.sent", "clock.warned", "clock.breached")
DEEPEST = 5
MOST_AN_HOUR = 20
MOST_RULES = 200
REPLIES_A_DAY = 20
# Old mail (an import, workers that were down for long) sets nothing off.
RUN_WITHIN = timedelta(hours=24)
RUNS_KEPT = timedelta(days=90)


class BadRule(ValueError):
    """A rule that means nothing; `field` says where, the words why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def kinds() -> list[str]:
    """The kinds of events that may set off a rule."""
    return sorted(kind for kind, handlers in settings.EVENT_HANDLERS.items() if HANDLER in handlers)


@transaction.atomic
def save_rule(rule: Rule, fields: Mapping[str, Any], *, at: datetime) -> Rule:
    """Write a rule, new or known; `fields` are columns. Raises BadRule.

    A rule that waits looks only at conversations that fall silent from now on.
    """
    was = (rule.event, rule.idle_hours, rule.is_active) if not rule._state.adding else None
    for name, value in fields.items():
        setattr(rule, name, value)
    checked(rule)
    rule.updated_at = at
    if rule.event != IDLE:
        rule.idle_hours = rule.idle_at = None
    elif was != (rule.event, rule.idle_hours, rule.is_active) or rule.idle_at is None:
        rule.idle_at, rule.idle_id = at - timedelta(hours=rule.idle_hours or 0), 0
    if rule._state.adding and Rule.objects.count() >= MOST_RULES:
        raise BadRule("name", f"there are {MOST_RULES} rules already: remove one first")
    rule.save()
    return rule


def checked(rule: Rule) -> Rule:
    """The rule with conditions and actions in their one form, not saved. Raises BadRule."""
    if rule.event not in kinds():
        raise BadRule("event", f"a rule is set off by one of {', '.join(kinds())}")
    if rule.event == IDLE and not 0 < (rule.idle_hours or 0) <= steps.LONGEST_SNOOZE_HOURS:
        raise BadRule("idle_hours", f"say after how many hours, 1 to {steps.LONGEST_SNOOZE_HOURS}")
    try:
        rule.conditions = conditions.cleaned(rule.conditions)
    except conditions.BadCondition as error:
        raise BadRule("conditions", str(error)) from error
    try:
        rule.actions = steps.cleaned(rule.actions, for_rule=True)
    except steps.BadStep as error:
        raise BadRule("actions", str(error)) from error
    if rule.event in NO_REPLY_ON and any(step["do"] == "reply" for step in rule.actions):
        raise BadRule("actions", "what could not be delivered is not answered with another message")
    return rule


@together
def run_rules(events: Sequence[Event], at: datetime) -> None:
    """Let the rules see these events, each rule each event once."""
    fresh = [event for event in events if event.conversation_id is not None and at - event.at <= RUN_WITHIN]
    by_kind: dict[str, list[Rule]] = defaultdict(list)
    for rule in Rule.objects.filter(event__in={event.kind for event in fresh}, is_active=True):
        by_kind[rule.event].append(rule)
    asked = [event for event in fresh if event.kind in by_kind]
    if not asked:
        return
    seen = set(RuleRun.objects.filter(event__in=asked).values_list("rule_id", "event_id"))
    # In one order of conversations, as everybody locks them.
    for case in sorted(cases.cases_of(asked), key=lambda one: (one.conversation.pk, one.event.pk if one.event else 0)):
        _run_all([rule for rule in by_kind[_event(case).kind] if (rule.pk, _event(case).pk) not in seen], case, at)


def _run_all(waiting: Sequence[Rule], case: conditions.Case, at: datetime) -> None:
    """The rules on one event, one after the other. What one of them changed the next one sees."""
    is_stale = False
    for rule in waiting:
        if rule.event == IDLE and _event(case).data.get("rule") != rule.pk:
            continue
        if is_stale:
            anew = cases.cases_of([_event(case)])
            if not anew:
                return
            case, is_stale = anew[0], False
        is_stale = applies(rule, case, at) and _run(rule, case, at)


def _run(rule: Rule, case: conditions.Case, at: datetime) -> bool:
    """Do what the rule says, or keep why not; whether anything was done."""
    event = _event(case)
    refused = _refused(rule, case, at)
    if refused:
        _keep(rule, event, at, RuleRun.State.SKIPPED, [{"why": refused}])
        return False
    cause = {"rule": rule.pk, "name": rule.name, "rules": [*chain(event), rule.pk]}
    try:
        # A savepoint: what one rule got wrong must not undo what the others did.
        with transaction.atomic(), caused_by(cause):
            doer = steps.Doer(None, after_silence=rule.event == IDLE)
            done = steps.do(case.conversation.pk, rule.actions, doer, at=at)
    except OperationalError:
        raise  # a deadlock or a lost connection: the outbox tries all of it again
    except Exception as error:
        # Whatever it is, it is kept where the rule's owner sees it, and the other rules go on.
        logger.warning("rule %s failed on event %s", rule.pk, event.pk, exc_info=not isinstance(error, ValueError))
        _keep(rule, event, at, RuleRun.State.FAILED, [{"why": one_line(str(error), 300)}])
        return False
    _keep(rule, event, at, RuleRun.State.DONE, done)
    return True


def _event(case: conditions.Case) -> Event:
    assert case.event is not None, "rules run on events"
    return case.event


def applies(rule: Rule, case: conditions.Case, at: datetime) -> bool:
    """Whether the rule is meant for this case: it did not cause it itself, and all conditions hold."""
    if case.event is not None and rule.pk in chain(case.event):
        return False
    if rule.event == IDLE and not _is_silent(rule, case.conversation, at):
        return False
    return conditions.hold(rule.conditions, case)


def _is_silent(rule: Rule, conversation: Conversation, at: datetime) -> bool:
    """Whether nobody did anything meanwhile. A silence that this rule alone has broken goes on: it is told once."""
    if conversation.updated_at > at - timedelta(hours=rule.idle_hours or 0):
        return False
    last = Event.objects.filter(conversation=conversation).exclude(kind__in=_BY_THEMSELVES).order_by("-seq").first()
    return last is None or rule.pk not in chain(last)


def chain(event: Event) -> list[int]:
    """The rules that led to this event, first one first."""
    cause = event.data.get("cause")
    return list(cause.get("rules", ())) if isinstance(cause, dict) else []


def _refused(rule: Rule, case: conditions.Case, at: datetime) -> str:
    """Why this rule may not run now; empty if it may."""
    if len(chain(_event(case))) >= DEEPEST:
        return f"{DEEPEST} rules have set each other off already"
    lately = RuleRun.objects.filter(
        conversation=case.conversation, state=RuleRun.State.DONE, at__gt=at - timedelta(hours=1)
    )
    if lately[:MOST_AN_HOUR].count() >= MOST_AN_HOUR:
        return f"{MOST_AN_HOUR} rules ran on this conversation within an hour"
    if any(step["do"] == "reply" for step in rule.actions):
        return _mute(case, at)
    return ""


def _mute(case: conditions.Case, at: datetime) -> str:
    """Two machines that answer each other end when one of them is silent."""
    if case.is_automatic:
        return "a machine wrote: it is not answered by another one"
    address = case.conversation.customer.email.lower()
    if limits.count(f"ruled:{address}", timedelta(days=1), at) > REPLIES_A_DAY:
        return f"{REPLIES_A_DAY} automatic replies to {address} within a day"
    return ""


def _keep(rule: Rule, event: Event, at: datetime, state: str, done: list[dict[str, Any]]) -> None:
    assert event.conversation_id is not None, "rules run on events of conversations"
    RuleRun.objects.create(rule=rule, event=event, conversation_id=event.conversation_id, at=at, state=state, done=done)


def forget(before: datetime, limit: int = 50_000) -> int:
    """Drop what rules did longer ago, at most `limit` runs at once; the events themselves stay."""
    old = list(RuleRun.objects.filter(at__lt=before).order_by("pk").values_list("pk", flat=True)[:limit])
    deleted, _ = RuleRun.objects.filter(pk__in=old).delete()
    return deleted
