"""The area "Changes of plan": what is planned, planned anew, taken back."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from helpdesk.customers import plan_changes
from helpdesk.customers.models import Organization, Plan, PlanChange, User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedField


class ChangeForm(SettingsForm):
    organization = NamedField(
        Organization.objects.all(),
        label=gettext_lazy("Organization"),
        help_text=gettext_lazy("Its name, or the beginning of it."),
    )
    plan = forms.ModelChoiceField(Plan.objects.all(), label=gettext_lazy("Its plan from then on"))
    due_at = forms.DateTimeField(
        label=gettext_lazy("From"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        help_text=gettext_lazy("In your time zone. What is being worked on keeps the promises it was begun with."),
    )
    reason = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Why"), help_text=gettext_lazy("Such as: the trial ends.")
    )

    def write(self, *, at: datetime) -> PlanChange:
        given, user = self.cleaned_data, self.request.user
        assert isinstance(user, User), "the settings are the admin's"
        try:
            return plan_changes.plan(
                given["organization"], given["plan"], due_at=given["due_at"], by=user, at=at, reason=given["reason"]
            )
        except plan_changes.BadDay:
            raise Refused(gettext_lazy("Give a time to come, within ten years."), "due_at") from None


class PlanChanges(Area):
    key, model, form = "plan_changes", PlanChange, ChangeForm
    order = ("due_at", "id")
    searches = ("organization__name",)
    edits = False
    is_noted_here = False
    add_words = gettext_lazy("Plan a change")
    empty = (
        gettext_lazy("No change is planned"),
        gettext_lazy("A trial that ends, an upgrade from next month: plan it here, and it happens by itself."),
    )
    remove_words = gettext_lazy("The organization keeps its plan.")
    remove_button = gettext_lazy("Take back")

    def rows(self, user: User) -> QuerySet[PlanChange]:
        return PlanChange.objects.select_related("organization", "plan").filter(done_at=None)

    def row(self, found: Any, user: User) -> Row:
        when = f"{localtime(found.due_at):%Y-%m-%d %H:%M}"
        meta = " · ".join(filter(None, [when, found.reason]))
        return Row(found.pk, str(found), meta, icon="layers")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        try:
            plan_changes.take_back(found.pk, by=user, at=at)
        except plan_changes.NotPlanned:
            raise Refused(gettext_lazy("It has happened already.")) from None


PLAN_CHANGES = PlanChanges()
