"""What agents do with a conversation: answer, note, take, change. Each one action, then back to the page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.answers import NotFailed
from helpdesk.conversations.models import Message, Status
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.events.actors import Actor
from tickets.forms import MessageForm, WorkForm
from tickets.views.access import AgentRequest, agent_view
from tickets.views.conversation import show


@require_POST
@agent_view
def answer(request: AgentRequest, pk: int) -> HttpResponse:
    get_object_or_404(visible_conversations(request.user).only("pk"), pk=pk)
    form = MessageForm(request.POST, request.FILES)
    if not form.is_valid():
        return show(request, pk, form, status=422)
    said = form.cleaned_data
    files, client_id = files_of(said["uploads"]), said["client_id"]
    if said["kind"] == "note":
        message = conversations.note(pk, request.user, said["text"], at=now(), files=files, client_id=client_id)
    else:
        message = conversations.reply(
            pk,
            request.user,
            said["text"],
            at=now(),
            files=files,
            client_id=client_id,
            status=said["then"] or Status.PENDING,
        )
    return redirect(f"{reverse('tickets:conversation', args=[pk])}#m{message.pk}")


@require_POST
@agent_view
def work(request: AgentRequest, pk: int) -> HttpResponse:
    get_object_or_404(visible_conversations(request.user).only("pk"), pk=pk)
    form = WorkForm(request.POST)
    if form.is_valid():
        conversations.change(pk, form.changes(), actor=Actor.agent(request.user), at=now())
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
    return redirect("tickets:conversation", pk)


@require_POST
@agent_view
def take(request: AgentRequest, pk: int) -> HttpResponse:
    get_object_or_404(visible_conversations(request.user).only("pk"), pk=pk)
    changes = conversations.Changes(assignee=request.user)
    conversations.change(pk, changes, actor=Actor.agent(request.user), at=now())
    return redirect("tickets:conversation", pk)


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
    return redirect(f"{reverse('tickets:conversation', args=[message.conversation_id])}#m{pk}")
