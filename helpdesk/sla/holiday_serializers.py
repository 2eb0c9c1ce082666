"""Holidays from an iCal text or file, as the API takes them, and what came of it."""

from datetime import date, timedelta
from pathlib import PurePath
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from helpdesk.events.actors import Actor
from helpdesk.sla import calendars
from helpdesk.sla.calendars import Imported
from helpdesk.sla.holiday_sources import MAX_FEED, InvalidFeed
from helpdesk.sla.serializers import CalendarSerializer
from helpdesk.sla.week import InvalidHours

MAX_NAME = 100
Day = tuple[date, str]
_NAME = "What the source is called; a later import of that name replaces this one."


class _ICalSerializer(serializers.Serializer[Imported]):
    """Its events of this year and the three to come are taken."""

    name = serializers.CharField(max_length=MAX_NAME, required=False, default="import", help_text=_NAME)

    def save(self, **kwargs: Any) -> Imported:
        at, calendar, text = timezone.now(), kwargs["calendar"], self._text()
        years = range(at.year, (at + timedelta(days=3 * 366)).year + 1)
        actor = Actor.agent(self.context["request"].user)
        try:
            return calendars.import_ical(calendar, self._name(), text, years, at=at, actor=actor)
        except (InvalidFeed, InvalidHours) as error:
            raise serializers.ValidationError({self._source: [str(error)]}) from error

    _source = "text"

    def _name(self) -> str:
        name: str = self.validated_data["name"]
        return name

    def _text(self) -> str:
        text: str = self.validated_data["text"]
        return text


class ICalTextSerializer(_ICalSerializer):
    text = serializers.CharField(max_length=MAX_FEED, trim_whitespace=False, help_text="iCalendar, RFC 5545.")


class ICalFileSerializer(_ICalSerializer):
    name = serializers.CharField(max_length=MAX_NAME, required=False, allow_blank=True, default="", help_text=_NAME)
    file = serializers.FileField(
        help_text="iCalendar, RFC 5545, in UTF-8. Its name is the source's where none is given."
    )

    _source = "file"

    def validate_file(self, file: Any) -> Any:
        if file.size > 4 * MAX_FEED:
            raise serializers.ValidationError(_("The feed is longer than %(most)s characters.") % {"most": MAX_FEED})
        return file

    def _name(self) -> str:
        return super()._name() or PurePath(self.validated_data["file"].name).stem[:MAX_NAME]

    def _text(self) -> str:
        try:
            text: str = self.validated_data["file"].read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise serializers.ValidationError({"file": [_("This is not text in UTF-8.")]}) from error
        if "\x00" in text:
            raise serializers.ValidationError({"file": [_("Texts cannot hold the character NUL.")]})
        return text


class DaySerializer(serializers.Serializer[Day]):
    date = serializers.DateField()
    name = serializers.CharField()

    def to_representation(self, instance: Day) -> dict[str, Any]:
        day, name = instance
        return {"date": day.isoformat(), "name": name}


class ImportedSerializer(serializers.Serializer[Imported]):
    source = serializers.CharField(source="feed.source")  # type: ignore[assignment]
    days = DaySerializer(many=True, help_text="What the source lists.")
    added = serializers.ListField(child=serializers.DateField(), help_text="Closed from now on.")
    removed = serializers.ListField(child=serializers.DateField(), help_text="No longer closed.")
    calendar = CalendarSerializer(source="feed.calendar")
