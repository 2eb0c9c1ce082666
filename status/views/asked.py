"""What the desk's forms ask for about incidents, and the states of components beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from helpdesk.desk import fields
from helpdesk.desk.forms import dress
from helpdesk.numbers import is_number
from status import wording
from status.incidents import LONGEST_BODY, STATUSES, Opening, Words
from status.models import Component, Impact, Incident, IncidentUpdate, State

NOW, DRAFT, LATER = "now", "draft", "later"
_WHEN: Final = (
    (NOW, _("Publish now")),
    (LATER, _("Publish later")),
    (DRAFT, _("Keep as a draft")),
)
_TIME_FORMAT: Final = "%Y-%m-%dT%H:%M"


def time_field(**options: Any) -> forms.DateTimeField:
    """A local time of the agent's zone, as browsers ask for it."""
    widget = forms.DateTimeInput(format=_TIME_FORMAT, attrs={"type": "datetime-local"})
    return forms.DateTimeField(widget=widget, **options)


class Asked(forms.Form):
    """Drawn as the settings' forms are."""

    use_required_attribute = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.arrange()
        for field in self.fields.values():
            dress(field)

    def arrange(self) -> None:
        """Fields that depend on what it is about."""

    def drawn(self, *names: str) -> list[forms.BoundField]:
        """Those of these fields that there are."""
        return [self[name] for name in names if name in self.fields]

    def problems(self) -> list[tuple[str, str, str]]:
        """For the summary on top: the field's id, its label, what is wrong with it."""
        found = [("", "", str(error)) for error in self.non_field_errors()]
        for bound in self:
            found += [(bound.auto_id, str(bound.label), str(error)) for error in bound.errors]
        return found


class WordsForm(Asked):
    """The next words about an incident of a kind."""

    status = forms.ChoiceField(label=_("Status"))
    body = forms.CharField(
        label=_("What to tell"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Markdown. It goes to the page, to subscribers, and into every linked conversation."),
    )
    short_text = forms.CharField(
        label=_("In short"),
        required=False,
        max_length=280,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For networks with little room; otherwise the text is cut."),
    )
    tells = forms.BooleanField(
        label=_("Tell subscribers and customers who asked"),
        required=False,
        initial=True,
        help_text=_("Otherwise it stands on the page alone."),
    )
    when = forms.ChoiceField(label=_("When"), choices=_WHEN, initial=NOW, widget=forms.RadioSelect)
    publish_at = time_field(label=_("At"), required=False)

    def __init__(self, *args: Any, kind: str, at: datetime, **options: Any) -> None:
        self.kind, self.at = kind, at
        super().__init__(*args, **options)

    def arrange(self) -> None:
        field = self.fields["status"]
        assert isinstance(field, forms.ChoiceField), "a status is chosen"
        field.choices = [(one.value, str(wording.STATUSES[one])) for one in STATUSES[Incident.Kind(self.kind)]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == LATER and not self.errors:
            publish_at = cleaned.get("publish_at")
            if publish_at is None or publish_at <= self.at:
                self.add_error("publish_at", _("Give a time to come."))
        return cleaned

    def words(self, states: Mapping[int, str]) -> Words:
        """As the actions take them."""
        given = self.cleaned_data
        return Words(
            status=given["status"],
            body=given["body"],
            components=states or None,
            tells=given["tells"],
            short_text=given["short_text"],
            is_draft=given["when"] == DRAFT,
            publish_at=given["publish_at"] if given["when"] == LATER else None,
        )


def initial_of(update: IncidentUpdate) -> dict[str, Any]:
    """What a WordsForm shows of an update that is not published."""
    when = DRAFT if update.publish_at is None else LATER
    same = {name: getattr(update, name) for name in ("status", "body", "short_text", "tells", "publish_at")}
    return {**same, "when": when}


class IncidentForm(WordsForm):
    """A new incident with its first words."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("What customers notice: Websites are slow."))
    impact = forms.ChoiceField(
        label=_("Impact"), required=False, help_text=_("Otherwise it follows from the components."),
        choices=[("", _("As the components say")), *((code, wording.IMPACTS[code]) for code in Impact.values[:-1])],
    )  # fmt: skip
    started_at = time_field(label=_("Broken since"), required=False, help_text=_("Empty for now."))

    def opening(self, states: Mapping[int, str]) -> Opening:
        given = self.cleaned_data
        return Opening(
            name=given["name"],
            words=self.words(states),
            impact_override=given["impact"],
            started_at=given["started_at"],
        )


class MaintenanceForm(WordsForm):
    """A new maintenance with its announcement."""

    name = forms.CharField(label=_("Name"), max_length=200)
    scheduled_for = time_field(label=_("Begins"))
    scheduled_until = time_field(label=_("Ends"))
    remind_minutes = fields.DurationField(
        label=_("Remind before"), required=False, initial=60, help_text=_("Such as 1 h; empty for no reminder.")
    )
    is_automatic = forms.BooleanField(
        label=_("Begins and ends by the clock"),
        required=False,
        initial=True,
        help_text=_("Otherwise whoever is on call is asked if nobody begins or ends it."),
    )

    def opening(self, states: Mapping[int, str]) -> Opening:
        given = self.cleaned_data
        return Opening(
            name=given["name"],
            words=self.words(states),
            kind=Incident.Kind.MAINTENANCE,
            scheduled_for=given["scheduled_for"],
            scheduled_until=given["scheduled_until"],
            remind_minutes=given["remind_minutes"] or 0,
            is_automatic=given["is_automatic"],
        )


class PastForm(Asked):
    """An incident that is written down afterwards: it counts for uptime, and nobody is told."""

    name = forms.CharField(label=_("Name"), max_length=200)
    started_at = time_field(label=_("Broken since"))
    resolved_at = time_field(label=_("Works again since"))
    body = forms.CharField(
        label=_("What was wrong"), max_length=LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Markdown. It stands on the page; nobody is told."),
    )  # fmt: skip

    def opening(self, states: Mapping[int, str]) -> Opening:
        given = self.cleaned_data
        words = Words(Incident.Status.RESOLVED, given["body"], states, tells=False, display_at=given["resolved_at"])
        return Opening(
            name=given["name"],
            words=words,
            started_at=given["started_at"],
            resolved_at=given["resolved_at"],
            is_backfilled=True,
        )


class ChangeForm(Asked):
    """What an incident is called, how bad it is, since when."""

    name = forms.CharField(label=_("Name"), max_length=200)
    impact = IncidentForm.base_fields["impact"]
    started_at = time_field(label=_("Broken since"))


class MoveForm(Asked):
    """Another window for a maintenance, and what is said about it."""

    name = forms.CharField(label=_("Name"), max_length=200)
    scheduled_for = time_field(label=_("Begins"))
    scheduled_until = time_field(label=_("Ends"))
    body = forms.CharField(
        label=_("What to tell"), required=False, max_length=LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Markdown. Where nothing is written the page changes, and nobody is told."),
    )  # fmt: skip
    tells = WordsForm.base_fields["tells"]


class CancelForm(Asked):
    """Why a maintenance is called off."""

    body = forms.CharField(
        label=_("What to tell"), max_length=LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Markdown."),
    )  # fmt: skip
    tells = WordsForm.base_fields["tells"]


class CorrectionForm(Asked):
    """Other words for an update."""

    body = forms.CharField(label=_("Text"), max_length=LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 8}))
    display_at = time_field(label=pgettext_lazy("of an update", "Said at"))


@dataclass(frozen=True, slots=True)
class Line:
    """A component as a line of a form; `chosen` is the state given for it, "" for none."""

    component: Component
    group: str
    chosen: str


def lines(chosen: Mapping[int, str]) -> list[Line]:
    """All components in the page's order, with what is chosen for each."""
    rows = Component.objects.filter(is_group=False).select_related("group")
    order = sorted(rows, key=lambda one: (one.group.position if one.group else one.position, one.group_id or 0,
                                          one.position, one.name, one.pk))  # fmt: skip
    return [Line(one, one.group.name if one.group else "", chosen.get(one.pk, "")) for one in order]


def states_of(sent: Mapping[str, str]) -> dict[int, str]:
    """The states that were chosen: `state_12=major_outage`. What is no state or no component is left out."""
    found = {}
    for name, state in sent.items():
        number = name.removeprefix("state_")
        if name.startswith("state_") and is_number(number) and state in State.values:
            found[int(number)] = state
    known = set(Component.objects.filter(pk__in=found, is_group=False).values_list("pk", flat=True))
    return {pk: state for pk, state in found.items() if pk in known}
