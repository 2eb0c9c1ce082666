"""On-call schedules with their layers, and escalation: who has the pager when, and whom a page calls."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from helpdesk.customers.models import User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SerialForm, SettingsForm
from helpdesk.events.actors import Actor
from helpdesk.oncall import escalation_editing, rota_editing, rotas
from helpdesk.oncall.api_escalation import EscalationPolicySerializer
from helpdesk.oncall.models import EscalationPolicy, Layer, Override, Schedule
from helpdesk.oncall.serializers import ScheduleInputSerializer
from tickets.desk import rota_picture
from tickets.views.access import AgentRequest
from tickets.views.settings import generic
from tickets.views.settings.parts import Part, Repeating, Repeats

_DAYS = [(str(number), WEEKDAYS_ABBR[number]) for number in range(7)]
_ROTATIONS = [
    (Layer.Rotation.WEEKLY.value, gettext_lazy("weeks")),
    (Layer.Rotation.DAILY.value, gettext_lazy("days")),
    (Layer.Rotation.HOURS.value, gettext_lazy("hours")),
]


def _active() -> QuerySet[User]:
    return User.objects.filter(is_active=True)


class LayerPart(Part):
    """People taking turns. They are named in their order, one a line."""

    members = forms.CharField(
        required=False,
        max_length=8_000,
        label=gettext_lazy("Who, in order"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("E-mail addresses, one a line, in the order of their turns."),
    )
    turn = forms.IntegerField(min_value=1, max_value=366 * 24, initial=1, label=gettext_lazy("A turn lasts"))
    rotation = forms.ChoiceField(choices=_ROTATIONS, label=gettext_lazy("Counted in"))
    handoff = forms.TimeField(
        label=gettext_lazy("Handed over at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    starts_on = forms.DateField(
        label=gettext_lazy("First turn begins on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    days = forms.MultipleChoiceField(
        choices=_DAYS,
        required=False,
        label=gettext_lazy("Only on"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: on all days, at all times."),
    )
    start = forms.CharField(required=False, max_length=5, label=gettext_lazy("from"))
    end = forms.CharField(
        required=False, max_length=5, label=gettext_lazy("until"), help_text=gettext_lazy("Such as 08:00, 24:00.")
    )

    def clean_members(self) -> list[int]:
        wanted = [line.strip().lower() for line in str(self.cleaned_data["members"]).splitlines() if line.strip()]
        known = {user.email.lower(): user.pk for user in _active().filter(email__in=wanted)}
        unknown = [line for line in wanted if line not in known]
        if unknown:
            raise forms.ValidationError(_("%s is no active agent.") % unknown[0][:80])
        return [known[line] for line in wanted]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("days") and not (cleaned.get("start") and cleaned.get("end")):
            self.add_error("start", _("Say from when until when on these days."))
        return cleaned


class ScheduleForm(Repeating, SerialForm):
    serializer = ScheduleInputSerializer
    sections = (("", ("name", "timezone", "fallback")),)
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    timezone = fields.zone_field(initial=settings.OFFICE_TIME_ZONE)
    fallback = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label=gettext_lazy("When nobody has a turn, call"),
        help_text=gettext_lazy("A page never has nobody to go to."),
    )

    def values(self, found: Schedule | None) -> dict[str, Any]:
        return {name: value for name, value in super().values(found).items() if name != "layers"}

    def repeat(self) -> list[Repeats]:
        today, known = localdate(), []
        self._layers: list[Layer] = []
        if self.found is not None:
            layers = self.found.layers.prefetch_related("turns__user").order_by("position")
            # One without members was taken out; only its past is kept.
            self._layers = [layer for layer in layers if layer.turns.all()]
            known = [_layer_values(layer) for layer in self._layers]
        offered = {"turn": 1, "handoff": time(9), "starts_on": today - timedelta(days=today.weekday())}
        return [Repeats("layer", LayerPart, known, title=_("Who takes turns"), one=_("Layer"), offered=offered)]

    def payload(self) -> dict[str, Any]:
        given, layers = super().payload(), []
        free = max([layer.position for layer in self._layers], default=0) + 1
        for place, part in enumerate(self.repeated["layer"].bound()):
            if not part.is_valid() or part.is_left_out():
                continue
            known = self._layers[place] if place < len(self._layers) else None
            # A layer keeps its position: its past shifts hang on it.
            position, free = (known.position, free) if known else (free, free + 1)
            # Of several restrictions, which the API can write, the form shows the first.
            more = list(known.restrictions[1:]) if known else []
            layers.append({"position": position, **_layer_given(part, more)})
        return {**given, "layers": layers}


def _layer_values(layer: Layer) -> dict[str, Any]:
    first = (layer.restrictions or [{}])[0]
    return {
        "members": "\n".join(turn.user.email for turn in layer.turns.all()),
        "turn": layer.turn,
        "rotation": layer.rotation,
        "handoff": layer.handoff,
        "starts_on": layer.starts_on,
        "days": [str(day) for day in first.get("days", [])],
        "start": first.get("start", ""),
        "end": first.get("end", ""),
    }


def _layer_given(part: Part, more: list[dict[str, Any]]) -> dict[str, Any]:
    said = part.cleaned_data
    own = [{"days": [int(day) for day in said["days"]], "start": said["start"], "end": said["end"]}]
    return {
        "rotation": said["rotation"],
        "turn": said["turn"],
        "starts_on": said["starts_on"],
        "handoff": said["handoff"],
        "members": said["members"],
        "restrictions": (own if said["days"] else []) + more,
    }


class Schedules(Area):
    key, model, form = "schedules", Schedule, ScheduleForm
    add_words = gettext_lazy("Add schedule")
    empty = (
        gettext_lazy("No schedule yet"),
        gettext_lazy("Who has the pager when. Without one, every agent is called."),
    )
    remove_words = gettext_lazy("Who was on call is forgotten with it.")
    children = ("layers",)
    template = "settings/schedule.jinja"

    def rows(self, user: User) -> QuerySet[Schedule]:
        return Schedule.objects.select_related("fallback")

    def row(self, found: Any, user: User) -> Row:
        at = now()
        gaps = rotas.coverage_gaps(found, at=at)
        said = ngettext("%(count)s gap in 14 days", "%(count)s gaps in 14 days", len(gaps)) % {"count": len(gaps)}
        marks: list[tuple[Any, str]] = [(said, "warn")] if gaps else [(_("No gap"), "ok")]
        on_call = _("%s is on call") % rotas.on_call(found.pk, at)
        return Row(found.pk, found.name, f"{on_call} · {found.timezone}", marks, "calendar-clock")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_schedules_edit", args=[found.pk])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        if found is None:
            return {"picture": None, "stand_ins": [], "agents": []}
        at = now()
        names = dict(User.objects.values_list("pk", "name"))
        coming = found.overrides.filter(during__endswith__gt=at).select_related("user").order_by("during")
        picture = rota_picture.of_schedule(found, names, at)
        return {"picture": picture, "stand_ins": list(coming[:20]), "agents": list(_active())}

    def more_routes(self) -> Iterable[URLPattern]:
        yield path(
            "desk/settings/stand-ins/<int:pk>/delete/",
            generic.guarded(self, _stand_down),
            name="settings_schedules_stand_down",
        )


@require_POST
def _stand_down(request: AgentRequest, pk: int) -> HttpResponse:
    """Take a stand-in back."""
    override = get_object_or_404(Override, pk=pk)
    try:
        rota_editing.stand_down(override, at=now(), actor=Actor.agent(request.user))
    except rota_editing.OverrideIsOver:
        messages.error(request, _("This is over; what has been stays on record."))
    else:
        messages.success(request, _("Taken back."))
    return redirect("tickets:settings_schedules_edit", override.schedule_id)


class StepPart(Part):
    """Whoever is on call in a schedule, or one person; then a while."""

    who = forms.ChoiceField(required=False, label=gettext_lazy("Call"))
    minutes = fields.DurationField(label=gettext_lazy("Then wait"), initial=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schedules = [(f"schedule:{pk}", name) for pk, name in Schedule.objects.values_list("pk", "name")]
        people = [(f"user:{user.pk}", str(user)) for user in _active()]
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Nobody")),
            (_("Whoever is on call in"), schedules),
            (_("One person"), people),
        ]


class EscalationForm(Repeating, SerialForm):
    serializer = EscalationPolicySerializer
    sections = (("", ("name", "repeats", "is_default")),)
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    repeats = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000,
        label=gettext_lazy("Begin again"),
        help_text=gettext_lazy("How many times after the last step. Empty: until somebody acknowledges."),
    )
    is_default = forms.BooleanField(
        required=False, label=gettext_lazy("Default"), help_text=gettext_lazy("For teams without one of their own.")
    )

    def values(self, found: EscalationPolicy | None) -> dict[str, Any]:
        return {name: value for name, value in super().values(found).items() if name != "steps"}

    def repeat(self) -> list[Repeats]:
        known = [
            {
                "who": f"schedule:{step.schedule_id}" if step.schedule_id else f"user:{step.user_id}",
                "minutes": max(1, round(step.delay_seconds / 60)),
            }
            for step in (self.found.steps.all() if self.found else ())
        ]
        return [Repeats("step", StepPart, known, title=_("Whom it calls"), one=_("Step"), offered={"minutes": 10})]

    def payload(self) -> dict[str, Any]:
        steps = []
        for said in self.given("step"):
            kind, _colon, pk = said["who"].partition(":")
            if kind:
                steps.append({kind: int(pk), "delay_seconds": said["minutes"] * 60})
        return {**super().payload(), "steps": steps}


class Escalations(Area):
    key, model, form = "escalations", EscalationPolicy, EscalationForm
    add_words = gettext_lazy("Add escalation")
    empty = (
        gettext_lazy("No escalation yet"),
        gettext_lazy("Whom a page calls first, whom after ten minutes, whom then. Without one, everybody at once."),
    )
    remove_words = gettext_lazy("Its teams go on with the default one. Open pages keep their steps.")
    children = ("steps",)
    template = "settings/escalation.jinja"

    def rows(self, user: User) -> QuerySet[EscalationPolicy]:
        return EscalationPolicy.objects.prefetch_related("steps__schedule", "steps__user").annotate(
            size=Count("teams", distinct=True)
        )

    def row(self, found: Any, user: User) -> Row:
        calls = " → ".join(str(step.schedule or step.user) for step in found.steps.all())
        marks: list[tuple[Any, str]] = [(_("Default"), "acc")] if found.is_default else []
        return Row(found.pk, found.name, calls, marks, "megaphone")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_escalations_edit", args=[found.pk])

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        try:
            escalation_editing.remove_escalation_policy(found)
        except escalation_editing.LastDefault as error:
            raise Refused(_("Make another escalation the default one first.")) from error

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        """Who each step would call now, and the next 14 days of the schedules in it."""
        at, names = now(), dict(User.objects.values_list("pk", "name"))
        steps, pictures, waited = [], {}, 0
        for step in found.steps.select_related("schedule__fallback", "user") if found else ():
            who = rotas.on_call(step.schedule_id, at) if step.schedule_id else step.user
            steps.append({"after": fields.written(waited / 60), "who": who, "schedule": step.schedule})
            waited += step.delay_seconds
            if step.schedule is not None and step.schedule_id not in pictures:
                pictures[step.schedule_id] = rota_picture.of_schedule(step.schedule, names, at)
        return {"steps": steps, "pictures": list(pictures.values()), "whole": fields.written(waited / 60)}


AREAS = (Schedules(), Escalations())
