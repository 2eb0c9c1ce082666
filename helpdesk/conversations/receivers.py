"""What follows from a conversation's events: messages leave, and the engineer on call is told."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from helpdesk.conversations import answers, promises
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers.models import Plan
from helpdesk.events.handlers import outside
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
    """Let an outbound message leave through its channel."""
    answers.deliver(event.data["message"], at=at)


def page_outside_hours(event: Event, at: datetime) -> None:
    """A request that came in while the office was closed goes to the engineer on call at once.

    It rings for Enterprise or urgent ones; the others wake nobody and open the morning's list.
    """
    if event.data.get("automatic") or not promises.is_outside_office_hours(event.at):
        return
    conversation = _conversation(event)
    if conversation.status in DONE or _answered_since(conversation, event):
        return
    plan = conversation.organization.plan if conversation.organization else Plan.objects.filter(is_default=True).first()
    rings = promises.wakes_on_call(conversation, plan)
    paging.trigger(
        paging.conversation_key(conversation.pk),
        paging.Reason("after_hours", f"{_who(conversation)} asks outside office hours", event.at),
        urgency=Urgency.HIGH if rings else Urgency.LOW,
        summary=_summary(conversation),
        at=at,
        conversation_id=conversation.pk,
        policy=conversation.team.escalation_policy if conversation.team else None,
    )


def page_breach(event: Event, at: datetime) -> None:
    """A promise broke. Looked at again now: a ticket taken or answered meanwhile calls nobody."""
    clock = Clock.objects.get(pk=event.data["clock"])
    if clock.met_at is not None or clock.cancelled_at is not None or clock.target not in _PAGED_BREACHES:
        return
    conversation = _conversation(event)
    since = parse_datetime(event.data["due_at"])
    assert since is not None, "the sweep wrote it"
    paging.trigger(
        paging.conversation_key(conversation.pk),
        paging.Reason(clock.target, _BREACHES[Target(clock.target)], since),
        urgency=Urgency.HIGH,
        summary=_summary(conversation),
        at=at,
        conversation_id=conversation.pk,
        policy=conversation.team.escalation_policy if conversation.team else None,
    )


def resolve_page(event: Event, at: datetime) -> None:
    """Somebody has taken, answered or finished it."""
    if event.data.get("automatic") or event.conversation_id is None:
        return
    paging.resolve_open(paging.conversation_key(event.conversation_id), at=at, user=event.actor, why=event.kind)


def _conversation(event: Event) -> Conversation:
    related = ("customer", "organization__plan", "team__escalation_policy")
    return Conversation.objects.select_related(*related).get(pk=event.conversation_id)


def _answered_since(conversation: Conversation, event: Event) -> bool:
    """Whether a person took or answered it between the event and its handling."""
    return conversation.events.filter(
        kind__in=("conversation.assigned", "message.written"), actor_kind=Event.Actor.AGENT, seq__gt=event.seq or 0
    ).exists()


def _who(conversation: Conversation) -> str:
    organization = conversation.organization
    return f"{conversation.customer} ({organization.name})" if organization else str(conversation.customer)


def _summary(conversation: Conversation) -> str:
    return f"#{conversation.number} {conversation.subject or conversation.preview[:80]} — {_who(conversation)}"
