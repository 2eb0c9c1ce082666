"""Promises: opening hours (Calendar), goals (Policy), and one promise counting down (Clock)."""

import datetime

from django.db import models
from django.db.models import F, Q

from helpdesk.sla.hours import OpeningHours


class Calendar(models.Model):
    """Opening spans of a week in an IANA zone, with holidays.

    `week` maps mon…sun to [["08:00", "20:00"], …]; `version` grows with every change, and open clocks follow.
    """

    name = models.CharField(max_length=80, unique=True)
    timezone = models.CharField(max_length=60)
    week = models.JSONField()
    version = models.PositiveIntegerField(default=0)
    is_office = models.BooleanField(
        default=False, help_text="Our own office hours: what comes in outside them goes to the engineer on call."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["is_office"], condition=Q(is_office=True), name="one_office")]

    def __str__(self) -> str:
        return self.name


class CalendarVersion(models.Model):
    """What a calendar said in one version. Never changed, so that time already used can always be counted again."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    timezone = models.CharField(max_length=60)
    week = models.JSONField()
    holidays = models.JSONField(help_text='{"2026-12-25": "Christmas Day"}')
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "version"], name="calendar_version_once")]

    def __str__(self) -> str:
        return f"{self.calendar} version {self.version}"

    @property
    def hours(self) -> OpeningHours:
        return OpeningHours.from_week(
            self.timezone, self.week, [datetime.date.fromisoformat(day) for day in self.holidays]
        )


class HolidayFeed(models.Model):
    """Where a calendar's holidays come from: a country of the holidays library, or an iCal text."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="feeds")
    source = models.CharField(max_length=120, help_text="library:DE-BE or ical:NAME")
    version = models.CharField(max_length=80, help_text="Version of the library, or digest of the feed")
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "source"], name="one_feed_a_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.version}"


class Holiday(models.Model):
    """A closed day. Copied in, never looked up: a promise does not change with a library's release."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="holidays")
    date = models.DateField()
    name = models.CharField(max_length=120)
    feed = models.ForeignKey(HolidayFeed, on_delete=models.CASCADE, null=True, blank=True, related_name="holidays")

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="one_holiday_a_day")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class Target(models.TextChoices):
    DISPATCH = "dispatch"
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class Policy(models.Model):
    """Which promises hold, and on which calendar they are counted."""

    name = models.CharField(max_length=80, unique=True)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="policies")

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Goal(models.Model):
    """Seconds of opening time within which `target` is to be met for conversations of `priority`.

    A live one has its own goals besides; of two for one target the one that is due first counts.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="goals")
    target = models.CharField(max_length=20, choices=Target)
    priority = models.CharField(max_length=10)
    seconds = models.PositiveIntegerField()
    is_live = models.BooleanField(
        default=False, db_default=False, help_text="For conversations held live; counted in office hours."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "target", "priority", "is_live"], name="one_goal_a_target"),
            models.CheckConstraint(condition=Q(seconds__gt=0), name="goal_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.priority}: {self.seconds} s"


class Clock(models.Model):
    """One promise counting down. It copied goal and calendar when it started.

    Open until met or cancelled. Running while `due_at` is set; pausing banks `used_seconds` of opening time and clears
    it. `wake_at` is the next instant at which the sweep has something to do (warn, then breach), else null.
    """

    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.CASCADE, related_name="clocks")
    target = models.CharField(max_length=20, choices=Target)
    goal_seconds = models.PositiveIntegerField()
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="clocks")
    calendar_version = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    running_since = models.DateTimeField(null=True)
    used_seconds = models.FloatField(default=0)
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    pauses = models.JSONField(default=list)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "target"],
                condition=Q(met_at__isnull=True, cancelled_at__isnull=True),
                name="one_open_clock_a_target",
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True) | Q(cancelled_at__isnull=True), name="clock_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(wake_at__isnull=True)
                | Q(met_at__isnull=True, cancelled_at__isnull=True, paused_at__isnull=True, due_at__isnull=False),
                name="clock_wakes_only_while_running",
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(due_at__isnull=True, running_since__isnull=True),
                name="paused_clock_is_not_due",
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=False)
                | Q(cancelled_at__isnull=False)
                | Q(paused_at__isnull=False)
                | Q(due_at__isnull=False, running_since__isnull=False),
                name="open_clock_runs_or_pauses",
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=False)
                | Q(cancelled_at__isnull=False)
                | Q(paused_at__isnull=False)
                | Q(breached_at__isnull=False)
                | Q(wake_at__isnull=False),
                name="running_clock_is_armed",
            ),
        ]
        indexes = [
            models.Index(F("wake_at"), name="clock_wake", condition=Q(wake_at__isnull=False)),
            models.Index(
                F("calendar"),
                F("id"),
                name="clock_open_of_calendar",
                condition=Q(met_at__isnull=True, cancelled_at__isnull=True),
            ),
            models.Index(
                F("due_at"),
                F("conversation"),
                name="clock_at_risk",
                condition=Q(
                    warned_at__isnull=False, due_at__isnull=False, met_at__isnull=True, cancelled_at__isnull=True
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} of conversation {self.conversation_id}"
