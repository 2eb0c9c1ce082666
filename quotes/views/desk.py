"""Quotes in the desk: the list, the editor with its totals, and what became of one that was sent."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import is_number
from quotes import drafting, links, money, pdf, sending, wording
from quotes.currencies import MINOR_UNITS
from quotes.drafting import BadQuote, Content
from quotes.forms import EMPTY_LINES, QuoteForm, Raw, raw_lines, raw_of, read_lines
from quotes.models import Quote
from quotes.permissions import may_offer, visible_quotes

PAGE: Final = 50
State = Quote.State


@require_safe
@agent_view
def quotes(request: AgentRequest) -> HttpResponse:
    """All of them, newest first, fifty at a time; of one `state`, those older than `before`."""
    rows = visible_quotes(request.user).select_related("customer", "organization", "author").order_by("-pk")
    state = request.GET.get("state", "")
    if state in State.values:
        rows = rows.filter(state=state)
    before = request.GET.get("before", "")
    if is_number(before):
        rows = rows.filter(pk__lt=int(before))
    query = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    if query:
        rows = rows.filter(Q(title__icontains=query) | Q(organization__name__icontains=query))
    found = list(rows[: PAGE + 1])
    return page(
        request, "quotes.jinja", found=found[:PAGE], more=found[PAGE - 1].pk if len(found) > PAGE else 0, state=state,
        query=query, states=wording.STATES, tones=wording.TONES, written=money.written,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def new(request: AgentRequest, conversation_id: int) -> HttpResponse:
    """Offer to do the task of a conversation."""
    seen = visible_conversations(request.user).select_related("customer__organization")
    conversation = get_object_or_404(seen, pk=conversation_id)
    if not may_offer(request.user):
        return HttpResponseForbidden()
    offered = drafting.beginning(conversation.customer, conversation.subject, at=now())
    return _editor(request, conversation, offered, None)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def quote(request: AgentRequest, pk: int) -> HttpResponse:
    """A draft in its editor; one that was sent as it is, with what can still be done."""
    found = get_object_or_404(
        visible_quotes(request.user).select_related("conversation", "customer", "upgrade_plan", "author"), pk=pk
    )
    if found.state == State.DRAFT and may_offer(request.user):
        # The plan that could be offered stays at hand, also where it was unchecked once.
        content = drafting.content_of(found)
        usual = drafting.beginning(found.customer, found.title, at=now())
        offered = content if content.upgrade_plan else replace(
            content, upgrade_plan=usual.upgrade_plan, upgrade_price=usual.upgrade_price,
            upgrade_words=usual.upgrade_words,
        )  # fmt: skip
        return _editor(request, found.conversation, offered, found)
    if request.method == "POST":
        return redirect("quotes:one_quote", pk)
    later = Quote.objects.filter(supersedes=found).first()
    return page(
        request, "quote_sent.jinja", quote=found, lines=_shown(found), link=links.url(found), later=later,
        rates=money.by_rate([drafting.line_of(one) for one in found.lines.all()], found.currency),
        states=wording.STATES, tones=wording.TONES, written=money.written, plain=money.plain,
        may_work=may_offer(request.user),
    )  # fmt: skip


def _shown(found: Quote) -> list[tuple[Any, Any]]:
    return [(one, money.of_line(drafting.line_of(one), found.currency)) for one in found.lines.all()]


def _editor(request: AgentRequest, conversation: Conversation, offered: Content, found: Quote | None) -> HttpResponse:
    """POST `do`: `save` the draft, `send` it, or only `reckon` its sums (with two more empty lines)."""
    if request.method != "POST":
        # What is offered beside it is checked where it was so, and on every new quote.
        unchecked = found is not None and not found.upgrade_name
        form = QuoteForm(offered=offered, initial={"offers_upgrade": False} if unchecked else {})
        return _edited(request, conversation, found, form, raw_of(offered) or [_empty()])
    client_id = _client_id(request.POST.get("client", ""))
    found = found or Quote.objects.filter(client_id=client_id, author=request.user).first()
    if found is not None and found.state != State.DRAFT:
        return redirect("quotes:one_quote", found.pk)  # the same form sent twice
    raw, form, do = raw_lines(request.POST), QuoteForm(request.POST, offered=offered), request.POST.get("do", "")
    if not form.is_valid():
        return _edited(request, conversation, found, form, raw, status=422)
    try:
        content = form.content(read_lines(raw))
        if do == "reckon":
            drafting.checked(content, at=now())
            return _edited(request, conversation, found, form, raw)
        kept = _save(request, conversation, found, content, client_id)
        if do == "send":
            kept = sending.send(kept.pk, request.user, at=now(), words=request.POST.get("covering", "")[:5000])
            messages.success(request, _("Quote %s is sent.") % kept.number)
            return redirect("tickets:conversation", kept.conversation_id)
    except BadQuote as error:
        raw = _marked(raw, error)
        form.add_error(error.field if error.field in form.fields and error.line is None else None, str(error))
        return _edited(request, conversation, found, form, raw, status=422)
    except drafting.NotADraft:
        messages.info(request, _("Somebody was quicker: it is sent already."))
        return redirect("quotes:quote_list")
    except sending.Superseded as error:
        messages.error(request, _("The version before was accepted meanwhile: it counts."))
        return redirect("quotes:one_quote", error.quote.pk)
    messages.success(request, _("The draft is kept."))
    return redirect("quotes:one_quote", kept.pk)


def _client_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


def _save(
    request: AgentRequest, conversation: Conversation, found: Quote | None, content: Content, client_id: UUID
) -> Quote:
    if found is None:
        return drafting.draft(conversation.pk, content, request.user, at=now(), client_id=client_id)
    return drafting.edit(found.pk, content, at=now())


def _marked(raw: list[Raw], error: BadQuote) -> list[Raw]:
    """The lines, with what is wrong said at the one that it is about; empty ones were never counted."""
    if error.line is None:
        return raw
    filled = [place for place, one in enumerate(raw) if not one.is_empty]
    wrong = filled[min(error.line, len(filled) - 1)]
    return [replace(one, wrong=str(error)) if place == wrong else one for place, one in enumerate(raw)]


def _empty() -> Raw:
    return Raw(quantity="1", tax_rate=money.plain(drafting.quote_settings().tax_rate))


def _edited(
    request: AgentRequest,
    conversation: Conversation,
    found: Quote | None,
    form: QuoteForm,
    raw: list[Raw],
    status: int = 200,
) -> HttpResponse:
    currency = form["currency"].value()
    currency = currency if currency in MINOR_UNITS else "EUR"
    try:
        sums = money.of_lines((one.line for one in read_lines(raw)), currency)
        amounts: Any = [money.of_line(one.line, currency) for one in read_lines(raw)]
    except (BadQuote, money.BadAmount):
        sums, amounts = None, []
    return page(
        request, "quote_edit.jinja", status=status, conversation=conversation, quote=found, form=form,
        lines=[*raw, *[_empty()] * EMPTY_LINES], sums=sums, amounts=amounts, currency=currency, units=MINOR_UNITS,
        written=money.written, plan=form.offered.upgrade_plan, upgrade_price=form.offered.upgrade_price,
        covering=request.POST.get("covering", ""), client=request.POST.get("client", "") or uuid4(),
    )  # fmt: skip


@require_POST
@agent_view
def withdraw(request: AgentRequest, pk: int) -> HttpResponse:
    """Take a quote back; `reason` is for ourselves."""
    found = get_object_or_404(visible_quotes(request.user), pk=pk)
    try:
        sending.withdraw(found.pk, request.user, request.POST.get("reason", ""), at=now())
        messages.success(request, _("Quote %s is withdrawn.") % found.number)
    except sending.NotOpen:
        messages.info(request, _("It was answered, or its time was over, before."))
    return redirect("quotes:one_quote", pk)


@require_POST
@agent_view
def revise(request: AgentRequest, pk: int) -> HttpResponse:
    """Begin the next version."""
    found = get_object_or_404(visible_quotes(request.user), pk=pk)
    try:
        return redirect("quotes:one_quote", drafting.revise(found.pk, request.user, at=now()).pk)
    except drafting.NothingToRevise:
        messages.info(request, _("It was accepted, or there is a later version already."))
        return redirect("quotes:one_quote", pk)


@require_POST
@agent_view
def discard(request: AgentRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    found = get_object_or_404(visible_quotes(request.user), pk=pk)
    try:
        drafting.discard(found.pk)
    except drafting.NotADraft:
        messages.info(request, _("Somebody was quicker: it is sent already."))
        return redirect("quotes:one_quote", pk)
    messages.success(request, _("The draft is gone."))
    return redirect("tickets:conversation", found.conversation_id)


@require_safe
@agent_view
def pdf_file(request: AgentRequest, pk: int) -> HttpResponse:
    """The document, as the customer got it."""
    sent = visible_quotes(request.user).exclude(state=State.DRAFT).select_related("customer", "organization")
    return pdf_answer(get_object_or_404(sent, pk=pk))


def pdf_answer(found: Quote) -> HttpResponse:
    answer = HttpResponse(pdf.drawn(found), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{pdf.file_name(found)}"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
