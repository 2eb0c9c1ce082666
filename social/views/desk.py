"""Beside a conversation on a network: counting, a ticket on somebody's behalf, private answers, posting by hand."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.pages import AgentRequest, agent_view, page, viewers_too
from helpdesk.numbers import whole_number
from social import answering, by_hand, moving, on_behalf, wording
from social.models import Thread, TicketClaim
from social.network import network
from social.views.asked import web_address

LONGEST: Final = 200_000


def thread_of(request: AgentRequest, pk: int) -> Thread:
    """The thread of a conversation that this agent may see. Raises Http404."""
    seen = visible_conversations(request.user)
    found = Thread.objects.select_related("account", "person", "conversation")
    return get_object_or_404(found, pk=pk, conversation__in=seen)


@require_http_methods(["GET", "POST"])
@viewers_too
def count(request: AgentRequest, pk: int) -> HttpResponse:
    """How long `text` is there, what it costs, and what of it would stand in public; JSON for scripts."""
    thread = thread_of(request, pk)
    given = request.POST if request.method == "POST" else request.GET
    # A field's line ends travel as two characters and are one.
    text = given.get("text", "")[:LONGEST].replace("\r\n", "\n")
    way = network(thread.account.network)
    counted = way.count(text, is_public=thread.is_public)
    cost = way.costs("reply" if thread.is_public else "direct", text) if text and not thread.is_manual else None
    kinds = answering.exposed(thread.conversation, text) if thread.is_public else []
    told = {
        "length": counted.length,
        "limit": counted.limit,
        "segments": counted.segments,
        "fits": counted.fits,
        "price": f"{cost.amount / 1_000_000:.3f}".rstrip("0").ljust(4, "0") if cost is not None else "",
        "exposes": [wording.private_kind(kind) for kind in kinds],
    }
    return JsonResponse(told)


@require_POST
@agent_view
def ticket(request: AgentRequest, pk: int) -> HttpResponse:
    """Open a ticket for who wrote in this thread; the one that is there when asked again."""
    thread = thread_of(request, pk)
    opened = on_behalf.open_ticket(thread.pk, request.user, at=now())
    messages.success(
        request, _("Ticket #%(number)s is open. In public say only that there is one.") % {"number": opened.pk}
    )
    return redirect("tickets:conversation", pk)


@require_POST
@agent_view
def claim_link(request: AgentRequest, pk: int) -> HttpResponse:
    """A link that makes a ticket theirs, to be sent in this private thread; an earlier one is good no more."""
    thread = thread_of(request, pk)
    known = TicketClaim.objects.filter(thread__person=thread.person_id, claimed_at=None)
    held = get_object_or_404(known, pk=whole_number(request.POST.get("ticket", "")))
    if thread.is_public:
        messages.error(request, _("A link that anybody can read is nobody's: send it in private."))
        return redirect("tickets:conversation", pk)
    get_object_or_404(visible_conversations(request.user), pk=held.pk)
    try:
        link = on_behalf.link(held.pk, at=now())
    except on_behalf.CannotClaim:
        messages.warning(request, _("It was claimed already."))
        return redirect("tickets:conversation", pk)
    return page(request, "social_link.jinja", pk=pk, ticket=held.pk, link=link, days=on_behalf.LINK_FOR.days)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def private(request: AgentRequest, pk: int) -> HttpResponse:
    """GET asks what to say in private to who commented in public; POST `text` says it."""
    thread = thread_of(request, pk)
    text, error = request.POST.get("text", ""), ""
    if request.method == "POST":
        try:
            moving.reply_in_private(thread.pk, request.user, text[: moving.LONGEST + 1], at=now())
        except conversations.Refused as refused:
            error = refused.words
        else:
            messages.success(request, _("It is on its way. What becomes of it stands in the thread."))
            return redirect("tickets:conversation", pk)
    given = {"thread": thread, "text": text, "error": error, "longest": moving.LONGEST}
    return page(request, "social_private.jinja", status=422 if error else 200, **given)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def posting_by_hand(request: AgentRequest, pk: int) -> HttpResponse:
    """GET: what to copy, and where to write it. POST `url`: it stands there now."""
    seen = visible_conversations(request.user)
    message = get_object_or_404(Message.objects.select_related("conversation"), pk=pk, conversation__in=seen)
    thread = thread_of(request, message.conversation_id)
    error = ""
    if request.method == "POST":
        url = web_address(request.POST.get("url", ""))
        if url is None:
            error = _("Paste the whole address of the post, with https://, or leave it empty.")
        else:
            if by_hand.mark_posted(message.pk, url, request.user, at=now()):
                messages.success(request, _("Marked as posted."))
            else:
                messages.info(request, _("It has left already."))
            return redirect("tickets:conversation", message.conversation_id)
    link = by_hand.deep_link(message, thread)
    given = {
        "message": message,
        "thread": thread,
        # Some apps open by addresses of their own.
        "link": link if link.startswith(("https://", "http://", "tg://")) else "",
        "error": error,
    }
    return page(request, "social_by_hand.jinja", status=422 if error else 200, **given)
