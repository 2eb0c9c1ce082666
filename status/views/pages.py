"""The public pages as Django answers them: made anew for each request. In front of it lies `status.cached`, which keeps
them; behind another server, or in a test, this is what there is.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from helpdesk.customers.sessions import signed_in
from status import answers, serving, snapshot
from status.views import mine


@require_safe
@xframe_options_exempt
def public(request: HttpRequest, path: str = "") -> HttpResponse:
    """Whatever is at this address of the status page."""
    asked = answers.parse(path)
    if asked is None:
        raise Http404("there is no such page")
    if asked.is_personal and (customer := signed_in(request)):
        preferred = serving.language_of(request.headers.get("Accept-Language", ""), customer.language or "en")
        return mine.own_page(request, customer, asked, asked.language or preferred)
    shown = snapshot.take(now(), answers.part_of(asked))
    language = asked.language or serving.language_of(request.headers.get("Accept-Language", ""), shown.language)
    made = answers.make(asked, language, shown)
    if made is None:
        return mine.unknown(request, asked, language, shown)
    response = HttpResponse(made.body)
    for name, value in serving.headers(asked, made, language).items():
        response[name] = value
    return response


def incident(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page of one incident."""
    return public(request, f"incidents/{public_id}/")
