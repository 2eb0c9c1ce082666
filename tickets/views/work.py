"""What agents do with a conversation: take, change, put off, take back. Each one action, then back to the page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import undoing
from helpdesk.conversations.actions import CannotSleep, Changes, NotFilledIn
from helpdesk.conversations.answers import NotFailed
from helpdesk.conversations.models import Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.numbers import whole_number
from tickets.desk import blocking, senders, snoozing
from tickets.forms import WorkForm
from tickets.views.access import AgentRequest, agent_view, visible
from tickets.views.returning import change_and_return, to_conversation


@require_POST
@agent_view
def work(request: AgentRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    form = WorkForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
        return to_conversation(request, pk)
    try:
        return change_and_return(request, found, form.changes(), at=now())
    except NotFilledIn as error:
        messages.error(request, str(error))
        return to_conversation(request, pk, part="fields")


@require_POST
@agent_view
def take(request: AgentRequest, pk: int) -> HttpResponse:
    return change_and_return(request, visible(request, pk), Changes(assignee=request.user), at=now())


@require_POST
@agent_view
def snooze(request: AgentRequest, pk: int) -> HttpResponse:
    """`until`: a preset's key, "custom" with `custom` as a time in the agent's zone, or empty to bring it back."""
    found, at = visible(request, pk), now()
    chosen = request.POST.get("until", "")
    until = None
    if chosen:
        until = snoozing.until(chosen, request.POST.get("custom", ""), at, timezone.get_current_timezone())
        if until is None:
            messages.error(request, _("Choose a time in the coming year."))
            return to_conversation(request, pk)
    try:
        return change_and_return(request, found, Changes(snoozed_until=until), at=at)
    except CannotSleep:
        messages.error(request, _("What is resolved cannot be put off."))
        return to_conversation(request, pk)


@require_POST
@agent_view
def spam(request: AgentRequest, pk: int) -> HttpResponse:
    """`is_spam`: 1 or 0; `block`: "address" or "domain" for no more mail from there, "nobody" to listen again."""
    found, at = visible(request, pk), now()
    wanted = request.POST.get("block", "")
    if wanted == "nobody":
        senders.unblock(found, request.user, at=at)
    elif wanted in ("address", "domain"):
        try:
            senders.block(found, request.user, whole_domain=wanted == "domain", at=at)
        except blocking.CannotBlock as error:
            messages.error(request, str(error))
    is_spam = request.POST.get("is_spam")
    if is_spam in ("0", "1"):
        return change_and_return(request, found, Changes(is_spam=is_spam == "1"), at=at)
    return to_conversation(request, pk)


@require_POST
@agent_view
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    """Take back one's own changes among the events `after` < seq <= `until`."""
    visible(request, pk)
    after, until = (request.POST.get(name, "") for name in ("after", "until"))
    try:
        undoing.undo(pk, request.user, after=whole_number(after), until=whole_number(until), at=now())
        messages.success(request, _("Taken back."))
    except undoing.TooLate:
        messages.warning(request, _("It is too late to take that back, or somebody has changed it since."))
    return to_conversation(request, pk)


@require_POST
@agent_view
def retry(request: AgentRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(
        Message.objects.only("pk", "conversation_id"), pk=pk, conversation__in=visible_conversations(request.user)
    )
    try:
        conversations.retry(pk, request.user, at=now())
    except NotFailed:
        messages.info(request, _("This message has not failed: it was sent, or is being sent."))
    return to_conversation(request, message.conversation_id, part=f"m{pk}")
