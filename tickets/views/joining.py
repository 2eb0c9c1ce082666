"""Conversations that belong together or apart: merging, splitting, links."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.conversations import linking, merging, search, splitting
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.permissions import SAFE
from helpdesk.numbers import whole_number
from tickets.desk import facts, thread
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view, visible
from tickets.views.returning import to_conversation

MOST_FOUND = 15


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def merge(request: AgentRequest, pk: int) -> HttpResponse:
    """Find the one it goes into by number or words (`q`), see both (`into`), merge."""
    here = visible(request, pk)
    given = request.GET if request.method in SAFE else request.POST
    into = _one(request, given.get("into", ""))
    if request.method in SAFE:
        words = given.get("q", "")[:200]
        found = _found(request, here, words)
        return page(request, "merge.jinja", leaving=here, into=into, q=words, found=found)
    if into is None:
        raise Http404
    try:
        merging.merge(pk, into.pk, request.user, at=now())
    except merging.CannotMerge as error:
        messages.error(request, str(error))
        return to_conversation(request, pk)
    messages.success(request, _("#%(number)s was merged into this one.") % {"number": pk})
    return to_conversation(request, into.pk)


def _found(request: AgentRequest, here: Conversation, typed: str) -> QuerySet[Conversation]:
    """What was searched for; without words the customer's other conversations, the latest first."""
    others = visible_conversations(request.user).select_related("customer").exclude(pk=here.pk).filter(merged_into=None)
    if typed.strip():
        try:
            return others.filter(pk__in=search.numbers(typed, request.user)).order_by("-pk")[:MOST_FOUND]
        except search.TooCommon:
            messages.warning(request, _("Too many have these words: say more."))
            return others.none()
    return others.filter(customer=here.customer_id).order_by("-updated_at")[:MOST_FOUND]


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def split(request: AgentRequest, pk: int) -> HttpResponse:
    """Choose messages that become a conversation of their own."""
    visible(request, pk)
    if request.method in SAFE:
        found = facts.find(pk, request.user)
        if found is None:
            raise Http404
        shown = thread.read(pk, facts.choices(found).names, before=whole_number(request.GET.get("before", "")))
        return page(request, "split.jinja", conversation=found, thread=shown)
    chosen = [whole_number(number) for number in request.POST.getlist("messages")]
    try:
        new = splitting.split(pk, chosen, request.user, at=now(), subject=request.POST.get("subject", "")[:500])
    except splitting.CannotSplit as error:
        messages.error(request, str(error))
        return to_conversation(request, pk)
    messages.success(request, _("These messages are a conversation of their own now."))
    return to_conversation(request, new.pk)


@require_POST
@agent_view
def link(request: AgentRequest, pk: int) -> HttpResponse:
    """`relation`: related, parent or child; `other`: a number; `remove` to take the link back."""
    visible(request, pk)
    relation, other = request.POST.get("relation", ""), _one(request, request.POST.get("other", ""))
    if relation not in linking.RELATIONS or other is None:
        messages.error(request, _("There is no such conversation."))
    elif "remove" in request.POST:
        linking.unrelate(pk, relation, other.pk, request.user, at=now())
    else:
        try:
            linking.relate(pk, relation, other.pk, request.user, at=now())
        except linking.CannotLink as error:
            messages.error(request, str(error))
    return to_conversation(request, pk, part="links")


def _one(request: AgentRequest, typed: str) -> Conversation | None:
    """A conversation this agent may see, by its number."""
    number = whole_number(typed.strip().lstrip("#"))
    return visible_conversations(request.user).select_related("customer").filter(pk=number).first() if number else None
