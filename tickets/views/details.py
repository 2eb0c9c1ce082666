"""What agents keep beside the thread: notes on the customer, who reads along, what is to do, time, own fields."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.conversations import custom_fields, following
from helpdesk.conversations.actions import Changes
from helpdesk.conversations.models import Conversation, Tag
from helpdesk.events.actors import Actor
from helpdesk.numbers import whole_number
from tickets.desk import chores, customer_notes
from tickets.desk.models import ChecklistItem, TimeEntry
from tickets.mail import forwarding
from tickets.views.access import AgentRequest, agent_view, visible
from tickets.views.returning import change_and_return, to_conversation

MOST_TAGS = 10


@require_POST
@agent_view
def notes_on_customer(request: AgentRequest, pk: int) -> HttpResponse:
    visible(request, pk)
    given, was = request.POST.get("notes", ""), request.POST.get("was_notes", "")
    try:
        customer_notes.note_customer(pk, given, request.user, was=was, at=now())
    except customer_notes.Changed:
        messages.error(request, _("Somebody has changed these notes since. Yours were: %(notes)s") % {"notes": given})
    return to_conversation(request, pk, part="customer")


@require_POST
@agent_view
def followers(request: AgentRequest, pk: int) -> HttpResponse:
    """`add`: addresses; `remove`: a customer's id."""
    visible(request, pk)
    actor, at = Actor.agent(request.user), now()
    if gone := whole_number(request.POST.get("remove", "")):
        following.unfollow(pk, [gone], actor=actor, at=at)
    try:
        following.follow(pk, forwarding.addresses_in(request.POST.get("add", "")), actor=actor, at=at)
    except (forwarding.CannotForward, following.TooManyFollowers) as error:
        messages.error(request, str(error))
    return to_conversation(request, pk, part="followers")


@require_POST
@agent_view
def checklist(request: AgentRequest, pk: int) -> HttpResponse:
    """`add`: a text; `done`, `reopen` or `remove`: an item's id."""
    visible(request, pk)
    steps: dict[str, Callable[[str, datetime], object]] = {
        "add": lambda text, at: text.strip() and chores.add_item(pk, text.strip(), request.user, at=at),
        "done": lambda item, at: chores.tick(pk, whole_number(item), True, request.user, at=at),
        "reopen": lambda item, at: chores.tick(pk, whole_number(item), False, request.user, at=at),
        "remove": lambda item, at: chores.remove_item(pk, whole_number(item), request.user, at=at),
    }
    return _step(request, pk, steps, "checklist")


@require_POST
@agent_view
def time_spent(request: AgentRequest, pk: int) -> HttpResponse:
    """`minutes` with `note`, or `remove`: one's own entry's id."""
    visible(request, pk)
    note = request.POST.get("note", "").strip()
    steps: dict[str, Callable[[str, datetime], object]] = {
        "remove": lambda entry, at: chores.unspend(pk, whole_number(entry), request.user, at=at),
        "minutes": lambda minutes, at: chores.spend(pk, whole_number(minutes), note, request.user, at=at),
    }
    return _step(request, pk, steps, "time")


def _step(
    request: AgentRequest, pk: int, steps: dict[str, Callable[[str, datetime], object]], part: str
) -> HttpResponse:
    name = next((name for name in steps if name in request.POST), None)
    try:
        if name is not None:
            steps[name](request.POST[name], now())
    except chores.TooMany as error:
        messages.error(request, str(error))
    except (ChecklistItem.DoesNotExist, TimeEntry.DoesNotExist) as error:
        raise Http404 from error
    return to_conversation(request, pk, part=part)


@require_POST
@agent_view
def fields(request: AgentRequest, pk: int) -> HttpResponse:
    """The company's own fields, sent as `custom_KEY` beside `was_custom_KEY`."""
    found: Conversation = visible(request, pk)
    try:
        values = custom_fields.given_in(request.POST, custom_fields.fields())
    except custom_fields.Unfit as error:
        messages.error(request, str(error))
        return to_conversation(request, pk, part="fields")
    return change_and_return(request, found, Changes(custom=values), at=now())


@require_GET
@agent_view
def tags(request: AgentRequest) -> JsonResponse:
    """Tags that begin with what was typed."""
    typed = request.GET.get("q", "").strip().lower()[:80]
    names = Tag.objects.filter(name__startswith=typed).order_by("name").values_list("name", flat=True)[:MOST_TAGS]
    return JsonResponse({"results": [{"id": name, "name": name, "hint": ""} for name in names]})
