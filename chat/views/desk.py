"""What agents do with chats: each one action, then back to the conversation; and the page that shows all chats."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import agents, chats, handling, offers, supervision
from chat.handling import CannotReceive, NotLive, Taken
from chat.models import Chat, ChatAgent
from helpdesk.conversations.models import Tag
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import Team, User
from helpdesk.customers.visibility import visible_teams
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.events.actors import Actor
from helpdesk.numbers import whole_number

LONGEST_NOTE: Final = 10_000
MOST_TAGS: Final = 200


@require_GET
@agent_view
def overview(request: AgentRequest) -> HttpResponse:
    """Who waits, who has how many, who is there; the inside alone for a page that is open."""
    at = now()
    since = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    context: dict[str, Any] = {
        "found": supervision.now_for(request.user, since=since),
        "mine": agents.profile(request.user),
        "may_lead": request.user.is_admin,
        "at": at,
    }
    is_inside = request.headers.get("HX-Target") == "chats"
    return page(request, "_chats.jinja" if is_inside else "chats.jinja", **context)


@require_POST
@agent_view
def state(request: AgentRequest) -> HttpResponse:
    """Available or away; JSON for scripts, else back to the chats."""
    wanted = request.POST.get("state", "")
    if wanted not in ChatAgent.State.values:
        raise Http404
    agents.choose(request.user, wanted, at=now())
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(agents.profile(request.user))
    return redirect("chat:chats")


def _act(act: Callable[[AgentRequest, int], None]) -> Callable[..., HttpResponse]:
    """A view that does one thing with a chat this agent may see, and returns to it."""

    @require_POST
    @agent_view
    def view(request: AgentRequest, pk: int) -> HttpResponse:
        _visible(request, pk)
        try:
            act(request, pk)
        except Taken as taken:
            messages.warning(request, _("%(who)s has taken it.") % {"who": taken.by})
        except NotLive:
            messages.info(request, _("This chat is not live any more."))
        return _back(request, pk)

    return view  # type: ignore[return-value]


@_act
def take(request: AgentRequest, pk: int) -> None:
    handling.take(pk, request.user, at=now())


@_act
def take_over(request: AgentRequest, pk: int) -> None:
    """Whoever has it: a lead's."""
    if not request.user.is_admin:
        raise PermissionDenied
    handling.take_over(pk, request.user, at=now())


@_act
def decline(request: AgentRequest, pk: int) -> None:
    offers.decline(pk, request.user, at=now())


@_act
def hold(request: AgentRequest, pk: int) -> None:
    handling.hold(pk, request.user, at=now())


@_act
def anything_else(request: AgentRequest, pk: int) -> None:
    handling.ask_for_more(pk, request.user, at=now())


@_act
def end(request: AgentRequest, pk: int) -> None:
    chats.end(pk, actor=Actor.agent(request.user), at=now())


@require_http_methods(["GET", "POST"])
@agent_view
def convert(request: AgentRequest, pk: int) -> HttpResponse:
    """Asks for a subject and a category; then it is a ticket with a number, and the same conversation."""
    chat = _visible(request, pk)
    subject = request.POST.get("subject", chat.conversation.subject).replace("\x00", "").strip()
    if request.method == "POST" and subject:
        category = request.POST.get("category", "").replace("\x00", "").strip()[:80]
        handling.convert(pk, request.user, subject=subject, category=category, at=now())
        messages.success(request, _("It is a ticket now: #%(number)s.") % {"number": pk})
        return _back(request, pk)
    tags = Tag.objects.order_by("name").values_list("name", flat=True)[:MOST_TAGS]
    status = 422 if request.method == "POST" else 200
    return page(request, "chat_convert.jinja", status=status, pk=pk, subject=subject, tags=list(tags))


@require_http_methods(["GET", "POST"])
@agent_view
def hand_on(request: AgentRequest, pk: int) -> HttpResponse:
    """To an agent, who is asked first, or to a team; with a note for them."""
    chat = _visible(request, pk)
    error = ""
    if request.method == "POST":
        try:
            _hand_on(request, pk)
        except NotLive:
            messages.info(request, _("This chat is not live any more."))
        except CannotReceive:
            error = _("Choose somebody who may see this chat and answer it.")
        if not error:
            return _back(request, pk)
    team = chat.conversation.team
    there = [one for one in supervision.agents_now() if one["id"] != request.user.pk]
    context = {"pk": pk, "people": there, "teams": visible_teams(request.user), "team": team, "error": error}
    return page(request, "chat_hand_on.jinja", status=422 if error else 200, **context)


def _hand_on(request: AgentRequest, pk: int) -> None:
    kind, _colon, number = request.POST.get("to", "").partition(":")
    key = whole_number(number)
    note = request.POST.get("note", "").replace("\x00", "")[:LONGEST_NOTE]
    if kind == "team":
        team = get_object_or_404(Team, pk=key)
        handling.hand_to_team(pk, request.user, team, note=note, at=now())
    else:
        to = User.objects.filter(pk=key).first()
        if kind != "agent" or to is None:
            raise CannotReceive
        handling.hand_to_agent(pk, request.user, to, note=note, at=now())


def _visible(request: AgentRequest, pk: int) -> Chat:
    """Raises Http404."""
    found = Chat.objects.select_related("conversation__team")
    return get_object_or_404(found, pk=pk, conversation__in=visible_conversations(request.user))


def _back(request: AgentRequest, pk: int) -> HttpResponse:
    """To where the agent was, the chats or the conversation; to the chats where they may see it no more."""
    if request.POST.get("back") == "chats" or not visible_conversations(request.user).filter(pk=pk).exists():
        return redirect("chat:chats")
    return redirect("tickets:conversation", pk)
