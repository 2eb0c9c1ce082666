"""Macros on a conversation: found by typing, seen before they are applied, taken back afterwards."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.conversations.answers import Overtaken
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.permissions import SAFE
from helpdesk.numbers import whole_number
from tickets.desk import kept, live_chats, macro_previews, macros, steps
from tickets.desk.models import Macro
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view
from tickets.views.returning import to_conversation


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def apply(request: AgentRequest, pk: int) -> HttpResponse:
    """All there are, with what each would do here; `macro`, an id, is chosen beforehand. Sent with it and with `seen`,
    the newest message that was there, that one is applied.
    """
    found = get_object_or_404(visible_conversations(request.user).select_related("customer", "organization"), pk=pk)
    if request.method in SAFE:
        return _show(request, found, chosen=whole_number(request.GET.get("macro", "")))
    macro = get_object_or_404(kept.seen_by(request.user, Macro), pk=whole_number(request.POST.get("macro", "")))
    seen, at, before = whole_number(request.POST.get("seen", "")), now(), found.last_seq
    # Who sits in a live chat is not kept waiting.
    live = live_chats.is_live(found, request.user, at)
    holds = timedelta(seconds=0 if live else settings.UNDO_SEND_SECONDS)
    try:
        macros.apply(macro, pk, request.user, at=at, holds=holds, seen=seen)
    except Overtaken:
        return _show(request, found, chosen=macro.pk, status=409)
    except steps.CannotDo as error:
        messages.error(request, _("“%(macro)s” did nothing: %(why)s.") % {"macro": macro.name, "why": error})
        return to_conversation(request, pk)
    return to_conversation(request, pk, query="" if live else _way_back(request, pk, before, at))


def _way_back(request: AgentRequest, pk: int, before: int, at: datetime) -> str:
    """How all of it is taken back: with its reply, which has not left yet; without one by the events."""
    sent = Message.objects.filter(conversation=pk, agent=request.user, kind=Message.Kind.OUTBOUND, at=at).last()
    if sent is not None and settings.UNDO_SEND_SECONDS:
        return f"sent={sent.pk}"
    after = Conversation.objects.filter(pk=pk).values_list("last_seq", flat=True).get()
    return f"undo={before}-{after}" if after > before else ""


def _show(request: AgentRequest, found: Conversation, *, chosen: int = 0, status: int = 200) -> HttpResponse:
    previews = macro_previews.of(macros.offered(request.user), found, request.user)
    last = Message.objects.filter(conversation=found).order_by("-pk").values_list("pk", flat=True).first()
    return page(
        request,
        "macros.jinja",
        status=status,
        conversation=found,
        previews=previews,
        chosen=chosen if any(one.macro.pk == chosen for one in previews) else previews[0].macro.pk if previews else 0,
        is_overtaken=status == 409,
        seen=last or 0,
    )
