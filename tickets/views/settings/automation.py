"""Macros and automation rules: what is done in one step, and what is done by itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from tickets.desk import conditions, dry_runs, rules, steps
from tickets.desk.models import Macro, Rule, RuleRun
from tickets.views.settings import conditions_form, steps_form
from tickets.views.settings.parts import Repeating, Repeats
from tickets.views.settings.texts import SharedArea, SharedForm

TRIED = 20


class MacroForm(Repeating, SharedForm):
    sections = (("", ("name", "audience")),)
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))

    def repeat(self) -> list[Repeats]:
        known = [part for step in (self.found.actions if self.found else []) for part in steps_form.shown(step)]
        return [Repeats("step", steps_form.StepPart, known, title=_("What it does"), one=_("Action"))]

    def write(self, *, at: datetime) -> Macro:
        macro: Macro = self.found or Macro()
        given = [step for part in self.given("step") if (step := steps_form.given_in(part)) is not None]
        try:
            macro.actions = steps.cleaned(given, for_rule=False)
        except steps.BadStep as error:
            raise Refused(str(error)) from error
        macro.name = self.cleaned_data["name"]
        self.keep(macro, at=at)
        macro.save()
        return macro


class Macros(SharedArea):
    key, model, form = "macros", Macro, MacroForm
    is_own = True
    add_words = gettext_lazy("Add macro")
    empty = (
        gettext_lazy("No macro yet"),
        gettext_lazy("Reply, tag, hand over and set a status in one step, for what comes again and again."),
    )

    def rows_told(self, found: Sequence[Any], user: User) -> list[Row]:
        sayer = steps_form.Sayer(one.actions for one in found)
        return [
            Row(one.pk, one.name, sayer.said(one.actions), [self.whose(one)], "zap", opens=self.may_change(user, one))
            for one in found
        ]


class RuleForm(Repeating):
    sections = (("", ("name", "is_active", "event", "idle_hours", "position")),)
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Switched on"))
    event = forms.ChoiceField(label=gettext_lazy("When"))
    idle_hours = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=steps.LONGEST_SNOOZE_HOURS,
        label=gettext_lazy("After how many hours"),
        help_text=gettext_lazy("Only for “nothing has happened”."),
    )
    position = forms.IntegerField(
        min_value=0, max_value=10_000, initial=0, label=gettext_lazy("Place"), help_text=gettext_lazy("Lower is first.")
    )

    def arrange(self) -> None:
        field = self.fields["event"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = conditions_form.event_choices(rules.kinds())

    def repeat(self) -> list[Repeats]:
        rule = self.found
        asked = [conditions_form.shown(one) for one in (rule.conditions if rule else [])]
        known = [part for step in (rule.actions if rule else []) for part in steps_form.shown(step)]
        return [
            Repeats(
                "condition", conditions_form.ConditionPart, asked, title=_("If all of this holds"), one=_("Condition")
            ),
            Repeats("step", steps_form.StepPart, known, title=_("Do this"), one=_("Action"), more={"for_rule": True}),
        ]

    def columns(self) -> dict[str, Any]:
        """The rule's columns as the form has them. Raises Refused."""
        try:
            asked = [conditions_form.given_in(part) for part in self.given("condition") if part["field"]]
        except conditions.BadCondition as error:
            raise Refused(str(error)) from error
        done = [step for part in self.given("step") if (step := steps_form.given_in(part)) is not None]
        hours = self.cleaned_data["idle_hours"] if self.cleaned_data["event"] == rules.IDLE else None
        return {**self.cleaned_data, "idle_hours": hours, "conditions": asked, "actions": done}

    def write(self, *, at: datetime) -> Rule:
        try:
            return rules.save_rule(self.found or Rule(), self.columns(), at=at)
        except rules.BadRule as error:
            raise Refused(str(error), error.field) from error


class Rules(Area):
    key, model, form = "rules", Rule, RuleForm
    order = ("position", "id")
    add_words = gettext_lazy("Add rule")
    empty = (
        gettext_lazy("No rule yet"),
        gettext_lazy("When something happens and conditions hold, do something: tag it, hand it over, answer it."),
    )
    remove_words = gettext_lazy("What it has done stays done; the list of what it did goes with it.")
    template = "settings/rule.jinja"

    def rows(self, user: User) -> QuerySet[Rule]:
        # The last run stands first in an index; to count them all would read them all.
        last = RuleRun.objects.filter(rule=OuterRef("pk")).order_by("-pk")
        return Rule.objects.annotate(ran_at=Subquery(last.values("at")[:1]), ran=Subquery(last.values("state")[:1]))

    def rows_told(self, found: Sequence[Any], user: User) -> list[Row]:
        sayer = steps_form.Sayer(one.actions for one in found)
        return [self._told(one, sayer) for one in found]

    def _told(self, found: Any, sayer: steps_form.Sayer) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Switched off"), "")]
        if found.ran == RuleRun.State.FAILED:
            marks.append((_("Failed the last time"), "warn"))
        ran = _("ran last on %(day)s") % {"day": f"{localtime(found.ran_at):%Y-%m-%d}"} if found.ran_at else ""
        meta = [conditions_form.event_name(found.event), sayer.said(found.actions), ran]
        return Row(found.pk, found.name, " · ".join(filter(None, meta)), marks, "workflow")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        tried, refused = None, ""
        if form.is_bound and "preview" in request.POST and isinstance(form, RuleForm) and not form.problems():
            tried, refused = _try(form, request)
        runs = list(found.runs.select_related("conversation").order_by("-id")[:20]) if found else []
        sayer = steps_form.Sayer(match.actions for match in tried.matches) if tried else steps_form.Sayer([])
        return {"tried": tried, "refused": refused, "runs": runs, "said": sayer.said}


def _try(form: RuleForm, request: HttpRequest) -> tuple[dry_runs.DryRun | None, str]:
    """What the rule of the form would have done lately; nothing is saved. Or why it is no rule."""
    assert isinstance(request.user, User), "admin_view"
    rule = Rule(pk=form.found.pk if form.found else None)
    try:
        for name, value in form.columns().items():
            setattr(rule, name, value)
        return dry_runs.dry_run(rules.checked(rule), request.user, TRIED, now()), ""
    except Refused as error:
        return None, str(error.words)
    except rules.BadRule as error:
        return None, str(error)


AREAS = (Macros(), Rules())
