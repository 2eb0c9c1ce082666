"""Words for what happens again: incidents and maintenances begin with them."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedManyField
from status import wording
from status.incidents import STATUSES
from status.models import Component, Incident, IncidentTemplate

KINDS = (
    (Incident.Kind.INCIDENT.value, gettext_lazy("Incident")),
    (Incident.Kind.MAINTENANCE.value, gettext_lazy("Maintenance")),
)


class TemplateForm(SettingsForm):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("Your own word for it."))
    kind = forms.ChoiceField(choices=KINDS, label=gettext_lazy("For"))
    title = forms.CharField(
        max_length=200, label=gettext_lazy("Name of the incident"), help_text=gettext_lazy("Customers read it.")
    )
    status = forms.ChoiceField(choices=list(wording.STATUSES.items()), label=gettext_lazy("Status"))
    body = forms.CharField(
        max_length=50_000, label=gettext_lazy("Text"), widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("Markdown."),
    )  # fmt: skip
    components = NamedManyField(
        Component.objects.filter(is_group=False), required=False, label=gettext_lazy("Components"),
        help_text=gettext_lazy("Names, one a line: chosen already when it is used."),
    )  # fmt: skip

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {}
        return {**super().values(found), "components": list(found.components.values_list("pk", flat=True))}

    def write(self, *, at: datetime) -> IncidentTemplate:
        given = dict(self.cleaned_data)
        components = given.pop("components")
        row = self.found or IncidentTemplate()
        if given["status"] not in STATUSES[Incident.Kind(given["kind"])]:
            raise Refused(gettext_lazy("This status is one of the other kind."), "status")
        if IncidentTemplate.objects.filter(name=given["name"]).exclude(pk=row.pk or 0).exists():
            raise Refused(gettext_lazy("There is a template of this name."), "name")
        for name, value in given.items():
            setattr(row, name, value)
        row.save()
        row.components.set(components)
        return row


class Templates(Area):
    key, model, form = "incident_templates", IncidentTemplate, TemplateForm
    searches = ("name", "title")
    add_words = gettext_lazy("Add template")
    empty = (
        gettext_lazy("No template yet"),
        gettext_lazy("With words at hand the first update is out within a minute."),
    )
    remove_words = gettext_lazy("What was written with it stays.")

    def row(self, found: Any, user: User) -> Row:
        icon = "wrench" if found.kind == Incident.Kind.MAINTENANCE else "megaphone"
        return Row(found.pk, found.name, f"{wording.status(found.status)} · {found.title}", [], icon)


TEMPLATES = Templates()
