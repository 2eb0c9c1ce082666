"""Where incidents meet conversations outside the desk: what the chat widget says of them before anybody writes."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from helpdesk.conversations import incidents
from status import affecting, concerning, linking
from status.models import Incident, IncidentConversation

MOST: Final = 3


@never_cache
@require_GET
def for_visitor(request: HttpRequest) -> HttpResponse:
    """What concerns whoever has the widget open; of somebody whom the page has signed for also what is private.

    Answers {"incidents": [{"name", "says", "url", "follow"}]}; a POST to `follow` asks to be told of the end.
    """
    visitor = incidents.visitor_of(request)
    found = _concerning(visitor)[:MOST]
    followed = _followed(visitor, [one.id for one in found])
    with translation.override(visitor.language if visitor and visitor.language else translation.get_language()):
        shown = [_shown(one, visitor is not None and one.id not in followed) for one in found]
    return JsonResponse({"incidents": shown})


def _concerning(visitor: incidents.Visitor | None) -> list[affecting.Trouble]:
    if visitor is None or visitor.customer is None or not visitor.is_verified:
        return affecting.public()
    return affecting.of_customer(visitor.customer)


def _followed(visitor: incidents.Visitor | None, found: list[int]) -> set[int]:
    if visitor is None or visitor.customer is None or not found:
        return set()
    links = IncidentConversation.objects.filter(incident__in=found, conversation__customer=visitor.customer)
    return set(links.values_list("incident_id", flat=True))


def _shown(trouble: affecting.Trouble, may_follow: bool) -> dict[str, Any]:
    told = concerning.as_told(trouble, is_own=True)
    return {
        "name": told.name,
        "says": " · ".join(part for part in (told.what, told.status, told.says) if part),
        "url": told.url,
        "follow": reverse("status:follow", args=[trouble.public_id]) if may_follow else None,
    }


@csrf_exempt
@never_cache
@require_POST
def follow(request: HttpRequest, public_id: str) -> HttpResponse:
    """Whoever has the widget open wants to be told in a conversation when this is over. Nothing but the session's token
    says who it is.
    """
    visitor = incidents.visitor_of(request)
    incident = get_object_or_404(Incident, public_id=public_id, resolved_at=None)
    if incident.pk not in {one.id for one in _concerning(visitor)}:
        return JsonResponse({"code": "incident", "detail": "There is no such incident."}, status=404)
    at = now()
    language = visitor.language if visitor and visitor.language else translation.get_language()
    with translation.override(language):
        words = _("Please tell me when “%(incident)s” is over.") % {"incident": incident.name}
    try:
        conversation_id = incidents.ask(request, public_id, words, at=at)
    except incidents.CannotAsk as refused:
        return JsonResponse(dict(refused.body), status=refused.status)
    linking.link(incident, [conversation_id], how=IncidentConversation.How.ASKED, at=at)
    return HttpResponse(status=204)
