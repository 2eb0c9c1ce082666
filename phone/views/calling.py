"""The button beside a conversation: call the customer back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.pages import AgentRequest, agent_view
from phone import calling


@require_POST
@agent_view
def call_back(request: AgentRequest, pk: int) -> HttpResponse:
    """Ring the agent's own phone, and join the customer on a key."""
    conversation = get_object_or_404(visible_conversations(request.user).select_related("customer"), pk=pk)
    try:
        calling.ask(conversation, request.user, at=now())
    except calling.NoOwnPhone as error:
        messages.error(request, str(error.words))
        return redirect("phone:reach")
    except calling.CannotCall as error:
        messages.error(request, str(error.words))
    else:
        messages.success(request, _("Your phone rings in a moment. Press 1 there to be joined."))
    return redirect("tickets:conversation", pk)
