"""What the knowledge base is good for, and what is missing in it."""

from datetime import timedelta
from typing import Final

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from helpdesk.desk.pages import AgentRequest, agent_view, page
from knowledge import addresses, reading, searched, suggesting
from knowledge.models import Article, Visibility

DAYS: Final = 90
MOST: Final = 20


@require_safe
@agent_view
def report(request: AgentRequest) -> HttpResponse:
    """Searches that found nothing, what suggestions came to, what helps, what does not, what is not translated."""
    at, language = now(), request.LANGUAGE_CODE
    public = Article.objects.filter(visibility=Visibility.PUBLIC)
    unhelpful = list(public.filter(unhelpful__gt=0).order_by("-unhelpful", "pk")[:MOST])
    titles = {one.id: one for one in reading.listed(unhelpful, language)}
    everything = public.count()
    missing = [(code, everything - public.filter(translations__language=code).count()) for code in addresses.CODES]
    return page(
        request,
        "kb_report.jinja",
        days=DAYS,
        missed=searched.in_vain(since=(at - timedelta(days=DAYS)).date()),
        deflected=suggesting.deflected(at - timedelta(days=DAYS), language=language),
        unhelpful=[(row, titles[row.pk]) for row in unhelpful if row.pk in titles],
        missing=missing,
        names=dict(addresses.NAMES),
    )
