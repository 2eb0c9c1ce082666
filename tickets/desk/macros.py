"""Macros: several changes and perhaps a reply or a note in one step, as the agent who applies them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from helpdesk.conversations import visibility
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tickets.desk import kept, steps
from tickets.desk.models import Macro


def apply(macro: Macro, conversation_id: int, user: User, *, at: datetime) -> list[dict[str, Any]]:
    """Do what the macro says, all or nothing; what was done.

    Raises Conversation.DoesNotExist for what this agent may not see, NotYours for another's macro, CannotDo.
    """
    kept.must_see(user, macro)
    with transaction.atomic():
        if not visibility.may_see(user, conversation_id):
            raise Conversation.DoesNotExist(f"there is no conversation {conversation_id}")
        done = steps.do(conversation_id, macro.actions, steps.Doer(user), at=at)
        Macro.objects.filter(pk=macro.pk).update(uses=F("uses") + 1)
    return done


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a macro, its actions checked. Raises BadStep."""
    values = dict(fields)
    if "actions" in values:
        values["actions"] = steps.cleaned(values["actions"], for_rule=False)
    return values
