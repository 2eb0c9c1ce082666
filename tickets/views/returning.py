"""Where an agent goes after an action: back to the conversation, with the offer to take it back."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.events.actors import Actor
from tickets.views.access import AgentRequest


def to_conversation(request: AgentRequest, pk: int, *, query: str = "", part: str = "") -> HttpResponse:
    """The conversation's page; the inbox where the agent may no longer see it."""
    if not visible_conversations(request.user).filter(pk=pk).exists():
        messages.info(request, _("#%(number)s is now in a team whose conversations you do not see.") % {"number": pk})
        return redirect("tickets:queue")
    path = reverse("tickets:conversation", args=[pk])
    return redirect(f"{path}{'?' if query else ''}{query}{'#' if part else ''}{part}")


def change_and_return(
    request: AgentRequest, found: Conversation, changes: conversations.Changes, *, at: datetime
) -> HttpResponse:
    """Make the changes and offer to take them back. Raises CannotSleep, NotFilledIn."""
    before = found.last_seq
    conversations.change(found.pk, changes, actor=Actor.agent(request.user), at=at)
    after = Conversation.objects.filter(pk=found.pk).values_list("last_seq", flat=True).get()
    return to_conversation(request, found.pk, query=f"undo={before}-{after}" if after > before else "")
