"""The ledger of mail: every mail that ever reached us with its one outcome, raw, and filed again on request."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.conversations.handing_out import plain
from helpdesk.conversations.visibility import visible_to
from helpdesk.numbers import whole_number
from tickets.desk.rendering import page
from tickets.mail import filing
from tickets.models import InboundEmail
from tickets.views.access import AgentRequest, agent_view

PAGE = 50
_FIELDS = (
    "id",
    "source",
    "mail_from",
    "rcpt_to",
    "received_at",
    "size",
    "state",
    "mail_id",
    "conversation_id",
    "conversation__subject",
    "reason",
    "error",
    "attempts",
)


@require_GET
@agent_view
def ledger(request: AgentRequest) -> HttpResponse:
    """The newest mails, of one state if asked for. The raw bytes stay in the database."""
    state, before = request.GET.get("state", ""), whole_number(request.GET.get("before", ""))
    if state and state not in InboundEmail.State.values:
        raise Http404
    mails = _mails(request).order_by("-id")
    if state:
        mails = mails.filter(state=state)
    if before:
        mails = mails.filter(id__lt=before)
    rows = list(mails.values(*_FIELDS)[: PAGE + 1])
    last = rows[PAGE - 1]["id"] if len(rows) > PAGE else 0
    states = InboundEmail.State.choices
    return page(request, "ledger.jinja", rows=rows[:PAGE], before=last, state=state, states=states)


@require_GET
@agent_view
def raw(request: AgentRequest, pk: int) -> HttpResponse:
    """The mail as it came in, as text."""
    mail = get_object_or_404(_mails(request).only("pk", "raw"), pk=pk)
    return plain(bytes(mail.raw), f"mail-{pk}.eml")


@require_POST
@agent_view
def replay(request: AgentRequest, pk: int) -> HttpResponse:
    """File a quarantined mail again."""
    mail = get_object_or_404(_mails(request), pk=pk)
    try:
        mail = filing.replay(mail, at=now())
    except filing.NotQuarantined:
        messages.info(request, _("Only quarantined or blocked mail can be filed again."))
        return redirect("tickets:ledger")
    messages.success(request, _("Mail %(number)s: %(state)s.") % {"number": pk, "state": mail.get_state_display()})
    return redirect("tickets:ledger")


def _mails(request: AgentRequest) -> QuerySet[InboundEmail]:
    """Those that became nothing, or a conversation this agent may see."""
    if request.user.is_admin:
        return InboundEmail.objects.all()
    visible = visible_to(request.user, "conversation__")
    return InboundEmail.objects.filter(Q(conversation=None) | visible)
