"""What is wrong, or will be: incidents and maintenance, what is said of them, and the conversations they cause."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from status.page_models import Component, Impact, State, new_public_id

GOING_ON: Final = ("investigating", "identified", "monitoring", "scheduled", "in_progress", "verifying")


class MaintenanceSeries(models.Model):
    """Maintenance that comes again: wall-clock time in a zone, by a recurrence rule (RFC 5545). Its windows are
    incidents of their own, planned ahead.
    """

    name = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    timezone = models.CharField(max_length=60)
    begins = models.DateTimeField(help_text="The first window's begin; its wall-clock time holds for all.")
    minutes = models.PositiveIntegerField(help_text="How long a window lasts.")
    rule = models.CharField(max_length=300, help_text="FREQ=WEEKLY;BYDAY=TU")
    remind_minutes = models.PositiveIntegerField(default=60)
    components = models.ManyToManyField(Component, related_name="+", blank=True)
    planned_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "maintenance series"
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="maintenance_windows_last")]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """Something broken, or a maintenance window. Nobody outside sees it before `published_at`."""

    class Kind(models.TextChoices):
        INCIDENT = "incident"
        MAINTENANCE = "maintenance"

    class Status(models.TextChoices):
        INVESTIGATING = "investigating"
        IDENTIFIED = "identified"
        MONITORING = "monitoring"
        RESOLVED = "resolved"
        POSTMORTEM = "postmortem"
        SCHEDULED = "scheduled"
        IN_PROGRESS = "in_progress"
        VERIFYING = "verifying"
        COMPLETED = "completed"

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INCIDENT)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=15, choices=Status)
    impact = models.CharField(max_length=12, choices=Impact, default=Impact.NONE)
    impact_override = models.CharField(max_length=12, choices=Impact, blank=True)
    started_at = models.DateTimeField(help_text="When it broke, which may be before anybody said so.")
    monitoring_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    scheduled_until = models.DateTimeField(null=True, blank=True)
    remind_minutes = models.PositiveIntegerField(default=60, help_text="Before a maintenance; 0 for no reminder.")
    is_automatic = models.BooleanField(default=True, help_text="The maintenance begins and ends by the clock.")
    is_backfilled = models.BooleanField(default=False, help_text="Written down afterwards: nobody was told.")
    series = models.ForeignKey(
        MaintenanceSeries, on_delete=models.SET_NULL, null=True, blank=True, related_name="windows"
    )
    occurs_at = models.DateTimeField(
        null=True, blank=True, help_text="When its series meant it to begin, wherever it was moved to since."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="incident", scheduled_for=None, scheduled_until=None)
                | Q(kind="maintenance", scheduled_for__isnull=False, scheduled_until__gt=F("scheduled_for")),
                name="only_maintenance_is_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="incident", status__in=["investigating", "identified", "monitoring", "resolved", "postmortem"]
                )
                | Q(kind="maintenance", status__in=["scheduled", "in_progress", "verifying", "completed"]),
                name="incident_status_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, status__in=GOING_ON)
                | (Q(resolved_at__isnull=False) & ~Q(status__in=GOING_ON)),
                name="incident_over_has_a_time",
            ),
            models.UniqueConstraint(fields=["series", "occurs_at"], name="one_window_a_time"),
        ]
        indexes = [
            models.Index(F("kind"), F("started_at").desc(), F("id").desc(), name="incidents_newest_first"),
            models.Index(F("kind"), F("id"), name="incidents_going_on", condition=Q(resolved_at=None)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_impact(self) -> str:
        return self.impact_override or self.impact

    @property
    def is_over(self) -> bool:
        return self.resolved_at is not None

    @property
    def is_cancelled(self) -> bool:
        """A maintenance that was ended before it began."""
        is_maintenance = self.kind == Incident.Kind.MAINTENANCE
        return is_maintenance and self.resolved_at is not None and self.resolved_at <= self.started_at


class IncidentComponent(models.Model):
    """How an incident leaves a component now: the sum of its published updates."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="affected")
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="incidents")
    state = models.CharField(max_length=20, choices=State)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "component"], name="component_once_an_incident")]

    def __str__(self) -> str:
        return f"{self.component_id} {self.state}"


class IncidentUpdate(models.Model):
    """One word to the world. Unpublished ones are drafts, or wait for `publish_at`. What was published is corrected,
    never taken back.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    status = models.CharField(max_length=15, choices=Incident.Status)
    body = models.TextField()
    tells = models.BooleanField(default=True, help_text="Subscribers and customers who asked are told.")
    is_reminder = models.BooleanField(
        default=False, help_text="Told before a maintenance begins, and shown nowhere: it says nothing new."
    )
    short_text = models.CharField(max_length=280, blank=True, help_text="For networks with little room.")
    components = models.JSONField(default=dict, help_text="State by component id, as it will be once published.")
    display_at = models.DateTimeField()
    publish_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(F("incident"), F("display_at").desc(), F("id").desc(), name="updates_newest_first")]

    def __str__(self) -> str:
        return f"{self.status} of {self.incident_id}"


class AffectedComponent(models.Model):
    """What a published update changed of one component, for the record."""

    update = models.ForeignKey(IncidentUpdate, on_delete=models.CASCADE, related_name="affected")
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="+")
    old_state = models.CharField(max_length=20, choices=State)
    new_state = models.CharField(max_length=20, choices=State)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["update", "component"], name="component_once_an_update")]

    def __str__(self) -> str:
        return f"{self.component_id}: {self.old_state} to {self.new_state}"


class IncidentDue(models.Model):
    """What is to happen to an incident by the clock; STATUS_DUES names what does it."""

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        REMIND = "remind"
        BEGIN = "begin"
        END = "end"
        OVERRUN = "overrun"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="dues")
    kind = models.CharField(max_length=10, choices=Kind)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "kind"], name="incident_due_once_a_kind")]
        indexes = [models.Index(F("due_at"), name="incident_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.incident_id}"


class IncidentTemplate(models.Model):
    """Words for what happens again."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Incident.Kind, default=Incident.Kind.INCIDENT)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=15, choices=Incident.Status)
    body = models.TextField()
    components = models.ManyToManyField(Component, related_name="+", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class IncidentConversation(models.Model):
    """A conversation that an incident has caused: it is told of every update in its own channel."""

    class How(models.TextChoices):
        BY_SERVICE = "service"
        BY_HAND = "hand"
        BY_PROPOSAL = "proposal"
        ASKED = "asked"  # "tell me when it is fixed"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="links")
    conversation = models.OneToOneField(
        "helpdesk.Conversation", on_delete=models.CASCADE, related_name="incident_link", help_text="One at a time."
    )
    how = models.CharField(max_length=10, choices=How)
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    linked_at = models.DateTimeField()
    still_broken_at = models.DateTimeField(null=True, blank=True, help_text="They wrote again after it was resolved.")

    class Meta:
        indexes = [models.Index(F("incident"), F("id"), name="conversations_of_incident")]

    def __str__(self) -> str:
        return f"{self.conversation_id} by {self.incident_id}"


class ConversationNotice(models.Model):
    """One update told in one conversation, once: the message that tells it, or why there is none."""

    update = models.ForeignKey(IncidentUpdate, on_delete=models.CASCADE, related_name="told")
    link = models.ForeignKey(IncidentConversation, on_delete=models.CASCADE, related_name="notices")
    message = models.OneToOneField(
        "helpdesk.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    error = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it failed.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="It could not be told, and is tried again.")

    class Meta:
        indexes = [
            models.Index(F("update"), F("retry_at"), name="conversations_to_tell", condition=Q(retry_at__isnull=False))
        ]
        constraints = [models.UniqueConstraint(fields=["update", "link"], name="conversation_told_once_an_update")]

    def __str__(self) -> str:
        return f"update {self.update_id} in {self.link_id}"
