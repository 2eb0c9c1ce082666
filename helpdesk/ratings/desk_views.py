"""Ratings in the desk: all of them, the low ones a lead is to look at, and thanks worth reading."""

from typing import Final

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import is_number
from helpdesk.ratings import giving, wording
from helpdesk.ratings.models import Rating
from helpdesk.ratings.permissions import may_lead, visible_ratings

PAGE: Final = 50
LISTS: Final = ("low", "all", "thanks")


@require_safe
@agent_view
def ratings(request: AgentRequest) -> HttpResponse:
    """One of three lists, `show`: newest first, fifty at a time, those before the rating `before`."""
    show = request.GET.get("show", "")
    show = show if show in LISTS else "low"
    rows = chosen(visible_ratings(request.user), show)
    lowest = visible_ratings(request.user).filter(score__lte=giving.LOW, looked_at=None)
    before = request.GET.get("before", "")
    if is_number(before):
        rows = rows.filter(_older_than(int(before)))
    found = list(
        rows.select_related("conversation", "customer", "agent", "team", "looked_by").order_by(
            F("rated_at").desc(), F("conversation").desc()
        )[: PAGE + 1]
    )
    return page(
        request,
        "ratings.jinja",
        show=show,
        found=found[:PAGE],
        more=found[PAGE - 1].pk if len(found) > PAGE else 0,
        waiting=lowest.count(),
        scores=wording.WORDS,
        via=wording.VIA,
        may_lead=may_lead(request.user),
    )


def chosen(rows: QuerySet[Rating], show: str) -> QuerySet[Rating]:
    """Of the three lists. Thanks are the team's: those shown to all of it, and for leads those that could be."""
    rows = rows.filter(score__isnull=False)
    if show == "low":
        return rows.filter(score__lte=giving.LOW, looked_at=None)
    return rows.filter(score=giving.BEST).exclude(comment="") if show == "thanks" else rows


def _older_than(pk: int) -> Q:
    last = Rating.objects.filter(pk=pk, rated_at__isnull=False).values_list("rated_at", flat=True).first()
    return Q(rated_at__lt=last) | Q(rated_at=last, pk__lt=pk) if last else Q(pk__in=[])


@require_POST
@agent_view
def look(request: AgentRequest, conversation_id: int) -> HttpResponse:
    """A lead has looked at it."""
    if not may_lead(request.user):
        return HttpResponseForbidden()
    rating = get_object_or_404(visible_ratings(request.user), pk=conversation_id)
    try:
        giving.look(rating.pk, request.user, at=now())
    except giving.NotLow:
        messages.info(request, _("Meanwhile the customer thinks better of it."))
    return redirect(f"{reverse('ratings:rating_list')}?show=low")


@require_POST
@agent_view
def show(request: AgentRequest, conversation_id: int) -> HttpResponse:
    """Show thanks to the whole team (`shown=1`), or no more."""
    if not may_lead(request.user):
        return HttpResponseForbidden()
    rating = get_object_or_404(visible_ratings(request.user), pk=conversation_id)
    try:
        giving.show(rating.pk, request.POST.get("shown") == "1")
    except giving.NotLow:
        messages.info(request, _("Meanwhile the customer has changed it."))
    return redirect(f"{reverse('ratings:rating_list')}?show=thanks")
