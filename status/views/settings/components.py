"""What the status page shows the state of: groups, the components in them, what they stand for."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from helpdesk.customers.models import Service, User
from helpdesk.desk.areas import Area, Found, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedManyField
from status import editing, wording
from status.models import Component

MOST_TOLD: Final = 3
# What only things have that can break.
_OF_COMPONENTS: Final = ("group", "services", "own_state", "shows_uptime", "only_if_degraded", "started_on")


class ComponentForm(SettingsForm):
    sections = (
        ("", ("name", "description", "is_group", "group", "position")),
        (gettext_lazy("What it stands for"), ("services", "is_private")),
        (gettext_lazy("How it is shown"), ("own_state", "shows_uptime", "only_if_degraded", "started_on")),
    )
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    description = forms.CharField(
        max_length=500, required=False, label=gettext_lazy("Description"),
        help_text=gettext_lazy("What customers know it as."),
    )  # fmt: skip
    is_group = forms.BooleanField(
        required=False, label=gettext_lazy("It is a group"),
        help_text=gettext_lazy("Such as a cluster: it holds components and has no state of its own."),
    )  # fmt: skip
    group = forms.ModelChoiceField(
        Component.objects.filter(is_group=True), required=False, label=gettext_lazy("Lies in"),
        empty_label=gettext_lazy("No group"),
    )  # fmt: skip
    position = forms.IntegerField(
        min_value=0, max_value=1_000_000, initial=0, label=gettext_lazy("Place"),
        help_text=gettext_lazy("Smaller numbers stand further up."),
    )  # fmt: skip
    services = NamedManyField(
        Service.objects.all(), required=False, label=gettext_lazy("Services"),
        help_text=gettext_lazy("Names, one a line. Who has one of them, or a website on it, is affected with it."),
    )  # fmt: skip
    is_private = forms.BooleanField(
        required=False, label=gettext_lazy("Private"),
        help_text=gettext_lazy("Only customers who have one of its services see it and are told."),
    )  # fmt: skip
    own_state = forms.ChoiceField(
        choices=[(code, words) for code, words in wording.STATES.items()], label=gettext_lazy("State by hand"),
        help_text=gettext_lazy("How it is where no incident says worse. Nobody is told."),
    )  # fmt: skip
    shows_uptime = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Show 90 days of uptime"))
    only_if_degraded = forms.BooleanField(
        required=False, label=gettext_lazy("Show it only while something is wrong with it")
    )
    started_on = forms.DateField(
        required=False, label=gettext_lazy("Uptime is counted from"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("Today where nothing is given."),
    )  # fmt: skip

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {"own_state": "operational"}
        return {**super().values(found), "services": list(found.services.values_list("pk", flat=True))}

    def arrange(self) -> None:
        if self.found is not None:
            del self.fields["is_group"]
            for name in _OF_COMPONENTS if self.found.is_group else ():
                del self.fields[name]

    def write(self, *, at: datetime) -> Component:
        given = {name: value for name, value in self.cleaned_data.items() if value is not None or name == "group"}
        services = given.pop("services", None)
        if given.get("is_group"):
            if given.get("group") or services:
                raise Refused(_("A group lies in no other one, and its components stand for services."), "is_group")
            given = {name: value for name, value in given.items() if name not in _OF_COMPONENTS}
        if self.found is None:
            return editing.add(given, services=services or (), at=at)
        return editing.change(self.found, given, services=services, at=at)


class Components(Area):
    key, model, form = "components", Component, ComponentForm
    order = ("position", "name", "id")
    searches = ("name",)
    add_words = gettext_lazy("Add component")
    empty = (
        gettext_lazy("No component yet"),
        gettext_lazy("A component is something customers can see working: a server, mail, the control panel."),
    )
    remove_words = gettext_lazy("Its uptime goes with it. One that an incident has named stays: make it private.")
    MOST = 2_000

    def rows(self, user: User) -> QuerySet[Component]:
        return Component.objects.select_related("group").prefetch_related("services")

    def row(self, found: Any, user: User) -> Row:
        if found.is_group:
            marks: list[tuple[Any, str]] = [(_("Private"), "")] if found.is_private else []
            return Row(found.pk, found.name, found.description, marks, "layers")
        names = [service.name for service in found.services.all()]
        more = len(names) - MOST_TOLD
        told = ", ".join(names[:MOST_TOLD])
        told += ngettext(" and %(count)s more", " and %(count)s more", more) % {"count": more} if more > 0 else ""
        marks = [(wording.state(found.state), wording.TONES[found.state])]
        marks += [(_("Private"), "")] if found.is_private else []
        return Row(found.pk, found.name, told or found.description, marks, "server")

    def list(self, user: User, query: str, after: int) -> Found:
        """As it is on the page; what was searched for, and what is too much for that, as a plain list."""
        if query or after or Component.objects.count() > self.MOST:
            return super().list(user, query, after)
        inside: dict[int | None, list[Component]] = {}
        for one in self.rows(user).order_by(*self.order):
            inside.setdefault(one.group_id, []).append(one)
        rows: list[Row] = []
        for one in inside.get(None, []):
            rows.append(self.row(one, user))
            for part in inside.get(one.pk, []):
                plain = self.row(part, user)
                rows.append(Row(plain.pk, plain.title, plain.meta, plain.marks, plain.icon, 1))
        return Found(rows, 0)

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        editing.remove(found, at=at)


COMPONENTS = Components()
