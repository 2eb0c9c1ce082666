"""The public pages as Django answers them: made anew for each request. In front of it lies `status.cached`, which keeps
them; behind another server, or in a test, this is what there is.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from status import answers, serving, snapshot


@require_safe
@xframe_options_exempt
def public(request: HttpRequest, path: str = "") -> HttpResponse:
    """Whatever is at this address of the status page."""
    asked = answers.parse(path)
    if asked is None:
        raise Http404("there is no such page")
    shown = snapshot.take(now())
    language = asked.language or serving.language_of(request.headers.get("Accept-Language", ""), shown.language)
    made = answers.make(asked, language, shown)
    if made is None:
        raise Http404("there is no such incident or month")
    response = HttpResponse(made.body)
    for name, value in serving.headers(asked, made, language).items():
        response[name] = value
    return response


def incident(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page of one incident."""
    return public(request, f"incidents/{public_id}/")
