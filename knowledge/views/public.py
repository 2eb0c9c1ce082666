"""The help centre as Django answers it: for whoever is signed in, for searches, and for what readers send. In front of
it lies `knowledge.cached`, which keeps what is the same for everybody.
"""

from typing import Final

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.http.response import FileResponse, HttpResponsePermanentRedirect
from django.utils.http import content_disposition_header
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from helpdesk.conversations.files import path_of
from helpdesk.customers.models import Customer
from helpdesk.customers.permissions import is_agent
from helpdesk.customers.sessions import signed_in
from helpdesk.limits import network_of
from knowledge import addresses, asked, commenting, files, pages, reading, searched, searching, seen, serving
from knowledge.asked import Asked
from knowledge.models import ArticleFile
from knowledge.rendering import render
from knowledge.visibility import readable_articles

HITS: Final = 20
DEEPEST_HIT: Final = 200
_DONE: Final = ("comment", "remark")


def language_of(request: HttpRequest, wanted: str = "") -> str:
    """The language of the address, else the browser's."""
    return wanted or serving.language_of(request.headers.get("Accept-Language", ""))


def network(request: HttpRequest) -> str:
    """Where a request comes from, as far as limits go."""
    return network_of(request.META.get("REMOTE_ADDR", ""))


@require_safe
def public(request: HttpRequest, **_parts: str) -> HttpResponse:
    """Whatever is at this address for this reader."""
    wanted = asked.parse(request.path)
    if wanted is None:
        raise Http404("there is no such page")
    language = language_of(request, wanted.language)
    customer = signed_in(request)
    if wanted.kind == "top" and request.GET.get("q", "").strip():
        return _search(request, wanted, language, customer)
    made = _special(request, wanted, language, customer) or pages.make(wanted, language, customer)
    if made is None:
        raise Http404("there is no such article")
    if isinstance(made, pages.Moved):
        return HttpResponsePermanentRedirect(made.to) if made.is_permanent else HttpResponseRedirect(made.to)
    if made.article_id and request.method == "GET":
        seen.count(made.article_id)
    is_own = customer is not None or bool(request.GET)
    return answer(wanted, made, language, is_own=is_own)


def answer(wanted: Asked, made: pages.Made, language: str, *, is_own: bool, status: int = 200) -> HttpResponse:
    """The page with its headers."""
    response = HttpResponse(made.body, status=status)
    for name, value in serving.headers(wanted, made, language, is_own=is_own).items():
        response[name] = value
    return response


def _special(request: HttpRequest, wanted: Asked, language: str, customer: Customer | None) -> pages.Made | None:
    """An article after something was sent from it."""
    voted, said = request.GET.get("voted", ""), request.GET.get("said", "")
    if wanted.kind != "article" or not (voted in ("0", "1") or said in _DONE):
        return None
    found = reading.find(language, wanted.slug, customer)
    if not isinstance(found, reading.Whole):
        return None
    more = {"voted": voted == "1" if voted in ("0", "1") else None, "said": said if said in _DONE else None}
    token = commenting.token(found.article, at=now()) if more["voted"] is False else ""
    return pages.article_page(found, language, customer, **more, remark_token=token)


def _search(request: HttpRequest, wanted: Asked, language: str, customer: Customer | None) -> HttpResponse:
    query = request.GET["q"].strip()[: searching.LONGEST_QUERY].replace("\x00", "")
    given = request.GET.get("from", "")
    start = min(int(given), DEEPEST_HIT) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    found = searching.for_reader(query, language, customer, most=HITS, start=start)
    if not start and request.method == "GET":
        searched.note(query, language, found.count, network=network(request), at=now())
    body = render(
        "search.jinja",
        language,
        canonical=addresses.top(language) if found.hits else "",
        query=query,
        found=found,
        start=start,
        size=HITS,
        customer=customer,
    )
    return answer(wanted, pages.Made(pages.HTML, body.encode()), language, is_own=True)


@require_safe
def file(request: HttpRequest, public_id: str, name: str) -> HttpResponseBase:
    """A picture or file, for whoever may read its article; agents see those of drafts. Only pictures that cannot hold a
    script are shown, everything else is downloaded.
    """
    found = ArticleFile.objects.select_related("article").filter(public_id=public_id).first()
    if found is None:
        raise Http404("there is no such file")
    is_open = readable_articles(None).filter(pk=found.article_id).exists()
    if not is_open and not is_agent(request.user) and not _is_readable(found, signed_in(request)):
        raise Http404("there is no such file")
    is_picture = found.content_type in files.PICTURES
    content_type = found.content_type if is_picture else "application/octet-stream"
    response = FileResponse(default_storage.open(path_of(found.sha256)), content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(not is_picture, found.name) or "attachment"
    response["Content-Length"] = str(found.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # The same address always has the same bytes, but not always the same readers.
    response["Cache-Control"] = "public, max-age=3600" if is_open else "private, no-store"
    return response


def _is_readable(found: ArticleFile, customer: Customer | None) -> bool:
    return customer is not None and readable_articles(customer).filter(pk=found.article_id).exists()
