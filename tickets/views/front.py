"""What customers see around a ticket: what the priorities mean, and the thanks for one (the form is `ticket_form`)."""

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from helpdesk.conversations.models import Conversation, Priority
from helpdesk.customers.sessions import signed_in
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.models import Clock, Goal, Target
from tickets.mail import acknowledgement
from tickets.views import framing
from tickets.zones import known_zone

THANKS = "tickets.thanks"
THANKS_FOR = 24 * 3600


def situations() -> list[tuple[str, str, str, str]]:
    """Priority, its name, the situation in the customer's words, and the first response promised without a contract."""
    default = Goal.objects.filter(policy__plans__is_default=True, is_live=False)
    goals = default.filter(target=Target.FIRST_RESPONSE)
    promised = {
        goal.priority: acknowledgement.goal(
            goal.seconds, hours_of(goal.policy.calendar_id, goal.policy.calendar.version)
        )
        for goal in goals.select_related("policy__calendar")
    }
    words = {
        Priority.URGENT: (_("Urgent"), _("My production site is down or unusable")),
        Priority.HIGH: (_("High"), _("My production site is up, but something is badly wrong")),
        Priority.NORMAL: (_("Normal"), _("I need help with something")),
        Priority.LOW: (_("Low"), _("I have a question, a request or a suggestion")),
    }
    return [(key, name, situation, promised.get(key, "")) for key, (name, situation) in words.items()]


@never_cache
@xframe_options_exempt
@require_GET
def thanks(request: HttpRequest) -> HttpResponse:
    """Number, priority and the promise, for whoever holds the signed link of the ticket just sent."""
    try:
        pk = signing.loads(request.GET.get("ticket", ""), salt=THANKS, max_age=THANKS_FOR)
    except signing.BadSignature as error:
        raise Http404 from error
    conversation = get_object_or_404(Conversation.objects.select_related("customer"), pk=pk)
    clocks = Clock.objects.select_related("calendar").filter(conversation=conversation, target=Target.FIRST_RESPONSE)
    clock = clocks.order_by("id").first()
    is_framed, customer = "embedded" in request.GET, signed_in(request)
    context = {
        "shell": "front/embedded.html" if is_framed else "front/base.html",
        "is_framed": is_framed,
        "customer": None if is_framed or customer is None or customer.pk != conversation.customer_id else customer,
        "conversation": conversation,
        "situation": acknowledgement.situation(conversation.priority),
        "goal": acknowledgement.goal(clock.goal_seconds, hours_of(clock.calendar_id, clock.calendar_version))
        if clock
        else "",
        "due": _due(conversation, clock),
    }
    response = render(request, "front/thanks.html", context)
    return framing.allow(response, framing.origins(request.GET["embedded"])) if is_framed else response


def _due(conversation: Conversation, clock: Clock | None) -> str:
    if clock is None or clock.due_at is None:
        return ""
    return acknowledgement.local_time(clock.due_at, known_zone(conversation.customer.timezone, clock.calendar.timezone))
