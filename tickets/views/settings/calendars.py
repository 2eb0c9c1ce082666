"""Calendars: opening hours of a week, own days, imported holidays, and what would be due when."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.dates import WEEKDAYS
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from holidays import list_supported_countries
from rest_framework import serializers

from helpdesk.customers import audit
from helpdesk.customers.models import User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SerialForm, SettingsForm
from helpdesk.events.actors import Actor
from helpdesk.numbers import whole_number
from helpdesk.sla import calendars
from helpdesk.sla.holiday_serializers import ICalFileSerializer, ICalTextSerializer
from helpdesk.sla.models import Calendar, HolidayFeed, Target
from helpdesk.sla.serializers import CalendarSerializer, HolidayImportSerializer
from helpdesk.sla.week import WEEKDAYS as KEYS
from tickets.views.access import AgentRequest
from tickets.views.settings import deadlines, generic

EXAMPLE_GOALS: Mapping[str, int] = {"urgent": 30, "high": 240, "normal": 720, "low": 2160}


class SpansField(forms.CharField):
    """A day's opening spans as `08:00-12:00, 13:00-20:00`; empty where it is closed."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": _("closed")})
        super().__init__(max_length=400, required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join("–".join(span) for span in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").replace("–", "-").replace("—", "-")
        spans = [part.split("-") for part in text.split(",") if part.strip()]
        if any(len(span) != 2 for span in spans):
            raise forms.ValidationError(_("Write spans such as 08:00–12:00, 13:00–20:00."))
        return [[_padded(end.strip()) for end in span] for span in spans]

    def run_validators(self, value: Any) -> None:
        """What spans mean is decided where they are counted."""


def _padded(text: str) -> str:
    """8 → 08:00, 8:30 → 08:30, so that nobody has to write zeros."""
    hours, colon, rest = text.partition(":")
    return f"{hours:0>2}:{rest or '00'}" if hours.isdecimal() and (not colon or rest) else text


class DaysField(forms.CharField):
    """Days of one's own, one a line: `2026-12-24 Christmas Eve`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100_000, required=False, widget=forms.Textarea(attrs={"rows": 5}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{one['date']} {one['name']}" for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        found = []
        for line in (super().to_python(value) or "").splitlines():
            if not line.strip():
                continue
            day, _blank, name = line.strip().partition(" ")
            try:
                date.fromisoformat(day)
            except ValueError as error:
                raise forms.ValidationError(
                    _("“%s” is no day: write such as 2026-12-24 Christmas Eve.") % line.strip()[:40]
                ) from error
            found.append({"date": day, "name": name.strip()[:120]})
        return found

    def run_validators(self, value: Any) -> None:
        """The serializer bounds the list."""


class CalendarForm(SerialForm):
    serializer = CalendarSerializer
    sections = (
        ("", ("name", "timezone", "is_office")),
        (gettext_lazy("Opening hours"), KEYS),
        (gettext_lazy("Days of your own"), ("holidays",)),
    )
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    timezone = fields.zone_field(initial=settings.OFFICE_TIME_ZONE)
    is_office = forms.BooleanField(
        required=False,
        label=gettext_lazy("Our office hours"),
        help_text=gettext_lazy("What comes in outside them goes to the engineer on call."),
    )
    holidays = DaysField(
        label=gettext_lazy("Closed on"),
        help_text=gettext_lazy("One a line: the day and what it is, such as 2026-12-24 Christmas Eve."),
    )

    def values(self, found: Calendar | None) -> dict[str, Any]:
        if found is None:
            return {key: [["08:00", "20:00"]] for key in KEYS[:5]}
        given = super().values(found)
        own = [{"date": one["date"], "name": one["name"]} for one in given["holidays"] if not one["source"]]
        week = given.pop("week")
        return {**given, "holidays": own, **{key: week.get(key, []) for key in KEYS}}

    def arrange(self) -> None:
        for number, key in enumerate(KEYS):
            self.fields[key] = SpansField(label=str(WEEKDAYS[number]))
        self.fields[KEYS[0]].help_text = _(
            "Such as 08:00–12:00, 13:00–20:00. Empty is closed; 22:00–06:00 ends next day."
        )

    def payload(self) -> dict[str, Any]:
        given = super().payload()
        week = {key: given.pop(key, []) for key in KEYS}
        return {**given, "week": {key: spans for key, spans in week.items() if spans}}

    def take_errors(self, detail: Any) -> None:
        """What is wrong with the week stands at its first day, or at the one it names."""
        if isinstance(detail, Mapping) and "week" in detail:
            words = str(detail["week"][0] if isinstance(detail["week"], list) else detail["week"])
            day = next((key for key in KEYS if words.startswith(key)), KEYS[0])
            detail = {**{name: value for name, value in detail.items() if name != "week"}, day: [words]}
        super().take_errors(detail)


class Calendars(Area):
    key, model, form = "calendars", Calendar, CalendarForm
    add_words = gettext_lazy("Add calendar")
    empty = (
        gettext_lazy("No calendar yet"),
        gettext_lazy("Opening hours and holidays. Every promise is counted on one."),
    )
    children = ("holidays",)
    template = "settings/calendar.jinja"

    def rows(self, user: User) -> QuerySet[Calendar]:
        return Calendar.objects.annotate(size=Count("holidays"))

    def row(self, found: Any, user: User) -> Row:
        days = ngettext("%(count)s day off", "%(count)s days off", found.size) % {"count": found.size}
        marks: list[tuple[Any, str]] = [(_("Office"), "acc")] if found.is_office else []
        return Row(found.pk, found.name, f"{found.timezone} · {days}", marks, "calendar")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_calendars_edit", args=[found.pk])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        start = deadlines.asked(request)
        own, feeds, coming = [], [], []
        if found is not None:
            feeds = list(found.feeds.annotate(size=Count("holidays")).order_by("source"))
            coming = list(found.holidays.filter(date__gte=localdate()).select_related("feed").order_by("date")[:12])
            own = list(found.holidays.exclude(feed=None).values_list("date", flat=True))
        return {
            "due": _preview(form, own, start, found),
            "start": start,
            "feeds": feeds,
            "coming": coming,
            "days": KEYS,
            "countries": sorted(list_supported_countries(include_aliases=False)),
        }

    def more_routes(self) -> Iterable[URLPattern]:
        base = "desk/settings/calendars/<int:pk>/"
        for what, view in (("country", _import_country), ("ical", _import_ical), ("feed", _remove_feed)):
            yield path(f"{base}{what}/", generic.guarded(self, view), name=f"settings_calendars_{what}")


def _preview(form: SettingsForm, imported: list[date], start: Any, found: Calendar | None) -> list[deadlines.Due]:
    """Deadlines on the hours as the form has them now, saved or not."""
    if form.is_bound and any(name in form.errors for name in ("timezone", "holidays", *KEYS)):
        return []
    given = form.cleaned_data if form.is_bound else form.initial
    week = {key: given.get(key) for key in KEYS if given.get(key)}
    days = [str(one["date"]) for one in given.get("holidays", [])] + [day.isoformat() for day in imported]
    zone = given.get("timezone") or settings.OFFICE_TIME_ZONE
    return deadlines.reckon(str(zone), week, days, _goals(found), start)


def _goals(calendar: Calendar | None) -> Mapping[str, int]:
    """First responses as the first policy on this calendar has them, else an example."""
    policy = calendar.policies.order_by("pk").first() if calendar else None
    if policy is None:
        return EXAMPLE_GOALS
    goals = policy.goals.filter(target=Target.FIRST_RESPONSE, is_live=False).values_list("priority", "seconds")
    minutes = {priority: max(1, seconds // 60) for priority, seconds in goals}
    return {code: minutes[code] for code in EXAMPLE_GOALS if code in minutes} or EXAMPLE_GOALS


CALENDARS = Calendars()


def _imported(request: AgentRequest, pk: int, given: Any) -> HttpResponse:
    """Run an import the API knows as well; whatever it says against it is shown."""
    calendar = generic.row_or_404(CALENDARS, request, pk)
    try:
        with transaction.atomic():
            before = CALENDARS.snapshot(calendar)
            given.is_valid(raise_exception=True)
            given.save(calendar=calendar)
            after = CALENDARS.snapshot(calendar)
            audit.record(request.user.pk, "changed", calendar, before, after, at=now())
    except serializers.ValidationError as error:
        messages.error(request, " ".join(words for _name, words in _said(error)))
    else:
        added = max(len(after["holidays"]) - len(before["holidays"]), 0)
        messages.success(
            request, ngettext("%(count)s more day off.", "%(count)s more days off.", added) % {"count": added}
        )
    return redirect("tickets:settings_calendars_edit", pk)


def _said(error: serializers.ValidationError) -> list[tuple[str, str]]:
    detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    return [(str(name), str(words[0] if isinstance(words, list) else words)) for name, words in detail.items()]


@require_POST
def _import_country(request: AgentRequest, pk: int) -> HttpResponse:
    data = {name: request.POST.get(name, "").strip().upper() for name in ("country", "subdivision")}
    return _imported(request, pk, HolidayImportSerializer(data=data))


@require_POST
def _import_ical(request: AgentRequest, pk: int) -> HttpResponse:
    name, file = request.POST.get("name", "").strip(), request.FILES.get("file")
    context = {"request": request}
    if file is not None:
        return _imported(request, pk, ICalFileSerializer(data={"name": name, "file": file}, context=context))
    data = {"name": name or "import", "text": request.POST.get("text", "")}
    return _imported(request, pk, ICalTextSerializer(data=data, context=context))


@require_POST
def _remove_feed(request: AgentRequest, pk: int) -> HttpResponse:
    """Take back what a source brought; the calendar's own days stay."""
    calendar = generic.row_or_404(CALENDARS, request, pk)
    feed = HolidayFeed.objects.filter(calendar=calendar, pk=whole_number(request.POST.get("feed", ""))).first()
    if feed is not None:
        before = CALENDARS.snapshot(calendar)
        with transaction.atomic():
            calendars.remove_feed(feed, actor=Actor.agent(request.user), at=now())
            audit.record(request.user.pk, "changed", calendar, before, CALENDARS.snapshot(calendar), at=now())
        messages.success(request, _("%s is taken out.") % feed.source)
    return redirect("tickets:settings_calendars_edit", pk)


AREAS = (CALENDARS,)
