"""Guides in the desk: a tree of questions, written where it is read."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import whole_number
from knowledge import addresses, guides, permissions, reading
from knowledge.models import Article, Guide, Step, Visibility
from knowledge.refusals import Refused

MOST: Final = 200
LONGEST: Final = 500


@require_safe
@agent_view
def overview(request: AgentRequest) -> HttpResponse:
    """All guides."""
    return page(
        request,
        "kb_guides.jinja",
        guides=Guide.objects.all()[:MOST],
        names=addresses.NAMES,
        may_write=permissions.may_write(request.user),
    )


@require_safe
@agent_view
def guide(request: AgentRequest, pk: int) -> HttpResponse:
    """One guide, as a tree."""
    row = get_object_or_404(Guide, pk=pk)
    below: dict[int | None, list[Step]] = {}
    for step in row.steps.all()[: guides.MOST_STEPS]:
        below.setdefault(step.parent_id, []).append(step)
    known = Article.objects.exclude(visibility=Visibility.DRAFT).order_by("pk")[:MOST]
    return page(
        request,
        "kb_guide.jinja",
        guide=row,
        below=below,
        first=below[None][0],
        articles=reading.listed(known, request.LANGUAGE_CODE),
        names=addresses.NAMES,
        public_url=addresses.guide(row, request.LANGUAGE_CODE) if row.visibility == Visibility.PUBLIC else "",
        may_write=permissions.may_write(request.user),
    )


@require_POST
@agent_view
def save(request: AgentRequest, pk: int = 0) -> HttpResponse:
    """Its title and who sees it; without an id a new one."""
    row = get_object_or_404(Guide, pk=pk) if pk else None
    given: dict[str, Any] = {"titles": _texts(request, "title"), "about": _texts(request, "about")}
    visibility = request.POST.get("visibility", "")
    given["visibility"] = visibility if visibility in Visibility.values else Visibility.DRAFT
    try:
        made = guides.save(row, given, at=now())
    except Refused as error:
        messages.error(request, str(error))
        return redirect("knowledge:kb_guide", pk) if pk else redirect("knowledge:kb_guides")
    return redirect("knowledge:kb_guide", made.pk)


@require_POST
@agent_view
def save_step(request: AgentRequest, pk: int) -> HttpResponse:
    """A step below `parent`, or the one of `step`."""
    row = get_object_or_404(Guide, pk=pk)
    step = get_object_or_404(row.steps, pk=whole_number(request.POST["step"])) if request.POST.get("step") else None
    parent = (
        get_object_or_404(row.steps, pk=whole_number(request.POST["parent"])) if request.POST.get("parent") else None
    )
    kind = request.POST.get("kind", "")
    given: dict[str, Any] = {"answers": _texts(request, "answer"), "texts": _texts(request, "text")}
    if "subject_en" in request.POST:
        given["subjects"] = _texts(request, "subject")
    given["kind"] = kind if kind in Step.Kind.values else Step.Kind.QUESTION
    given["article"] = Article.objects.filter(pk=whole_number(request.POST.get("article", ""))).first()
    try:
        guides.save_step(row, step, parent, given, at=now())
    except Refused as error:
        messages.error(request, str(error))
    return redirect("knowledge:kb_guide", pk)


@require_POST
@agent_view
def move(request: AgentRequest, pk: int) -> HttpResponse:
    """The guide in the list, or its `step` among the answers beside it: `by` is up or down."""
    by = -1 if request.POST.get("by") == "up" else 1
    step = request.POST.get("step", "")
    row = get_object_or_404(Step, guide=pk, pk=whole_number(step)) if step else get_object_or_404(Guide, pk=pk)
    guides.move(row, by, at=now())
    return redirect("knowledge:kb_guide", pk) if step else redirect("knowledge:kb_guides")


@require_POST
@agent_view
def remove_step(request: AgentRequest, pk: int) -> HttpResponse:
    """With everything below it."""
    try:
        guides.remove_step(get_object_or_404(Step, guide=pk, pk=whole_number(request.POST.get("step", ""))), at=now())
    except Refused as error:
        messages.error(request, str(error))
    return redirect("knowledge:kb_guide", pk)


@require_POST
@agent_view
def remove(request: AgentRequest, pk: int) -> HttpResponse:
    guides.remove(get_object_or_404(Guide, pk=pk), at=now())
    messages.success(request, _("Removed."))
    return redirect("knowledge:kb_guides")


def _texts(request: AgentRequest, name: str) -> dict[str, str]:
    found = {code: request.POST.get(f"{name}_{code}", "").strip()[:LONGEST] for code in addresses.CODES}
    return {code: words.replace("\x00", "") for code, words in found.items() if words}
