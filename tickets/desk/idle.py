"""Rules that wait: finding the conversations in which nothing has happened for so many hours.

Conversations fall silent in the order of their last change, so each rule keeps the last change it has looked at: a
round reads only what fell silent since, however many conversations there are.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from helpdesk.conversations.models import DONE, Conversation
from helpdesk.events.actions import Fact, record_all
from tickets.desk.models import Rule
from tickets.desk.rules import IDLE

BATCH = 200


def find_idle(at: datetime, limit: int = BATCH) -> int:
    """Record `conversation.idle` for each rule and conversation that fell silent; how many. Two at once do it once."""
    waiting = Rule.objects.filter(event=IDLE, is_active=True).order_by("pk").values_list("pk", flat=True)
    return sum(_look(pk, at, limit) for pk in list(waiting))


@transaction.atomic
def _look(rule_id: int, at: datetime, limit: int) -> int:
    rule = Rule.objects.select_for_update(skip_locked=True).filter(pk=rule_id, event=IDLE, is_active=True).first()
    if rule is None or rule.idle_hours is None or rule.idle_at is None:
        return 0
    until = at - timedelta(hours=rule.idle_hours)
    later = Q(updated_at__gt=rule.idle_at) | Q(updated_at=rule.idle_at, pk__gt=rule.idle_id)
    silent = Conversation.objects.filter(later, updated_at__gte=rule.idle_at, updated_at__lte=until)
    rows = list(silent.order_by("updated_at", "pk").values_list("pk", "updated_at", "status", "merged_into")[:limit])
    wanted = _statuses(rule)
    facts = [
        Fact(IDLE, pk, data={"rule": rule.pk, "hours": rule.idle_hours, "since": changed_at})
        for pk, changed_at, status, merged in rows
        if merged is None and (status in wanted if wanted else status not in DONE)
    ]
    # In the order in which everybody locks conversations: an event takes its number from the conversation's row.
    record_all(sorted(facts, key=lambda fact: fact.conversation_id or 0), at=at)
    if len(rows) == limit:
        mark_at, mark_id = rows[-1][1], rows[-1][0]
    else:
        mark_at, mark_id = max(until, rule.idle_at), 2**63 - 1
    Rule.objects.filter(pk=rule.pk).update(idle_at=mark_at, idle_id=mark_id)
    return len(facts)


def _statuses(rule: Rule) -> set[str]:
    """The statuses a rule asks for: recording events for the others would tell nobody anything."""
    asked = [set(one["value"]) for one in rule.conditions if (one["field"], one["operator"]) == ("status", "is")]
    return set.intersection(*asked) if asked else set()
