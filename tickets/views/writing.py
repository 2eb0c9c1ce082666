"""Writing: replies and notes, drafts, canned replies, and taking back what has not left yet."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import following, undoing
from helpdesk.conversations.answers import Overtaken
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.permissions import may_work
from helpdesk.desk import markdown, offered
from helpdesk.events.actors import Actor
from helpdesk.numbers import whole_number
from tickets.desk import canned, drafts, kept_words, live_chats, mentions, on_networks
from tickets.forms import MAX_TEXT, MessageForm
from tickets.mail import forwarding
from tickets.views.access import AgentRequest, agent_view, viewers_too, visible
from tickets.views.conversation import show
from tickets.views.returning import to_conversation


@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A reply or a note. What somebody sends whose login has run out waits for them behind the login page."""
    if not request.user.is_authenticated:
        caller = request.META.get("REMOTE_ADDR", "")
        kind, text = (request.POST.get(name, "") for name in ("kind", "text"))
        kept_words.keep(request.session, pk, kind, text, caller=caller, at=now())
    return _answer(request, pk)


@viewers_too
def _answer(request: AgentRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    form = MessageForm(request.POST, request.FILES)
    if form.data.get("kind") != "note" and not may_work(request.user):
        raise PermissionDenied
    if not form.is_valid():
        return show(request, pk, form, status=422)
    said, at = form.cleaned_data, now()
    if said["kind"] == "note":
        message = _note(found, request, said, at)
        kept_words.forget(request.session, pk, said["text"])
        return to_conversation(request, pk, part=f"m{message.pk}")
    # Who sits in a live chat is not kept waiting, and the chat stays open for what comes next.
    live = live_chats.is_live(found, request.user, at)
    try:
        reply = _reply(found, request, said, at, live=live)
    except Overtaken as error:
        return show(request, pk, form, status=409, overtaken=error.messages)
    except conversations.NotFilledIn as error:
        messages.error(request, str(error))
        return show(request, pk, form, status=422)
    except conversations.Refused as error:
        form.add_error("text", error.words)
        return show(request, pk, form, status=422, may_insist=error.may_insist)
    except (forwarding.CannotForward, following.TooManyFollowers) as error:
        form.add_error("cc", str(error))
        return show(request, pk, form, status=422)
    kept_words.forget(request.session, pk, said["text"])
    if reply is None:
        messages.success(request, _("It waits for a second person, who reads it before it leaves."))
        return to_conversation(request, pk)
    waits = settings.UNDO_SEND_SECONDS or on_networks.is_one(found.channel)
    query = f"sent={reply.pk}" if waits and not live else ""
    return to_conversation(request, pk, query=query, part=f"m{reply.pk}")


@transaction.atomic
def _note(found: Conversation, request: AgentRequest, said: dict[str, Any], at: datetime) -> Message:
    files = files_of(said["uploads"])
    words = {"files": files, "client_id": said["client_id"]}
    message = mentions.write_note(found.pk, request.user, said["text"], at=at, **words)
    drafts.use_up(found.pk, request.user, said["draft"] or 0)
    return message


@transaction.atomic
def _reply(
    found: Conversation, request: AgentRequest, said: dict[str, Any], at: datetime, *, live: bool
) -> Message | None:
    """The message; None where somebody else reads it first."""
    if on_networks.is_one(found.channel):
        return _answer_there(found, request, said, at)
    text = said["text"]
    _copy(found, request, said, at)
    wait = 0 if live else settings.UNDO_SEND_SECONDS
    message = conversations.reply(
        found.pk,
        request.user,
        text,
        at=at,
        html=markdown.render(text) if markdown.is_formatted(text) else "",
        files=files_of(said["uploads"]),
        client_id=said["client_id"],
        status=said["then"] or (Status.OPEN if live else Status.PENDING),
        seen=said["seen"],
        not_before=at + timedelta(seconds=wait) if wait else None,
    )
    if live:
        live_chats.answered(found.pk, request.user, at=at)
    drafts.use_up(found.pk, request.user, said["draft"] or 0)
    return message


def _answer_there(found: Conversation, request: AgentRequest, said: dict[str, Any], at: datetime) -> Message | None:
    message = on_networks.answer(
        found.pk,
        request.user,
        said["text"],
        at=at,
        client_id=said["client_id"],
        files=files_of(said["uploads"]),
        seen=said["seen"],
        status=said["then"],
        insists=said["insists"],
    )
    drafts.use_up(found.pk, request.user, said["draft"] or 0)
    return message


def _copy(found: Conversation, request: AgentRequest, said: dict[str, Any], at: datetime) -> None:
    """Those the agent wrote into Cc read along from now on, those they struck out no longer."""
    wanted, shown = forwarding.addresses_in(said["cc"]), set(said["was_cc"].lower().replace(" ", "").split(","))
    gone = shown - set(wanted)
    actor = Actor.agent(request.user)
    if gone:
        people = found.followers.filter(email__in=gone).values_list("pk", flat=True)
        following.unfollow(found.pk, list(people), actor=actor, at=at)
    following.follow(found.pk, [address for address in wanted if address not in shown], actor=actor, at=at)


@require_POST
@agent_view
def take_back(request: AgentRequest, pk: int) -> HttpResponse:
    """Undo sending: the reply becomes a draft again."""
    found = get_object_or_404(Message, pk=pk, conversation__in=visible_conversations(request.user))
    try:
        with transaction.atomic():
            message = undoing.take_back(pk, request.user, at=now())
            drafts.keep(message.conversation, request.user, "reply", message.text, at=now())
        messages.success(request, _("Taken back. It is your draft again; files have to be added anew."))
    except (undoing.TooLate, Message.DoesNotExist):
        messages.warning(request, _("It is too late: the message has left."))
    return to_conversation(request, found.conversation_id)


@require_POST
@viewers_too
def draft(request: AgentRequest, pk: int) -> HttpResponse:
    """Keep what was typed; JSON with its version for scripts, else back to the page. Empty text drops the draft."""
    found = visible(request, pk)
    kind = "note" if request.POST.get("kind") == "note" else "reply"
    version = drafts.keep(found, request.user, kind, request.POST.get("text", "")[:MAX_TEXT], at=now())
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"version": version})
    messages.success(request, _("Draft saved.") if version else _("Draft dropped."))
    return to_conversation(request, pk)


@require_POST
@viewers_too
def mentions_seen(request: AgentRequest, pk: int) -> HttpResponse:
    """The agent has opened a conversation where somebody called them."""
    mentions.see(visible(request, pk).pk, request.user, at=now())
    return HttpResponse(status=204)


@require_GET
@agent_view
def canned_replies(request: AgentRequest) -> JsonResponse:
    """Those that begin with what was typed behind the slash, and what other rooms have for `here`."""
    typed, here = request.GET.get("q", "")[:40], whole_number(request.GET.get("here", "")) or 0
    found = canned.found(request.user, typed)
    shown: list[dict[str, Any]] = [{"id": one.pk, "name": one.name, "hint": f"/{one.shortcut}"} for one in found]
    shown += [one.as_json() for one in offered.insertables(typed, request.user, here)] if here else []
    return JsonResponse({"results": shown})


@require_POST
@agent_view
def use_canned(request: AgentRequest, pk: int) -> HttpResponse:
    """One filled in: as JSON for scripts, else appended to the draft. `reply` is its id."""
    found = get_object_or_404(visible_conversations(request.user).select_related("customer", "organization"), pk=pk)
    reply = get_object_or_404(canned.of(request.user), pk=whole_number(request.POST.get("reply", "")))
    text = canned.use(reply, found, request.user)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"text": text})
    typed = request.POST.get("text", "")
    drafts.keep(found, request.user, "reply", f"{typed}\n\n{text}".strip()[:MAX_TEXT], at=now())
    return to_conversation(request, pk, part="composer")


@require_POST
@viewers_too
def preview(request: AgentRequest) -> HttpResponse:
    """What the text looks like when it is sent."""
    return HttpResponse(markdown.shown(request.POST.get("text", "")[:MAX_TEXT]))
