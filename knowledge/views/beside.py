"""Articles beside a conversation on the desk: those that may answer it, one of them to read, put into a reply."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from markupsafe import Markup

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk import offered
from helpdesk.desk.pages import AgentRequest, agent_view, page, viewers_too
from helpdesk.numbers import whole_number
from knowledge import permissions, remarking, suggesting, using
from knowledge.models import Article
from knowledge.voting import TooMany

BEST: Final = 3
CHOICES: Final = {"": None, "link": True, "text": False}


@require_safe
@agent_view
def beside(request: AgentRequest, pk: int) -> HttpResponse:
    """What may answer this conversation: a part of its page, fetched once somebody looks there; else its own page."""
    found = _conversation(request, pk)
    is_part = bool(request.headers.get("HX-Request"))
    suggestions = suggesting.to_agent(found, most=BEST)
    rows = Article.objects.in_bulk([one.id for one in suggestions])
    return page(
        request,
        "_kb_beside.jinja" if is_part else "kb_beside.jinja",
        found=found,
        suggestions=[(one, using.may_be_linked(rows[one.id])) for one in suggestions if one.id in rows],
        may_write=permissions.may_write(request.user),
    )


@require_safe
@agent_view
def reading(request: AgentRequest, pk: int) -> HttpResponse:
    """An article to read; with `conversation` in that customer's language, to be put into a reply there."""
    article = get_object_or_404(Article, pk=pk)
    number = whole_number(request.GET.get("conversation", ""))
    found = _conversation(request, number) if number else None
    language = (found.customer.language if found else "") or request.LANGUAGE_CODE
    shown = using.translation_of(article, language)
    return page(
        request,
        "kb_reading.jinja",
        article=article,
        shown=shown,
        body=Markup(shown.html),
        found=found,
        has_link=using.may_be_linked(article),
        may_write=permissions.may_write(request.user) and using.may_be_inserted(article),
    )


@require_POST
@agent_view
def insert(request: AgentRequest, pk: int) -> HttpResponse:
    """What is put into a reply in `conversation`, `as` link or text: JSON for scripts, else appended to the draft."""
    article = get_object_or_404(Article, pk=pk)
    found = _conversation(request, whole_number(request.POST.get("conversation", "")))
    wanted = request.POST.get("as", "")
    if not permissions.may_write(request.user):
        raise PermissionDenied
    wants_json, trouble = "application/json" in request.headers.get("Accept", ""), ""
    if wanted not in CHOICES or not using.may_be_inserted(article):
        trouble = _("A draft is nobody's answer yet.")
    elif CHOICES[wanted] and not using.may_be_linked(article):
        trouble = _("The customer cannot open this article: put its text into the reply instead.")
    if trouble:
        if wants_json:
            return JsonResponse({"detail": trouble}, status=422)
        messages.error(request, trouble)
        return redirect("tickets:conversation", found.pk)
    made = using.insertion(article, found, as_link=CHOICES[wanted])
    using.note_used(article, made.language, found, request.user, at=now())
    if wants_json:
        return JsonResponse({"text": made.text})
    offered.into_draft(found.pk, request.user, made.text, at=now())
    return redirect("tickets:conversation", found.pk)


@require_POST
@viewers_too
def remark(request: AgentRequest, pk: int) -> HttpResponse:
    """This article needs work: said beside the conversation that showed it."""
    article = get_object_or_404(Article, pk=pk)
    found = _conversation(request, whole_number(request.POST.get("conversation", "")))
    try:
        remarking.remark(article, request.POST.get("text", ""), at=now(), agent=request.user, conversation=found)
        said = _("Noted: this article needs work.")
    except TooMany:
        said = _("Enough is said about it already.")
    if request.headers.get("HX-Request"):
        return page(request, "_kb_noted.jinja", said=said)
    messages.success(request, said)
    return redirect("tickets:conversation", found.pk)


def _conversation(request: AgentRequest, pk: int) -> Conversation:
    return get_object_or_404(visible_conversations(request.user).select_related("customer__organization"), pk=pk)
