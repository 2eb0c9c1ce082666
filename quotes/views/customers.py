"""What customers see of quotes: by the signed link of the mail, or signed in. Opening a page answers nothing."""

from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from helpdesk.customers import sessions
from helpdesk.customers.models import Customer
from helpdesk.limits import Limit, network_of, take
from quotes import answering, drafting, links, money, wording
from quotes.answering import Given, NoName, NotOffered, TooLate
from quotes.days import end_of
from quotes.models import Quote
from quotes.permissions import quotes_of
from quotes.views.desk import pdf_answer

MOST: Final = 100
ANSWERS_OF_NETWORK: Final = Limit(30, 30 / 3600)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """A quote for whoever has its link; POST `answer`, `name` and `reason` answers it."""
    quote = links.opened(token)
    if quote is None:
        return _sorry(request, _("This link is not one of ours"), _("Perhaps a part of it was lost on the way."), 404)
    if request.method == "POST" and request.user.is_authenticated:
        # The link stands in the thread, where agents read it: theirs is not the customer's word, not by mistake either.
        return _sorry(request, _("Only the customer answers"), _("You are signed in as one of the team here."), 403)
    files = reverse("quotes:quote_link_pdf", args=[token])
    return _answered(request, quote, None, "link", files)


@never_cache
@require_safe
def by_link_pdf(request: HttpRequest, token: str) -> HttpResponse:
    quote = links.opened(token)
    if quote is None:
        return _sorry(request, _("This link is not one of ours"), _("Perhaps a part of it was lost on the way."), 404)
    return pdf_answer(quote)


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """All quotes of the customer who is signed in, and of the organization for its managers; the newest hundred."""
    customer = sessions.signed_in(request)
    if customer is None:
        return _sign_in(request)
    found = quotes_of(customer).select_related("customer").order_by("-pk")[:MOST]
    rows = [(one, money.written(one.total, one.currency), wording.STATES[_state(one)]) for one in found]
    return render(request, "quotes/mine.html", {"rows": rows, "customer": customer, "menu": _menu(customer)})


def _menu(customer: Customer | None) -> list[Any]:
    """The portal's, for those who are signed in."""
    found: list[Any] = import_string(settings.PORTAL_MENU)(customer) if customer is not None else []
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them; POST answers it."""
    customer = sessions.signed_in(request)
    if customer is None:
        return _sign_in(request)
    quote = _own(customer, pk)
    if quote is None:
        return _not_theirs(request)
    return _answered(request, quote, customer, "portal", reverse("quotes:own_quote_pdf", args=[pk]))


@never_cache
@require_safe
def show_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    customer = sessions.signed_in(request)
    if customer is None:
        return _sign_in(request)
    quote = _own(customer, pk)
    return _not_theirs(request) if quote is None else pdf_answer(quote)


def _own(customer: Customer, pk: int) -> Quote | None:
    if pk >= 2**63:
        return None
    return quotes_of(customer).filter(pk=pk).select_related("conversation", "customer", "author").first()


def _answered(request: HttpRequest, quote: Quote, customer: Customer | None, via: str, files: str) -> HttpResponse:
    if request.method != "POST":
        return _show(request, quote, customer, files)
    remote = request.META.get("REMOTE_ADDR", "")
    if take(ANSWERS_OF_NETWORK, f"quote:{network_of(remote)}"):
        return _sorry(request, _("Too many at once"), _("Please try again in a few minutes."), 429)
    said = request.POST.get("answer", "")
    if said not in Quote.Answer.values:
        return _show(request, quote, customer, files, status=422)
    name = request.POST.get("name", "") or (customer.name if customer else "")
    given = Given(said, name, remote, via, request.POST.get("reason", ""), customer)
    try:
        answering.answer(quote.pk, given, at=now())
    except NoName:
        return _show(request, quote, customer, files, wrong="name", status=422)
    except (TooLate, NotOffered):
        quote.refresh_from_db()
        return _show(request, quote, customer, files, wrong="late", status=409)
    return redirect(f"{request.path}?answered")


def _show(
    request: HttpRequest, quote: Quote, customer: Customer | None, files: str, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    """In the language of the quote, which is the customer's."""
    lines = [(one, money.of_line(drafting.line_of(one), quote.currency)) for one in quote.lines.all()]
    rates = money.by_rate([drafting.line_of(one) for one, _amounts in lines], quote.currency)
    with override(quote.language):
        context: dict[str, Any] = {
            "quote": quote,
            "lines": [(one, money.plain(one.quantity), _written(quote, one.unit_price), _written(quote, amounts.net))
                      for one, amounts in lines],
            "rates": [(money.plain(rate), _written(quote, amounts.tax)) for rate, amounts in rates],
            "net": _written(quote, quote.net),
            "total": _written(quote, quote.total),
            "state": _state(quote),
            "state_name": wording.STATES[_state(quote)],
            "tone": wording.TONES[_state(quote)],
            "later": _later(quote),
            "name": request.POST.get("name", "") or str((customer or quote.customer).name),
            "reason": request.POST.get("reason", ""),
            "wrong": wrong,
            "is_new": "answered" in request.GET,
            "pdf_url": files,
            "action": request.path,
            "back": reverse("quotes:mine") if customer else "",
            "menu": _menu(customer),
        }  # fmt: skip
        return render(request, "quotes/quote.html", context, status=status)


def _written(quote: Quote, amount: Any) -> str:
    return money.written(amount, quote.currency)


def _state(quote: Quote) -> str:
    """As the customer is told; the sweep that ends quotes may be a little late."""
    if quote.state == Quote.State.SENT and now() >= end_of(quote.valid_until):
        return Quote.State.EXPIRED
    return quote.state


def _later(quote: Quote) -> str:
    """Where the version is that followed this one, once it was sent; whoever has the link of one may see the next."""
    later = Quote.objects.filter(supersedes=quote).exclude(state=Quote.State.DRAFT).first()
    return links.url(later) if later is not None else ""


def _sign_in(request: HttpRequest) -> HttpResponse:
    """Strangers are led to the portal, and come back to what they wanted to see."""
    return redirect(f"{reverse('portal:home')}?{urlencode({'next': request.get_full_path()})}")


def _not_theirs(request: HttpRequest) -> HttpResponse:
    return _sorry(request, _("There is no such quote of yours"), "", 404)


def _sorry(request: HttpRequest, title: str, words: str, status: int) -> HttpResponse:
    context = {"title": title, "words": words, "start": reverse("knowledge:home")}
    return render(request, "front/sorry.html", context, status=status)
