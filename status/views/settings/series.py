"""Maintenance that comes again: when, how long, of what."""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedManyField
from helpdesk.oncall.wall_clock import first_instant, zone
from status import recurrence, series
from status.models import Component, Incident, MaintenanceSeries
from status.views.asked import time_field

OWN: Final = "own"
SHOWN: Final = 8
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULES: Final = {
    "FREQ=DAILY": gettext_lazy("Every day"),
    "FREQ=WEEKLY": gettext_lazy("Every week on this weekday"),
    "FREQ=WEEKLY;INTERVAL=2": gettext_lazy("Every second week on this weekday"),
    "nth": gettext_lazy("Every month on this weekday of it, such as the second Tuesday"),
    "FREQ=MONTHLY": gettext_lazy("Every month on this day of it"),
    "FREQ=MONTHLY;INTERVAL=3": gettext_lazy("Every third month on this day of it"),
    OWN: gettext_lazy("By a rule of one's own"),
}


class SeriesForm(SettingsForm):
    sections = (
        ("", ("name", "body", "components")),
        (gettext_lazy("When"), ("begins", "timezone", "minutes", "how", "rule", "remind_minutes")),
    )
    name = forms.CharField(max_length=200, label=gettext_lazy("Name"), help_text=gettext_lazy("Customers read it."))
    body = forms.CharField(
        required=False, max_length=50_000, label=gettext_lazy("Text"), widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Markdown. What is done, and what customers notice of it."),
    )  # fmt: skip
    components = NamedManyField(
        Component.objects.filter(is_group=False), required=False, label=gettext_lazy("Components"),
        help_text=gettext_lazy("Names, one a line: under maintenance meanwhile."),
    )  # fmt: skip
    begins = time_field(
        label=gettext_lazy("The first time"), help_text=gettext_lazy("As the clock in the time zone below shows it.")
    )
    timezone = fields.zone_field(
        help_text=gettext_lazy("The time of day stays what it is there, also when the clocks are changed.")
    )
    minutes = fields.DurationField(label=gettext_lazy("Lasts"), help_text=gettext_lazy("Such as 2 h or 90 min."))
    how = forms.ChoiceField(choices=list(_RULES.items()), label=gettext_lazy("Comes again"), initial="FREQ=WEEKLY")
    rule = forms.CharField(
        required=False, max_length=recurrence.LONGEST, label=gettext_lazy("Rule"),
        help_text=gettext_lazy("As in RFC 5545: FREQ=MONTHLY;BYDAY=-1SU. For a rule of one's own alone."),
    )  # fmt: skip
    remind_minutes = fields.DurationField(
        required=False, initial=60, label=gettext_lazy("Remind before"),
        help_text=gettext_lazy("Such as 1 h; empty for no reminder. Otherwise nobody is told of each time."),
    )  # fmt: skip

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {"timezone": timezone.get_current_timezone_name()}
        begins = found.begins.astimezone(zone(found.timezone)).replace(tzinfo=None)
        return {
            **super().values(found),
            "begins": begins,
            "how": next((how for how in _RULES if _rule(how, "", begins) == found.rule), OWN),
            "components": list(found.components.values_list("pk", flat=True)),
        }

    def write(self, *, at: datetime) -> MaintenanceSeries:
        given = dict(self.cleaned_data)
        components, how = given.pop("components"), given.pop("how")
        where = _zone(given["timezone"])
        # Whatever zone the agent is in, they have written what the clock there shows.
        wall = timezone.make_naive(given["begins"])
        given["begins"] = first_instant(where, wall.date(), wall.time())
        given["remind_minutes"] = given["remind_minutes"] or 0
        given["rule"] = _rule(how, given["rule"], wall)
        try:
            given["rule"] = recurrence.check(given["rule"])
            comes = recurrence.first(given["rule"], given["begins"], where)
        except recurrence.WrongRule as error:
            raise Refused(str(error), "rule" if how == OWN else "how") from error
        if comes is None:
            raise Refused(_("This rule never comes true."), "rule")
        if given["minutes"] > timedelta(days=31) / timedelta(minutes=1):
            raise Refused(_("At most 31 days."), "minutes")
        return series.save(self.found, given, components, at=at)


def _rule(how: str, own: str, begins: datetime) -> str:
    """The rule that a choice means for what begins then."""
    if how == OWN:
        return own
    if how == "nth":
        return f"FREQ=MONTHLY;BYDAY={(begins.day - 1) // 7 + 1}{_DAYS[begins.weekday()]}"
    return how


def _zone(name: str) -> ZoneInfo:
    try:
        return zone(name.strip())
    except ValueError as error:
        raise Refused(_("This is not a time zone such as Europe/Berlin."), "timezone") from error


class Series(Area):
    key, model, form = "maintenance_series", MaintenanceSeries, SeriesForm
    searches = ("name",)
    add_words = gettext_lazy("Add recurring maintenance")
    empty = (
        gettext_lazy("Nothing comes again yet"),
        gettext_lazy("Updates every second Tuesday at night: written down once, on the page sixty days ahead."),
    )
    remove_words = gettext_lazy(
        "What is planned by it and nobody was told of goes; what has begun, is past or was changed by hand stays."
    )
    template = "settings/maintenance_series.jinja"

    def row(self, found: Any, user: User) -> Row:
        how = next((str(words) for rule, words in _RULES.items() if rule == found.rule), found.rule)
        return Row(
            found.pk, found.name, f"{how} · {fields.written(found.minutes)} · {found.timezone}", [], "refresh-cw"
        )

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        ahead = Incident.objects.none() if found is None else found.windows.filter(resolved_at=None)
        return {"ahead": list(ahead.filter(scheduled_until__gt=now()).order_by("scheduled_for")[:SHOWN])}

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        series.end(found, at=at)
        found.delete()


SERIES = Series()
