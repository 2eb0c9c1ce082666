"""What agents and customers send by form, checked. Fields are drawn by the templates."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from helpdesk.conversations import custom_fields
from helpdesk.conversations.actions import Changes
from helpdesk.conversations.models import CustomField, Priority, Status
from helpdesk.customers import agents
from helpdesk.customers.models import Customer, Service, Team, User
from helpdesk.numbers import LARGEST_ID
from helpdesk.oncall.models import Schedule
from tickets.models import Topic
from tickets.uploads import FilesField

MAX_TEXT = 200_000
AFTER_REPLY = (Status.PENDING, Status.OPEN, Status.ON_HOLD, Status.RESOLVED)


def agent_named(name: str) -> User | None:
    """Who is meant, None for nobody at all. Raises ValidationError."""
    try:
        return agents.called(name) if name.strip() else None
    except agents.NoSuchAgent as error:
        words = _("Nobody here, or more than one, is called “%(word)s”: the address says who.")
        raise forms.ValidationError(words, params={"word": name[:80]}) from error


class MessageForm(forms.Form):
    """A reply or a note from the composer."""

    kind = forms.ChoiceField(choices=[("reply", _("Reply")), ("note", _("Note"))])
    text = forms.CharField(required=False, max_length=MAX_TEXT, strip=False)
    then = forms.ChoiceField(choices=[(status, status) for status in AFTER_REPLY], required=False)
    client_id = forms.UUIDField(required=False)
    uploads = FilesField(required=False)
    # What the page showed when it was written, and which saved draft it is.
    seen = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)
    draft = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)
    cc = forms.CharField(required=False, max_length=4000)
    was_cc = forms.CharField(required=False, max_length=20_000)
    # Why it leaves although its network's rules hold it back.
    insists = forms.CharField(required=False, max_length=300)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned["text"].strip() and not cleaned["uploads"]:
            self.add_error("text", _("Write something or add a file."))
        return cleaned


class WorkForm(forms.Form):
    """What agents change about a conversation.

    Beside every field `x` the page sent what it showed as `was_x`. Only what differs from that is a change, so that a
    page opened an hour ago takes nothing back that somebody else has changed since.
    """

    FIELDS = ("status", "priority", "team", "assignee", "subject", "tags", "services")

    status = forms.ChoiceField(choices=Status, required=False)
    priority = forms.ChoiceField(choices=Priority, required=False)
    team = forms.ModelChoiceField(Team.objects.all(), required=False)
    assignee = forms.ModelChoiceField(User.objects.all(), required=False)
    subject = forms.CharField(max_length=500, required=False)
    tags = forms.CharField(max_length=2000, required=False)
    services = forms.ModelMultipleChoiceField(Service.objects.all(), required=False)
    # By name, where there are too many to list.
    assignee_name = forms.CharField(max_length=254, required=False)
    add_service = forms.CharField(max_length=253, required=False)

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in str(self.cleaned_data["tags"]).split(",") if tag.strip()][:50]

    def clean_assignee(self) -> User | None:
        user: User | None = self.cleaned_data["assignee"]
        if user is not None and not user.is_active and self._is_changed("assignee"):
            raise forms.ValidationError(_("%s no longer works here.") % user)
        return user

    def clean_assignee_name(self) -> User | None:
        return agent_named(self.cleaned_data["assignee_name"])

    def clean_add_service(self) -> Service | None:
        name = str(self.cleaned_data["add_service"]).strip()
        found = Service.objects.filter(name__iexact=name).first() if name else None
        if name and found is None:
            raise forms.ValidationError(_("There is no service called %s.") % name)
        return found

    def changes(self) -> Changes:
        """Call after is_valid()."""
        given = {name: self.cleaned_data[name] for name in self.FIELDS if self._is_changed(name)}
        if self.cleaned_data["add_service"] is not None:
            given["services"] = [*self.cleaned_data["services"], self.cleaned_data["add_service"]]
        if self.cleaned_data["assignee_name"] is not None:
            given["assignee"] = self.cleaned_data["assignee_name"]
        return Changes(**given)

    def _is_changed(self, name: str) -> bool:
        data = self.data
        if not isinstance(data, QueryDict):
            return False
        if name in ("status", "priority") and not data.get(name):
            return False
        return sorted(data.getlist(name)) != sorted(data.getlist(f"was_{name}"))


class HandlingForm(forms.Form):
    """How a page will be handled, in words for the customer."""

    handling = forms.CharField(required=False, max_length=20_000, strip=False)
    client_id = forms.UUIDField(required=False)


class StandInForm(forms.Form):
    """Somebody takes over the pager for a while; times are in the agent's zone."""

    schedule = forms.ModelChoiceField(Schedule.objects.all())
    user = forms.ModelChoiceField(User.objects.filter(is_active=True))
    # By name, where there are too many to list.
    user_name = forms.CharField(max_length=254, required=False)
    start = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    end = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

    def clean_user_name(self) -> User | None:
        return agent_named(self.cleaned_data["user_name"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["user"] = cleaned.get("user_name") or cleaned.get("user")
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and not start < end:
            self.add_error("end", _("This is not after the beginning."))
        return cleaned


class TicketForm(forms.Form):
    """The customers' form. `website` is for machines: people never see it. Who is known (`customer`) names no address;
    a `topic` may say the priority itself, and asks for fields of its own (`custom_KEY`).
    """

    name = forms.CharField(max_length=200, required=False)
    email = forms.EmailField(max_length=254, error_messages={"required": _("We need an address to answer to.")})
    subject = forms.CharField(max_length=200, error_messages={"required": _("Say in a few words what it is about.")})
    priority = forms.ChoiceField(choices=Priority, initial=Priority.NORMAL)
    service = forms.CharField(max_length=253, required=False)
    message = forms.CharField(max_length=MAX_TEXT, error_messages={"required": _("Tell us what happened.")})
    uploads = FilesField(required=False)
    website = forms.CharField(required=False, max_length=500)
    token = forms.CharField(required=False, max_length=300)

    def __init__(
        self, *args: Any, customer: Customer | None = None, topic: Topic | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if customer is not None:
            del self.fields["email"], self.fields["name"]
        if topic is not None and topic.priority:
            del self.fields["priority"]
        self.asked = list(topic.fields.filter(is_active=True)) if topic else []
        required = {one.pk for one in topic.required_fields.all()} if topic else set()
        self.needed = {one.key for one in self.asked if one.pk in required}

    def clean_subject(self) -> str:
        return " ".join(str(self.cleaned_data["subject"]).split())

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_("Please leave this field empty."))
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["custom"] = {}
        for one in self.asked:
            try:
                value = custom_fields.value_of(one, str(self.data.get(f"custom_{one.key}", "")))
            except custom_fields.Unfit as error:
                self.add_error(None, str(error))
                continue
            if value is None and one.key in self.needed:
                self.add_error(None, _("%(field)s is missing.") % {"field": one.name})
            elif value is not None:
                cleaned["custom"][one.key] = value
        return cleaned

    def drawn(self) -> list[tuple[CustomField, str, bool]]:
        """The topic's own fields: each with what was typed, and whether it is needed."""
        return [(one, str(self.data.get(f"custom_{one.key}", "")), one.key in self.needed) for one in self.asked]
