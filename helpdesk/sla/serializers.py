"""Calendars and policies as the API shows and takes them."""

from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from helpdesk.customers.api_fields import WholeMixin
from helpdesk.events.actors import Actor
from helpdesk.sla import calendars, holiday_sources, policies
from helpdesk.sla.hours import HORIZON_DAYS
from helpdesk.sla.models import Calendar, Goal, Holiday, Policy, Target
from helpdesk.sla.week import InvalidHours

MAX_HOLIDAYS = 2_000
MAX_MINUTES = HORIZON_DAYS * 1440
PRIORITIES = [("urgent", "Urgent"), ("high", "High"), ("normal", "Normal"), ("low", "Low")]


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        "example": {"mon": [["08:00", "20:00"]]},
    }
)
class Week(serializers.JSONField):
    """`{"mon": [["08:00", "20:00"]], …}`; what it means is decided where it is counted."""


class HolidaySerializer(WholeMixin, serializers.ModelSerializer[Holiday]):
    source = serializers.CharField(  # type: ignore[assignment]
        source="feed.source", default="", read_only=True
    )
    date = serializers.DateField()
    name = serializers.CharField(max_length=120, allow_blank=True)

    class Meta:
        model = Holiday
        fields = ["date", "name", "source"]


class CalendarSerializer(serializers.ModelSerializer[Calendar]):
    """`holidays` written are the calendar's own days; those imported from a source stay."""

    name = serializers.CharField(max_length=80, validators=[UniqueValidator(Calendar.objects.all())])
    timezone = serializers.CharField(max_length=60)
    week = Week()
    is_office = serializers.BooleanField(required=False)
    holidays = HolidaySerializer(many=True, required=False)

    class Meta:
        model = Calendar
        fields = ["id", "name", "timezone", "week", "is_office", "version", "holidays"]
        read_only_fields = ["version"]

    def validate_holidays(self, holidays: list[dict[str, Any]]) -> list[tuple[Any, str]]:
        if len(holidays) > MAX_HOLIDAYS:
            raise serializers.ValidationError(
                _("A calendar has at most %(most)s days of its own.") % {"most": MAX_HOLIDAYS}
            )
        return [(holiday["date"], holiday["name"]) for holiday in holidays]

    def create(self, validated_data: dict[str, Any]) -> Calendar:
        given = dict(validated_data)
        at, actor = timezone.now(), _actor(self)
        holidays, is_office = given.pop("holidays", None), given.pop("is_office", None)
        try:
            calendar = calendars.create_calendar(**given, at=at)
            if holidays or is_office:
                more = {"holidays": holidays, "is_office": is_office}
                calendar = calendars.change_calendar(calendar, at=at, actor=actor, **more)
        except InvalidHours as error:
            raise serializers.ValidationError({"week": [str(error)]}) from error
        return calendar

    def update(self, instance: Calendar, validated_data: dict[str, Any]) -> Calendar:
        try:
            return calendars.change_calendar(instance, at=timezone.now(), actor=_actor(self), **validated_data)
        except InvalidHours as error:
            raise serializers.ValidationError({"week": [str(error)]}) from error


class HolidayImportSerializer(serializers.Serializer[Calendar]):
    """Public holidays of a country (ISO 3166-1) and maybe its subdivision (ISO 3166-2), this year and some on."""

    country = serializers.CharField(max_length=2)
    subdivision = serializers.CharField(max_length=10, required=False, allow_blank=True, default="")

    def save(self, **kwargs: Any) -> Calendar:
        at = timezone.now()
        years = range(at.year, (at + timedelta(days=3 * 366)).year)
        given = self.validated_data
        try:
            calendars.import_holidays(kwargs["calendar"], given["country"], given["subdivision"], years, at=at)
        except holiday_sources.UnknownRegion as error:
            raise serializers.ValidationError({"country": [str(error)]}) from error
        except InvalidHours as error:
            raise serializers.ValidationError({"country": [str(error)]}) from error
        calendar: Calendar = kwargs["calendar"]
        calendar.refresh_from_db()
        return calendar


class GoalSerializer(WholeMixin, serializers.ModelSerializer[Goal]):
    target = serializers.ChoiceField(Target.choices)
    priority = serializers.ChoiceField(PRIORITIES)
    minutes = serializers.IntegerField(source="seconds", min_value=1, max_value=MAX_MINUTES)
    live = serializers.BooleanField(
        source="is_live", default=False, help_text="For conversations held live; counted in office hours."
    )

    class Meta:
        model = Goal
        fields = ["target", "priority", "minutes", "live"]
        # Goals come as a list: whether one is given twice is decided on the whole of it.
        validators: ClassVar[list[Any]] = []

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        return {**value, "seconds": value["seconds"] * 60}

    def to_representation(self, instance: Goal) -> dict[str, Any]:
        minutes, rest = divmod(instance.seconds, 60)
        given = {"target": instance.target, "priority": instance.priority, "live": instance.is_live}
        return {**given, "minutes": instance.seconds / 60 if rest else minutes}


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """`goals` written replace those that were; promises already made stay as they are."""

    goals = GoalSerializer(many=True, required=False)

    class Meta:
        model = Policy
        fields = ["id", "name", "calendar", "goals"]

    def validate_goals(self, goals: list[dict[str, Any]]) -> list[policies.GoalGiven]:
        given = [policies.GoalGiven(g["target"], g["priority"], g["seconds"], g["is_live"]) for g in goals]
        if len({(goal.target, goal.priority, goal.is_live) for goal in given}) < len(given):
            raise serializers.ValidationError(_("One goal a target and priority."))
        return given

    def create(self, validated_data: dict[str, Any]) -> Policy:
        return self._save(Policy(), validated_data)

    def update(self, instance: Policy, validated_data: dict[str, Any]) -> Policy:
        known = {"name": instance.name, "calendar": instance.calendar}
        return self._save(instance, {**known, **validated_data})

    def _save(self, policy: Policy, given: dict[str, Any]) -> Policy:
        try:
            return policies.save_policy(policy, at=timezone.now(), **given)
        except InvalidHours as error:
            raise serializers.ValidationError({"goals": [str(error)]}) from error


def _actor(serializer: serializers.BaseSerializer[Any]) -> Actor:
    return Actor.agent(serializer.context["request"].user)
