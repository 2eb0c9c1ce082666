"""Beginning a conversation at the desk: writing to a customer first, or noting what one asked for by word of mouth."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.conversations import opening
from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.incoming import UnknownPlan
from helpdesk.conversations.models import Message, Priority
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_teams
from helpdesk.customers.models import Customer, Team, User
from helpdesk.customers.permissions import SAFE
from helpdesk.desk import markdown
from helpdesk.numbers import whole_number
from tickets.desk.rendering import page
from tickets.forms import MAX_TEXT
from tickets.uploads import FilesField
from tickets.views.access import AgentRequest, agent_view
from tickets.views.returning import to_conversation

WRITE, NOTE_DOWN = "write", "note_down"
# What a customer asked for by word of mouth stands as if they had filled in the form.
_BY_WORD = "form"


class BeginningForm(forms.Form):
    """Whom it is about, and what is said."""

    kind = forms.ChoiceField(
        choices=[
            (WRITE, gettext_lazy("Write to a customer")),
            (NOTE_DOWN, gettext_lazy("Note down what a customer asked for")),
        ]
    )
    email = forms.EmailField(max_length=254, label=gettext_lazy("Customer's e-mail address"))
    name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Name"))
    subject = forms.CharField(max_length=500, label=gettext_lazy("Subject"))
    text = forms.CharField(max_length=MAX_TEXT, strip=False, label=gettext_lazy("Text"))
    priority = forms.ChoiceField(choices=Priority.choices, initial=Priority.NORMAL, label=gettext_lazy("Priority"))
    team = forms.ModelChoiceField(Team.objects.none(), required=False, label=gettext_lazy("Team"))
    uploads = FilesField(required=False)
    client_id = forms.UUIDField()

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams: Any = self.fields["team"]
        teams.queryset = visible_teams(user)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def begin(request: AgentRequest) -> HttpResponse:
    """The form, for `?customer=` with their address in it; what is sent leads to the conversation."""
    if request.method in SAFE:
        return page(request, "begin.jinja", form=BeginningForm(request.user, initial=_initial(request)))
    form = BeginningForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return page(request, "begin.jinja", status=422, form=form)
    said, at = form.cleaned_data, now()
    try:
        if said["kind"] == WRITE:
            return _written(request, said, at)
        pk, _is_new = opening.open_conversation(
            _opening(said, _BY_WORD),
            request.user,
            at=at,
            files=files_of(said["uploads"]),
            remark=f"Noted down by {request.user.name}",
        )
    except opening.NoAddress:
        form.add_error("email", _("This customer is blocked."))
    except UnknownPlan:
        form.add_error(None, _("No plan holds for this customer: an admin marks one as the default."))
    except NothingToSay:
        form.add_error("text", _("Write something or add a file."))
    else:
        return to_conversation(request, pk)
    return page(request, "begin.jinja", status=422, form=form)


def _initial(request: AgentRequest) -> dict[str, Any]:
    customer = Customer.objects.filter(pk=whole_number(request.GET.get("customer", ""))).first()
    known = {"email": customer.email, "name": customer.name} if customer is not None else {}
    return {"kind": WRITE, "priority": Priority.NORMAL, "client_id": uuid4(), **known}


def _written(request: AgentRequest, said: dict[str, Any], at: datetime) -> HttpResponse:
    text, wait = said["text"], settings.UNDO_SEND_SECONDS
    pk, _is_new = opening.begin_conversation(
        _opening(said, ""),
        request.user,
        at=at,
        html=markdown.render(text) if markdown.is_formatted(text) else "",
        files=files_of(said["uploads"]),
        not_before=at + timedelta(seconds=wait) if wait else None,
    )
    sent = Message.objects.filter(conversation=pk, client_id=said["client_id"]).values_list("pk", flat=True).first()
    return to_conversation(request, pk, query=f"sent={sent}" if wait and sent else "")


def _opening(said: dict[str, Any], channel: str) -> opening.Opening:
    return opening.Opening(
        text=said["text"],
        customer=(said["email"], said["name"]),
        channel=channel,
        subject=" ".join(said["subject"].split()),
        priority=said["priority"],
        team_id=said["team"].pk if said["team"] else None,
        client_id=said["client_id"],
    )
