"""One request in two conversations: merge them, or say that one continues the other."""

from datetime import datetime

from django.db import transaction

from helpdesk.conversations import handling
from helpdesk.conversations.answers import note
from helpdesk.conversations.incoming import MAX_FOLLOWERS, lock
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.sla import clocks
from helpdesk.sla.models import Target

MAX_QUOTED = 20_000


class CannotMerge(ValueError):
    """These two cannot become one; the text says why."""


class CannotLink(ValueError):
    """A conversation cannot continue itself, however many steps back."""


@transaction.atomic
def merge(conversation_id: int, into_id: int, user: User, *, at: datetime) -> Conversation:
    """Close the conversation into another one, where later answers to it arrive; the one it was merged into.

    Its messages stay where they were said. Who wrote follows the other conversation, its tags and services are named
    there, a note quotes the last thing said, and a promise that was open here is held there. Raises CannotMerge.
    """
    if conversation_id == into_id:
        raise CannotMerge("a conversation cannot be merged into itself")
    # In the order of their ids, as everywhere, so that two merges cannot wait for each other.
    held = {pk: lock(pk) for pk in sorted((conversation_id, into_id))}
    source, target = held[conversation_id], held[into_id]
    if source.merged_into_id is not None:
        raise CannotMerge(f"it was merged into #{source.merged_into_id} already")
    if target.merged_into_id is not None:
        raise CannotMerge(f"#{target.number} was merged into #{target.merged_into_id}: merge into that one")
    actor = Actor.agent(user)
    _hand_over_promises(source, target, at)
    _hand_over_people(source, target)
    handling.tag(target, _tags(source) | _tags(target), actor=actor, at=at)
    handling.name_services(target, {*source.services.all(), *target.services.all()}, actor=actor, at=at)
    handling.change_status(source, Status.CLOSED, actor=actor, at=at, may_lack_fields=True)
    source.merged_into = target
    source.save(update_fields=["merged_into"])
    record(Fact("conversation.merged", source.pk, actor, data={"into": target.pk}), at=at)
    note(target.pk, user, _summary(source), at=at)
    target.refresh_from_db()
    return target


@transaction.atomic
def link(conversation_id: int, previous_id: int | None, user: User, *, at: datetime) -> Conversation:
    """Say which conversation this one continues, or that it continues none. Raises CannotLink."""
    # Both, in the order of their ids: two agents who link them to each other at once must not make a ring of them.
    ends = {conversation_id} if previous_id is None else {conversation_id, previous_id}
    conversation = {pk: lock(pk) for pk in sorted(ends)}[conversation_id]
    seen = {conversation.pk}
    step = previous_id
    while step is not None:
        if step in seen:
            raise CannotLink("a conversation cannot continue itself")
        seen.add(step)
        step = Conversation.objects.values_list("previous_id", flat=True).get(pk=step)
    before = conversation.previous_id
    if before != previous_id:
        conversation.previous_id, conversation.updated_at = previous_id, at
        conversation.save(update_fields=["previous", "updated_at"])
        data = {"was": before, "previous": previous_id}
        record(Fact("conversation.linked", conversation.pk, Actor.agent(user), data=data), at=at)
    return conversation


def _hand_over_promises(source: Conversation, target: Conversation, at: datetime) -> None:
    """A promise open only in the source goes on in the target, with the deadline it had."""
    if target.status not in DONE:
        held = set(clocks.open_clocks(target.pk, Target.values).values_list("target", flat=True))
        if target.assignee_id is not None:
            held.add(Target.DISPATCH)
        for clock in clocks.open_clocks(source.pk, Target.values).exclude(target__in=held):
            clock.pk, clock.conversation_id = None, target.pk
            clock.save(force_insert=True)
    clocks.cancel(source.pk, Target.values, at=at)


def _hand_over_people(source: Conversation, target: Conversation) -> None:
    wanted = [source.customer, *source.followers.all()]
    others = [customer for customer in wanted if customer.pk != target.customer_id]
    target.followers.add(*others[: max(MAX_FOLLOWERS - target.followers.count(), 0)])


def _tags(conversation: Conversation) -> set[str]:
    return set(conversation.tags.values_list("name", flat=True))


def _summary(source: Conversation) -> str:
    said = source.messages.exclude(kind=Message.Kind.NOTE).order_by("-pk").values_list("text", flat=True).first()
    return f"#{source.number} {source.subject} was merged into this one. It said last:\n\n{(said or '')[:MAX_QUOTED]}"
