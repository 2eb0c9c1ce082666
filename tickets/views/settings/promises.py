"""SLA policies: a goal for each priority, counted on a calendar."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from helpdesk.customers.models import User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SerialForm, SettingsForm
from helpdesk.sla.models import Calendar, Policy, Target
from helpdesk.sla.serializers import PRIORITIES, PolicySerializer
from tickets.desk.wording import labels
from tickets.views.settings import deadlines

CODES = tuple(code for code, _words in PRIORITIES)
TARGETS = (Target.DISPATCH, Target.FIRST_RESPONSE, Target.NEXT_RESPONSE, Target.RESOLUTION)
# One field for all priorities: whoever waits in a chat waits the same.
LIVE = "live"


def field_name(target: str, priority: str) -> str:
    return f"{target}-{priority}"


class PolicyForm(SerialForm):
    serializer = PolicySerializer
    sections = (("", ("name", "calendar")),)
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    calendar = forms.ModelChoiceField(
        Calendar.objects.all(),
        label=gettext_lazy("Calendar"),
        help_text=gettext_lazy("Only its opening hours count."),
    )

    def arrange(self) -> None:
        names = labels(get_language())
        for target in TARGETS:
            for code in CODES:
                said = f"{names['target'][target]}, {names['priority'][code]}"
                self.fields[field_name(target, code)] = fields.DurationField(required=False, label=said)
        said = _("First response while a customer waits in a live chat, in office hours")
        self.fields[LIVE] = fields.DurationField(required=False, label=said)

    def values(self, found: Policy | None) -> dict[str, Any]:
        given = super().values(found)
        goals = {
            LIVE if goal["live"] else field_name(goal["target"], goal["priority"]): goal["minutes"]
            for goal in given.pop("goals", [])
        }
        return {**given, **goals}

    def payload(self) -> dict[str, Any]:
        given = super().payload()
        goals = [
            {"target": target.value, "priority": code, "minutes": minutes}
            for target in TARGETS
            for code in CODES
            if (minutes := given.pop(field_name(target, code), None)) is not None
        ]
        live = given.pop(LIVE, None)
        if live is not None:
            first = Target.FIRST_RESPONSE.value
            goals += [{"target": first, "priority": code, "minutes": live, "live": True} for code in CODES]
        return {**given, "goals": goals}

    def table(self) -> Iterable[tuple[str, list[forms.BoundField]]]:
        """One row a priority, one column a target."""
        names = labels(get_language())["priority"]
        for code in CODES:
            yield names[code], [self[field_name(target, code)] for target in TARGETS]

    def goals(self) -> dict[str, int]:
        """Minutes to the first response by priority, as the form has them now."""
        found = {}
        for code in CODES:
            name = field_name(Target.FIRST_RESPONSE, code)
            minutes = self.cleaned_data.get(name) if self.is_bound else self.initial.get(name)
            if minutes:
                found[code] = int(minutes)
        return found


class Policies(Area):
    key, model, form = "policies", Policy, PolicyForm
    add_words = gettext_lazy("Add policy")
    empty = (
        gettext_lazy("No policy yet"),
        gettext_lazy("What you promise: how soon a request is answered, by priority, counted in opening hours."),
    )
    remove_words = gettext_lazy("Promises already made stay as they are.")
    children = ("goals",)
    template = "settings/policy.jinja"

    def rows(self, user: User) -> QuerySet[Policy]:
        return Policy.objects.select_related("calendar").annotate(size=Count("plans"))

    def row(self, found: Any, user: User) -> Row:
        plans = ngettext("%(count)s plan", "%(count)s plans", found.size) % {"count": found.size}
        return Row(found.pk, found.name, f"{found.calendar} · {plans}", [], "timer")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        assert isinstance(form, PolicyForm)
        calendar = form.cleaned_data.get("calendar") if form.is_bound else (found.calendar if found else None)
        start, goals = deadlines.asked(request), form.goals()
        names = [labels(get_language())["target"][target] for target in TARGETS]
        due = deadlines.of_calendar(calendar, goals, start) if calendar else []
        return {"targets": names, "due": due, "start": start}


AREAS = (Policies(),)
