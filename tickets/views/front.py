"""What customers see: the front page, the ticket form, and the thanks for a ticket."""

from datetime import datetime

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.conversations import incidents
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.conversations.uploads import files_of
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.models import Clock, Goal, Target
from tickets import web_form
from tickets.forms import TicketForm
from tickets.mail import acknowledgement
from tickets.models import Mailbox
from tickets.zones import known_zone

THANKS = "tickets.thanks"
THANKS_FOR = 24 * 3600


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    mailbox = Mailbox.objects.filter(is_default=True).first()
    return render(request, "front/front.html", {"mailbox": mailbox, "situations": situations()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_ticket(request: HttpRequest) -> HttpResponse:
    """The form; sent with errors it comes back with everything that was typed."""
    at = now()
    if request.method != "POST":
        shown = {"service": request.GET.get("service", "")[:253], "subject": request.GET.get("subject", "")[:200]}
        return _show(request, TicketForm(initial=shown), at)
    form = TicketForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, at, status=422)
    try:
        conversation = web_form.submit(_submission(request, form), at=at)
    except web_form.StaleForm:
        form.add_error(None, _("This form had been open for very long. Nothing is lost: please send it again."))
        return _show(request, form, at, status=422)
    except web_form.TooMany:
        form.add_error(
            None, _("Very many forms came from you in a short time. Please try again later, or write a mail.")
        )
        return _show(request, form, at, status=429)
    except web_form.Blocked:
        form.add_error(None, _("We take no forms from this address."))
        return _show(request, form, at, status=403)
    token = signing.dumps(conversation.pk, salt=THANKS)
    return redirect(f"{reverse('tickets:thanks')}?ticket={token}")


def _submission(request: HttpRequest, form: TicketForm) -> web_form.Submission:
    said = form.cleaned_data
    return web_form.Submission(
        email=said["email"],
        name=said["name"],
        subject=said["subject"],
        message=said["message"],
        priority=said["priority"],
        service=said["service"],
        files=files_of(said["uploads"]),
        token=said["token"],
        remote=request.META.get("REMOTE_ADDR", ""),
    )


def _show(request: HttpRequest, form: TicketForm, at: datetime, status: int = 200) -> HttpResponse:
    sent = form.data.get("token", "") if form.is_bound else ""
    # A form sent again keeps its number, so that two clicks stay one ticket; an overdue one gets a new one.
    token = sent if sent and not form.non_field_errors() else web_form.new_token(at)
    service = str(form["service"].value() or "")[:253]
    context = {
        "form": form,
        "token": token,
        "situations": situations(),
        "errors": form.errors,
        "troubles": incidents.of_form(service),
    }
    return render(request, "front/new_ticket.html", context, status=status)


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
    context = {
        "conversation": conversation,
        "situation": acknowledgement.situation(conversation.priority),
        "goal": acknowledgement.goal(clock.goal_seconds, hours_of(clock.calendar_id, clock.calendar_version))
        if clock
        else "",
        "due": _due(conversation, clock),
    }
    return render(request, "front/thanks.html", context)


def _due(conversation: Conversation, clock: Clock | None) -> str:
    if clock is None or clock.due_at is None:
        return ""
    return acknowledgement.local_time(clock.due_at, known_zone(conversation.customer.timezone, clock.calendar.timezone))
