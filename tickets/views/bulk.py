"""Many conversations at once: choosing what to do, the report of what became of each, and taking it back."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import get_current_timezone, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.numbers import is_number
from tickets.bulk_forms import BulkForm
from tickets.desk import bulk, macro_previews, macros, narrowing, snoozing, variables
from tickets.desk.bulk_models import BulkChange, BulkItem
from tickets.desk.rendering import page
from tickets.forms import AFTER_REPLY
from tickets.views.access import AgentRequest, agent_view

# Deliveries in these states may still change by themselves.
UNDER_WAY = ("pending", "sending")


@require_http_methods(["GET", "POST"])
@agent_view
def change(request: AgentRequest) -> HttpResponse:
    """GET asks what to do with `c`, the chosen conversations; POST does it."""
    numbers = _numbers(request)
    if request.method == "GET":
        return _ask(request, numbers, None)
    at = now()
    form = BulkForm(request.POST, user=request.user, at=at)
    if not form.is_valid() or not numbers or len(numbers) > bulk.MOST:
        return _ask(request, numbers, form, status=422)
    asked = form.asked()
    if asked.is_empty:
        # Without a script this is how one gets from the list to the form.
        return _ask(request, numbers, None)
    done = bulk.run(request.user, numbers, asked, client_id=form.cleaned_data["client_id"], at=at)
    if request.headers.get("HX-Request"):
        return _told(request, done)
    return redirect("tickets:bulk_report", done.pk)


@require_GET
@agent_view
def report(request: AgentRequest, pk: int) -> HttpResponse:
    """What became of each, and how far each reply has come."""
    found = _find(request.user, pk)
    at = now()
    items = list(
        found.items.select_related("conversation__customer", "message")
        .defer("conversation__search", "message__full_text", "message__html", "message__search")
        .order_by("pk")
    )
    # A private team may have taken one in the meantime.
    seen = set(
        visible_conversations(request.user).filter(pk__in=[i.number for i in items]).values_list("pk", flat=True)
    )
    return page(
        request,
        "bulk_report.jinja",
        bulk=found,
        items=[(item, item.number in seen) for item in items],
        counts=None,
        summary=bulk.summary(found),
        may_undo=bulk.may_undo(found, at) and any(item.before for item in items),
        is_under_way=any(item.message and item.message.delivery in UNDER_WAY for item in items),
        taken_back=bulk.TAKEN_BACK,
        at=at,
    )


@require_POST
@agent_view
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    found = _find(request.user, pk)
    try:
        bulk.undo(found, request.user, at=now())
    except bulk.TooLate:
        if request.headers.get("HX-Request"):
            return HttpResponse(_("It is too late to undo this."), status=409)
        messages.error(request, _("It is too late to undo this."))
    if request.headers.get("HX-Request"):
        return _told(request, BulkChange.objects.get(pk=pk))
    return redirect("tickets:bulk_report", pk)


def _find(user: User, pk: int) -> BulkChange:
    """One's own: what others did is told by the conversations' events."""
    return get_object_or_404(BulkChange, pk=pk, user=user)


def _told(request: AgentRequest, done: BulkChange) -> HttpResponse:
    """A line for the corner of the page, with undo and the way to the report."""
    has_changed = done.items.filter(outcome=BulkItem.Outcome.DONE).exclude(before={}).exists()
    return page(
        request,
        "_bulk_done.jinja",
        bulk=done,
        summary=bulk.summary(done),
        may_undo=has_changed and bulk.may_undo(done, now()),
        next_client_id=uuid4(),
    )


def _ask(request: AgentRequest, numbers: list[int], form: BulkForm | None, status: int = 200) -> HttpResponse:
    chosen = visible_conversations(request.user).filter(pk__in=numbers[: bulk.MOST])
    found: list[Conversation] = list(chosen.select_related("customer").defer("search").order_by("pk"))
    return page(
        request,
        "bulk.jinja",
        status=status,
        chosen=found,
        is_too_many=len(numbers) > bulk.MOST,
        most=bulk.MOST,
        form=form,
        client_id=form["client_id"].value() if form else uuid4(),
        choices=narrowing.choices(request.user),
        snoozes=snoozing.presets(now(), get_current_timezone()),
        after_reply=AFTER_REPLY,
        variables=variables.VARIABLES,
        focus=request.GET.get("focus", ""),
        previews=macro_previews.unfilled(macros.offered(request.user), request.user),
    )


def _numbers(request: AgentRequest) -> list[int]:
    given = (request.POST if request.method == "POST" else request.GET).getlist("c")
    numbers = [int(text) for text in given[: bulk.MOST + 1] if is_number(text)]
    return list(dict.fromkeys(numbers))
