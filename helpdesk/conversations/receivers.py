"""What follows from a conversation's events: messages leave, and the engineer on call is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Max
from django.utils.dateparse import parse_datetime

from helpdesk.conversations import answers, promises
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers.lookup import default_plan
from helpdesk.events.handlers import outside, together
from helpdesk.events.models import Event
from helpdesk.oncall import paging
from helpdesk.oncall.models import Urgency
from helpdesk.sla.models import Clock, Target

_BREACHES = {
    Target.DISPATCH: "Nobody has taken it in time",
    Target.FIRST_RESPONSE: "The promised first response is overdue",
    Target.NEXT_RESPONSE: "The promised answer is overdue",
    Target.RESOLUTION: "The promised resolution is overdue",
}
# An overdue answer to a later message or an overdue resolution is the assignee's matter, not a night's call.
_PAGED_BREACHES = (Target.DISPATCH, Target.FIRST_RESPONSE)


@outside
def deliver(event: Event, at: datetime) -> None:
    """Let an outbound message leave through its channel; one that was taken back is gone."""
    try:
        answers.deliver(event.data["message"], at=at)
    except Message.DoesNotExist:
        if not Event.objects.filter(
            conversation=event.conversation_id, kind="message.taken_back", data__message=event.data["message"]
        ).exists():
            raise


@together
def page_outside_hours(events: Sequence[Event], at: datetime) -> None:
    """A request that came in while the office was closed goes to the engineer on call at once.

    It rings for Enterprise or urgent ones; the others wake nobody: they open the list when the office opens again.
    """
    asked = [e for e in events if not e.data.get("automatic") and promises.is_outside_office_hours(e.at)]
    conversations, answered = _conversations(asked), _last_answers(asked)
    alarms = []
    for event in asked:
        conversation = conversations[event.conversation_id]
        is_answered = answered.get(conversation.pk, 0) > (event.seq or 0)
        # What is put on hold waits for a time that was agreed, such as a booked chat's.
        if conversation.status not in (*DONE, Status.ON_HOLD) and not is_answered:
            alarms.append(_asks_outside_hours(conversation, event))
    paging.trigger_all(alarms, at=at)


def _asks_outside_hours(conversation: Conversation, event: Event) -> paging.Alarm:
    plan = conversation.organization.plan if conversation.organization else default_plan()
    rings = promises.wakes_on_call(conversation, plan)
    text = f"{_who(conversation)} asks outside office hours"
    reason = paging.Reason("after_hours", text, event.at, not_before=promises.office_opens_at(event.at))
    return _alarm(conversation, reason, Urgency.HIGH if rings else Urgency.LOW)


@together
def page_breach(events: Sequence[Event], at: datetime) -> None:
    """A promise broke. Looked at again now: a ticket that was taken or answered meanwhile, or waits for the customer,
    calls nobody.
    """
    broken = Clock.objects.filter(met_at=None, cancelled_at=None, paused_at=None, target__in=_PAGED_BREACHES).in_bulk(
        [event.data["clock"] for event in events]
    )
    still = [event for event in events if event.data["clock"] in broken]
    conversations = _conversations(still)
    alarms = []
    for event in still:
        since = parse_datetime(event.data["due_at"])
        assert since is not None, "the sweep wrote it"
        target = Target(broken[event.data["clock"]].target)
        reason = paging.Reason(target, _BREACHES[target], since)
        alarms.append(_alarm(conversations[event.conversation_id], reason, Urgency.HIGH))
    paging.trigger_all(alarms, at=at)


def _alarm(conversation: Conversation, reason: paging.Reason, urgency: str) -> paging.Alarm:
    return paging.Alarm(
        dedup_key=paging.conversation_key(conversation.pk),
        reason=reason,
        urgency=urgency,
        summary=_summary(conversation),
        conversation_id=conversation.pk,
        policy=conversation.team.escalation_policy if conversation.team else None,
    )


def resolve_page(event: Event, at: datetime) -> None:
    """Somebody has taken, answered or finished it."""
    if event.data.get("automatic") or event.conversation_id is None:
        return
    paging.resolve_open(paging.conversation_key(event.conversation_id), at=at, user=event.actor, why=event.kind)


def _conversations(events: Sequence[Event]) -> Mapping[int | None, Conversation]:
    related = ("customer", "organization__plan", "team__escalation_policy")
    wanted = Conversation.objects.select_related(*related).filter(pk__in={event.conversation_id for event in events})
    return {conversation.pk: conversation for conversation in wanted}


def _last_answers(events: Sequence[Event]) -> dict[int, int]:
    """By conversation, the number of the event in which a person took or answered it last."""
    by_people = Event.objects.filter(
        conversation__in={event.conversation_id for event in events},
        kind__in=("conversation.assigned", "message.written"),
        actor_kind=Event.Actor.AGENT,
    )
    return dict(by_people.values_list("conversation").annotate(last=Max("seq")))


def _who(conversation: Conversation) -> str:
    organization = conversation.organization
    return f"{conversation.customer} ({organization.name})" if organization else str(conversation.customer)


def _summary(conversation: Conversation) -> str:
    return f"#{conversation.number} {conversation.subject or conversation.preview[:80]} — {_who(conversation)}"
