"""What readers send from an article: a vote, a comment, a word on what is missing; and suggestions while they type."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.http.response import HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from helpdesk.customers.models import Customer
from helpdesk.customers.sessions import signed_in
from helpdesk.limits import Limit, take
from helpdesk.numbers import is_number
from knowledge import addresses, asked, commenting, pages, reading, remarking, suggesting, voting
from knowledge.commenting import Said, TooQuick, Wrong
from knowledge.models import Article, Suggested
from knowledge.readers import is_from_here, voter_of
from knowledge.views.public import answer, network
from knowledge.visibility import readable_articles
from knowledge.voting import TooMany

SUGGESTIONS_OF_NETWORK: Final = Limit(60, 5)
Sent = Callable[[HttpRequest, Article, Customer | None, str, datetime], HttpResponse]


def from_article(view: Sent) -> Callable[[HttpRequest, int], HttpResponse]:
    """For what is sent from an article's page by somebody who may read it. The pages are the same for everybody, so
    what is checked is not a token of theirs but that one of our pages has sent it.
    """

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest, pk: int) -> HttpResponse:
        if not is_from_here(request):
            return HttpResponseForbidden("This was sent from another site.")
        customer = signed_in(request)
        article = readable_articles(customer).filter(pk=pk).first()
        if article is None:
            raise Http404("there is no such article")
        language = request.POST.get("language", "")
        language = language if language in addresses.CODES else "en"
        with translation.override(language):
            try:
                return view(request, article, customer, language, now())
            except TooMany:
                return render(request, "429.html", status=429)

    return checked


@from_article
def vote(
    request: HttpRequest, article: Article, customer: Customer | None, language: str, at: datetime
) -> HttpResponse:
    """Yes or no; the page that follows asks what was missing."""
    is_helpful = request.POST.get("helpful") == "1"
    voting.vote(article, voter_of(customer, request), is_helpful, network=network(request), at=at)
    return _back(request, language, f"?voted={int(is_helpful)}#vote")


@from_article
def remark(
    request: HttpRequest, article: Article, customer: Customer | None, language: str, at: datetime
) -> HttpResponse:
    """What was missing."""
    text = request.POST.get("text", "").strip()
    try:
        commenting.check_token(article, request.POST.get("token", ""), at=at)
    except TooQuick:
        return _back(request, language, "?voted=0#vote")
    if text:
        remarking.of_reader(article, text, language=language, customer=customer, network=network(request), at=at)
    return _back(request, language, "?said=remark#vote")


@from_article
def comment(
    request: HttpRequest, article: Article, customer: Customer | None, language: str, at: datetime
) -> HttpResponse:
    """Shown once more before it is sent: what lies on a kept page cannot say since when it is open."""
    sent = {name: request.POST.get(name, "") for name in ("name", "email", "text", "token")}
    if not article.takes_comments:
        raise Http404("this article takes no comments")
    said = Said(sent["name"], sent["email"], sent["text"], language, request.POST.get("website", ""))
    wrong: dict[str, str] = {}
    try:
        if sent["token"]:
            commenting.comment(
                article, said, customer=customer, network=network(request), sent_token=sent["token"], at=at
            )
            return _back(request, language, "?said=comment#comments")
        commenting.checked(said)
    except Wrong as error:
        wrong = error.fields
    except TooQuick:
        wrong = {"form": _("That was very quick, or very slow. Please send it once more.")}
    status = 422 if wrong else 200
    sent["token"] = "" if wrong and not sent["token"] else commenting.token(article, at=at)
    return _again(request, language, customer, status, given=sent, wrong={**pages.NOTHING, **wrong})


def _again(request: HttpRequest, language: str, customer: Customer | None, status: int, **more: Any) -> HttpResponse:
    wanted = asked.Asked("article", language, request.POST.get("slug", "")[:120])
    found = reading.find(language, wanted.slug, customer)
    if not isinstance(found, reading.Whole):
        raise Http404("there is no such article")
    return answer(wanted, pages.article_page(found, language, customer, **more), language, is_own=True, status=status)


def _back(request: HttpRequest, language: str, then: str) -> HttpResponse:
    path = f"{addresses.top(language)}{request.POST.get('slug', '')}/"
    wanted = asked.parse(path)
    return HttpResponseRedirect((path if wanted and wanted.kind == "article" else addresses.top(language)) + then)


@csrf_exempt  # nothing changes, and only our own pages can read the answer
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """Articles about what somebody types (`q`, in `language`), as JSON. It is kept nowhere: not in an address either,
    which proxies and browsers would write down.
    """
    if wait := take(SUGGESTIONS_OF_NETWORK, f"suggest:{network(request)}"):
        return JsonResponse({"detail": "Too many."}, status=429, headers={"Retry-After": str(int(wait) + 1)})
    language = request.POST.get("language", "")
    language = language if language in addresses.CODES else "en"
    found = suggesting.to_customer(request.POST.get("q", ""), language, signed_in(request))
    told = suggesting.as_json(found)
    if request.POST.get("says"):
        with translation.override(language):
            told["says"] = _says()
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


def _says() -> dict[str, str]:
    """The words around them, for pages that are small because they bring none of their own."""
    return {
        "title": _("Does one of these answer it?"),
        "read": _("Read the whole article"),
        "answered": _("This answered my question"),
        "thanks": _("Glad that helped. Write to us whenever it does not."),
    }


@require_safe
def answered(request: HttpRequest) -> HttpResponse:
    """Where a customer ends whose question an article answered; `article` is which."""
    customer, number = signed_in(request), request.GET.get("article", "")
    language = get_language() or "en"
    known = is_number(number)
    url = reading.permanent(int(number), language, customer) if known else None
    return render(request, "knowledge/answered.html", {"url": url, "top": addresses.top(language)})


@csrf_exempt
@require_POST
def suggested(request: HttpRequest) -> HttpResponse:
    """What became of suggestions: `asking` names the writing, `article` one of them, `what` shown, opened, answered."""
    if not is_from_here(request):
        return HttpResponseForbidden("This was sent from another site.")
    if take(SUGGESTIONS_OF_NETWORK, f"suggested:{network(request)}"):
        return JsonResponse({"detail": "Too many."}, status=429)
    ids = [int(one) for one in request.POST.getlist("article")[: suggesting.MOST] if is_number(one)]
    asking, what, where = (request.POST.get(name, "") for name in ("asking", "what", "where"))
    try:
        if what == "shown" and where in (Suggested.Where.FORM, Suggested.Where.WIDGET):
            suggesting.note_suggested(asking, ids, where, at=now())
        elif what in ("opened", "answered"):
            done = suggesting.note_opened if what == "opened" else suggesting.note_answered
            for number in ids:
                done(asking[:32].replace("\x00", ""), number, at=now())
        else:
            return JsonResponse({"detail": "There is no such thing to say."}, status=400)
    except ValueError as error:
        return JsonResponse({"detail": str(error)}, status=400)
    return HttpResponse(status=204)
