"""Where customers rate: by the link of a mail, or signed in. Opening a page records nothing; only sending does."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from helpdesk.conversations.models import Conversation
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer
from helpdesk.limits import Limit, network_of, take
from helpdesk.ratings import giving, links
from helpdesk.ratings.giving import NotSolved, TooLate
from helpdesk.ratings.models import Rating
from helpdesk.ratings.wording import WORDS

RATES_OF_NETWORK: Final = Limit(60, 60 / 3600)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page of a mailed question; GET chooses a `score`, POST `score` and `comment` records them."""
    asked = links.read(token)
    if asked is None:
        return _sorry(request, _("This link is not one of ours"), _("Perhaps a part of it was lost on the way."), 404)
    if asked.is_over(now()):
        return _sorry(request, _("This link has expired"), _("It was good for 14 days. Thank you all the same!"), 410)
    conversation = Conversation.objects.filter(pk=asked.conversation_id).first()
    if conversation is None:
        return _sorry(request, _("This conversation has gone"), "", 410)
    if request.user.is_authenticated:
        # The link stands in the thread, where agents read it: theirs is not the customer's word, not by mistake either.
        return _sorry(request, _("Only the customer rates"), _("You are signed in as one of the team here."), 403)
    return _rate(request, conversation, "mail")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, conversation_id: int) -> HttpResponse:
    """The same for the customer who is signed in, about a conversation of their own."""
    customer = sessions.signed_in(request)
    conversation = _own(customer, conversation_id) if customer is not None else None
    if conversation is None:
        return _sorry(request, _("There is no such conversation of yours"), _("Perhaps you are not signed in."), 404)
    return _rate(request, conversation, "portal")


def _own(customer: Customer, conversation_id: int) -> Conversation | None:
    if conversation_id >= 2**63:
        return None
    return Conversation.objects.filter(pk=conversation_id, customer=customer, is_spam=False).first()


def _rate(request: HttpRequest, conversation: Conversation, via: str) -> HttpResponse:
    conversation = giving.rated_instead(conversation)
    rating = Rating.objects.filter(pk=conversation.pk).first()
    if request.method != "POST":
        chosen = _score(request.GET.get("score", "")) or (rating.score if rating else None)
        return _show(request, conversation, rating, chosen, is_done="done" in request.GET)
    score = _score(request.POST.get("score", ""))
    if score is None:
        return _show(request, conversation, rating, None, wrong=_("Choose one of the five."), status=422)
    if take(RATES_OF_NETWORK, f"rate:{network_of(request.META.get('REMOTE_ADDR', ''))}"):
        return _sorry(request, _("Too many at once"), _("Please try again in a few minutes."), 429)
    try:
        giving.give(conversation.pk, score, request.POST.get("comment", ""), via=via, at=now())
    except TooLate:
        return _sorry(request, _("This was a while ago"), _("Ratings can be given and changed for 14 days."), 410)
    except NotSolved:
        return _sorry(request, _("We are still at it"), _("You can rate our help once it is solved."), 409)
    return redirect(f"{request.path}?done")


def _show(
    request: HttpRequest,
    conversation: Conversation,
    rating: Rating | None,
    chosen: int | None,
    *,
    is_done: bool = False,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "conversation": conversation,
        "scores": WORDS.items(),
        "chosen": chosen,
        "comment": request.POST.get("comment", rating.comment if rating else ""),
        "is_done": is_done and rating is not None and rating.score is not None,
        "is_low": rating is not None and rating.score is not None and rating.score <= giving.LOW,
        "wrong": wrong,
        "action": request.path,
    }
    return render(request, "ratings/rate.html", context, status=status)


def _sorry(request: HttpRequest, title: str, words: str, status: int) -> HttpResponse:
    context = {"title": title, "words": words, "start": reverse("knowledge:home")}
    return render(request, "front/sorry.html", context, status=status)


def _score(text: str) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5"} else None
