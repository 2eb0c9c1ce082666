"""What monitoring systems say, and what somebody should look at."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from status.incident_models import Incident
from status.page_models import Component, State


class SignalSource(models.Model):
    """A monitoring system that may tell us of trouble. Only the SHA-256 of its token is kept."""

    class Kind(models.TextChoices):
        ALERTMANAGER = "alertmanager"
        GRAFANA = "grafana"
        NAGIOS = "nagios"
        GENERIC = "generic"

    class Mode(models.TextChoices):
        PROPOSE = "propose"
        OPEN = "open"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    digest = models.CharField(max_length=64, unique=True)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.PROPOSE)
    holds_seconds = models.PositiveIntegerField(default=120, help_text="Trouble must last this long to count.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Signal(models.Model):
    """One thing that a source says is wrong, or was. `turns` counts how often that changed within the last hour."""

    source = models.ForeignKey(SignalSource, on_delete=models.CASCADE, related_name="signals")
    fingerprint = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.MAJOR, help_text="What it says of components.")
    components = models.ManyToManyField(Component, related_name="signals", blank=True)
    is_firing = models.BooleanField(default=True)
    since = models.DateTimeField()
    turns = models.PositiveSmallIntegerField(default=0)
    turned_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it has lasted long enough to act.")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "fingerprint"], name="signal_once_a_source")]
        indexes = [models.Index(F("due_at"), name="signals_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return self.title


class Proposal(models.Model):
    """Somebody should look whether this is an incident: many tickets on one service, or a signal."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="proposals")
    why = models.CharField(max_length=300)
    conversations = ArrayField(models.BigIntegerField(), default=list, help_text="Those that speak of it.")
    signal = models.ForeignKey(Signal, on_delete=models.SET_NULL, null=True, blank=True, related_name="proposals")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="proposals")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Opened, linked or dismissed.")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component"], condition=Q(ended_at=None), name="one_proposal_a_component")
        ]

    def __str__(self) -> str:
        return self.why
