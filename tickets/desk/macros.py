"""Macros: several changes and perhaps a reply or a note in one step, as the agent who applies them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from helpdesk.conversations import visibility
from helpdesk.conversations.answers import Overtaken
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import User
from tickets.desk import kept, steps
from tickets.desk.models import Macro

MOST = 100


def offered(user: User) -> QuerySet[Macro]:
    """The agent's own, their teams' and everybody's, the most used first, at most MOST."""
    return kept.seen_by(user, Macro).order_by("-uses", "name", "pk")[:MOST]


def apply(
    macro: Macro,
    conversation_id: int,
    user: User,
    *,
    at: datetime,
    holds: timedelta = timedelta(0),
    seen: int | None = None,
) -> list[dict[str, Any]]:
    """Do what the macro says, all or nothing; what was done. A reply leaves after `holds` and can be taken back until
    then (`undoing.take_back`), with all the rest of it. `seen` is the newest message the agent knew of: a macro that
    writes raises Overtaken where something was said since, which a form sent twice is as well.

    Raises Conversation.DoesNotExist for what this agent may not see, NotYours for another's macro, CannotDo.
    """
    kept.must_see(user, macro)
    with transaction.atomic():
        if not visibility.may_see(user, conversation_id):
            raise Conversation.DoesNotExist(f"there is no conversation {conversation_id}")
        if seen is not None:
            _check_overtaken(macro, conversation_id, user, seen)
        done = steps.do(conversation_id, macro.actions, steps.Doer(user, holds=holds), at=at)
        Macro.objects.filter(pk=macro.pk).update(uses=F("uses") + 1)
    return done


def _check_overtaken(macro: Macro, conversation_id: int, user: User, seen: int) -> None:
    written = {step["do"] for step in macro.actions} & {"reply", "note"}
    if not written:
        return
    lock(conversation_id)
    counts = Q(agent=user) | (~Q(kind=Message.Kind.NOTE) if "reply" in written else Q(pk=None))
    said = Message.objects.filter(counts, conversation=conversation_id, pk__gt=seen, is_automatic=False)
    later = list(said.order_by("pk").values_list("pk", flat=True)[:MOST])
    if later:
        raise Overtaken(later)


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a macro, its actions checked. Raises BadStep."""
    values = dict(fields)
    if "actions" in values:
        values["actions"] = steps.cleaned(values["actions"], for_rule=False)
    return values
