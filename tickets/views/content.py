"""What messages hold, for agents who may see them: HTML in a sandbox, all of the text, files."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from helpdesk.conversations import handing_out
from helpdesk.conversations.models import Attachment, Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.web_links import linked
from tickets.views.access import AgentRequest, agent_view

MOST_SHOWN = 1_000_000


@require_GET
@agent_view
@xframe_options_sameorigin
def html(request: AgentRequest, pk: int) -> HttpResponse:
    """A message's sanitised HTML; remote pictures stay unloaded until `?images=1`."""
    message = get_object_or_404(_messages(request).exclude(html="").only("pk", "html"), pk=pk)
    return handing_out.html(request, message, with_images=request.GET.get("images") == "1")


@require_GET
@agent_view
def full_text(request: AgentRequest, pk: int) -> HttpResponse:
    """All of a message's text, quotes and signature included; for htmx as much of it as a page can hold."""
    message = get_object_or_404(_messages(request).only("full_text", "text"), pk=pk)
    if request.headers.get("HX-Request"):
        text = message.full_text or message.text
        return HttpResponse(linked(text[:MOST_SHOWN]) + ("…" if len(text) > MOST_SHOWN else ""))
    return handing_out.plain(message.full_text or message.text, f"message-{pk}.txt")


@require_GET
@agent_view
def attachment(request: AgentRequest, pk: int) -> HttpResponse:
    """A file as a download. `?show=1` shows harmless pictures and plays sounds; nothing else ever."""
    found = get_object_or_404(Attachment, pk=pk, message__in=_messages(request))
    return handing_out.file(found, shown=request.GET.get("show") == "1", wanted=request.headers.get("Range", ""))


def _messages(request: AgentRequest) -> QuerySet[Message]:
    return Message.objects.filter(conversation__in=visible_conversations(request.user))
