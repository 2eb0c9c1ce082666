"""The area "Topics": what customers choose in the ticket form, and what follows from it."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from helpdesk.conversations.models import CustomField, Priority
from helpdesk.customers.models import Team, User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SettingsForm
from tickets.desk.models import Topic
from tickets.desk.wording import labels


class TopicForm(SettingsForm):
    sections = (
        ("", ("name", "hint", "position", "is_active")),
        (gettext_lazy("Where it goes"), ("team", "priority")),
        (gettext_lazy("What is asked for"), ("fields_shown", "fields_required")),
    )
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    hint = forms.CharField(
        required=False,
        max_length=5000,
        label=gettext_lazy("Hint"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Shown above the form: what helps us most, and where the answer often is."),
    )
    position = forms.IntegerField(min_value=0, max_value=10_000, initial=0, label=gettext_lazy("Place in the list"))
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Offered"))
    team = forms.ModelChoiceField(
        Team.objects.all(), required=False, label=gettext_lazy("Team"), empty_label=gettext_lazy("The default one")
    )
    priority = forms.ChoiceField(required=False, label=gettext_lazy("Priority"))
    fields_shown = forms.ModelMultipleChoiceField(
        CustomField.objects.filter(is_active=True), required=False, label=gettext_lazy("Fields"),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    fields_required = forms.ModelMultipleChoiceField(
        CustomField.objects.filter(is_active=True), required=False, label=gettext_lazy("Of these must be filled in"),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def arrange(self) -> None:
        names = labels(get_language())["priority"]
        field = self.fields["priority"]
        assert isinstance(field, forms.ChoiceField), "a priority is chosen"
        field.choices = [("", _("The customer says")), *((code, names[code]) for code in Priority.values)]

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {}
        return {
            **super().values(found),
            "fields_shown": list(found.fields.all()),
            "fields_required": list(found.required_fields.all()),
        }

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        same = Topic.objects.filter(name=name)
        if (same.exclude(pk=self.found.pk) if self.found else same).exists():
            raise forms.ValidationError(_("There is a topic of this name already."))
        return name

    def write(self, *, at: datetime) -> Topic:
        row, given = self.found or Topic(), self.cleaned_data
        for name in ("name", "hint", "position", "is_active", "team", "priority"):
            setattr(row, name, given[name])
        row.save()
        row.fields.set([*given["fields_shown"], *given["fields_required"]])
        row.required_fields.set(given["fields_required"])
        return row


class Topics(Area):
    key, model, form = "topics", Topic, TopicForm
    order = ("position", "name", "id")
    searches = ("name",)
    add_words = gettext_lazy("Add topic")
    empty = (
        gettext_lazy("No topic yet"),
        gettext_lazy("Without topics the form asks everybody the same."),
    )
    remove_words = gettext_lazy("Tickets that came by it stay.")

    def rows(self, user: User) -> QuerySet[Topic]:
        return Topic.objects.select_related("team")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Not offered"), "")]
        meta = " · ".join(filter(None, [str(found.team or ""), found.hint[:80]]))
        return Row(found.pk, found.name, meta, marks, "list")


TOPICS = Topics()
