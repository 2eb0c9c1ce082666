"""Public answers that wait for a second person."""

from typing import Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import handing_out
from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.desk.pages import AgentRequest, agent_view, page
from social import answering, permissions
from social.models import Approval, ApprovalFile

MOST: Final = 100
_LONGEST: Final = 28_000


def seen_by(user: User) -> QuerySet[Approval]:
    """Those of conversations that this agent may see."""
    found = Approval.objects.select_related("conversation__social_thread__account", "by").prefetch_related("files")
    return found.filter(conversation__in=visible_conversations(user))


@require_safe
@agent_view
def approvals(request: AgentRequest) -> HttpResponse:
    """What waits, the oldest first."""
    found = list(seen_by(request.user).filter(state=Approval.State.WAITING).order_by("at", "pk")[:MOST])
    for one in found:
        one.may_decide = permissions.may_decide(request.user, one)  # type: ignore[attr-defined]
        one.may_withdraw = permissions.may_withdraw(request.user, one)  # type: ignore[attr-defined]
    return page(request, "social_approvals.jinja", found=found)


@require_GET
@agent_view
def file(request: AgentRequest, pk: int) -> HttpResponse:
    """A file that waits, as a download; `?show=1` shows pictures of the harmless kinds."""
    found = get_object_or_404(ApprovalFile, pk=pk, approval__in=seen_by(request.user))
    return handing_out.file(found, shown=request.GET.get("show") == "1")


@require_POST
@agent_view
def decide(request: AgentRequest, pk: int) -> HttpResponse:
    """`do` is approve (with `text`, perhaps changed), decline (with `reason`) or withdraw."""
    approval = get_object_or_404(seen_by(request.user), pk=pk)
    what, at = request.POST.get("do", ""), now()
    try:
        if what == "approve":
            text = request.POST.get("text", approval.text).replace("\r\n", "\n")[:_LONGEST]
            answering.decide(pk, request.user, approves=True, at=at, text=text)
            messages.success(request, _("Approved. It leaves in a moment."))
        elif what == "decline":
            answering.decide(pk, request.user, approves=False, at=at, reason=request.POST.get("reason", ""))
            messages.success(request, _("Declined. It is not said."))
        elif what == "withdraw":
            answering.withdraw(pk, request.user, at=at)
            messages.success(request, _("Taken back."))
    except answering.SecondReader:
        messages.error(request, _("Somebody else decides this, and only once."))
    except (conversations.Refused, NothingToSay) as error:
        messages.error(request, str(error))
    return _back(request, approval)


def _back(request: AgentRequest, approval: Approval) -> HttpResponse:
    after = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(after, allowed_hosts=None):
        return redirect(after)
    return redirect("tickets:conversation", approval.conversation_id)
