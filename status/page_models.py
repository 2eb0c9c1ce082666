"""What we run, and how it was: components, their spans, and the status page's own row."""

import secrets
from typing import Final

from django.db import models
from django.db.models import F, Q

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_public_id() -> str:
    """Twelve of a-z and 0-9, as ids look in Statuspage's API v2."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


class State(models.TextChoices):
    """How a component is, from good to bad (Statuspage's words)."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"


class Impact(models.TextChoices):
    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"


class StatusPage(models.Model):
    """The page itself: one row. `version` rises with every change that may be seen on it; whoever keeps rendered pages
    compares it.
    """

    public_id = models.CharField(max_length=12, default=new_public_id)
    timezone = models.CharField(max_length=60, default="Europe/Berlin")
    about = models.TextField(blank=True, help_text="What stands on the page above everything, in Markdown.")
    export_to = models.CharField(
        max_length=500, blank=True, help_text="A folder that page and API are written to after every change."
    )
    version = models.PositiveBigIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_status_page")]

    def __str__(self) -> str:
        return f"status page, version {self.version}"


class Component(models.Model):
    """Something customers can see working: a cluster, a server, the mail service. A group holds components and has no
    state of its own. `state` is the worst of what open incidents say, else `own_state`.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    group = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="components")
    is_group = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State, default=State.OPERATIONAL)
    own_state = models.CharField(
        max_length=20, choices=State, default=State.OPERATIONAL, help_text="How it is where no incident says otherwise."
    )
    shows_uptime = models.BooleanField(default=True)
    only_if_degraded = models.BooleanField(default=False, help_text="Shown only while something is wrong with it.")
    is_private = models.BooleanField(default=False, help_text="Only customers who have one of its services see it.")
    started_on = models.DateField(help_text="Its uptime is counted from this day.")
    services = models.ManyToManyField("helpdesk.Service", related_name="status_components", blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(group=F("id")), name="component_is_not_its_own_group"),
            models.CheckConstraint(condition=Q(is_group=False) | Q(group=None), name="component_groups_lie_on_top"),
        ]

    def __str__(self) -> str:
        return self.name


class ComponentSpan(models.Model):
    """How a component was, from when to when: what its uptime is counted from. The last one is open."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="spans")
    state = models.CharField(max_length=20, choices=State)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component"], condition=Q(until=None), name="one_open_span_a_component"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="span_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(F("component"), F("since"), name="spans_of_component")]

    def __str__(self) -> str:
        return f"{self.component_id} {self.state} since {self.since}"
