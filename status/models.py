"""The status page's own rows: what we run (components), what is wrong with it or will be (incidents), who is told."""

import secrets
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

GOING_ON: Final = ("investigating", "identified", "monitoring", "scheduled", "in_progress", "verifying")
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

    class Meta:
        constraints = [models.UniqueConstraint(fields=["update", "link"], name="conversation_told_once_an_update")]

    def __str__(self) -> str:
        return f"update {self.update_id} in {self.link_id}"


class Subscriber(models.Model):
    """Somebody who wants to be told. `key` stands in their links, and proves nothing else. Secrets are encrypted."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        WEBHOOK = "webhook"
        SLACK = "slack"
        TELEGRAM = "telegram"

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        ENDED = "ended"
        SUSPENDED = "suspended"

    key = models.UUIDField(default=uuid4, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    address = models.CharField(max_length=2048, help_text="An e-mail address, a URL, a chat's id.")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    customer = models.ForeignKey(
        "helpdesk.Customer", on_delete=models.SET_NULL, null=True, blank=True, related_name="status_subscriptions"
    )
    components = models.ManyToManyField(Component, related_name="subscribers", blank=True)
    wants_all = models.BooleanField(default=True, help_text="Otherwise only of the components named.")
    only_own = models.BooleanField(default=False, help_text="Only what affects the customer's own services.")
    language = models.CharField(max_length=10, default="en")
    secret = models.TextField(blank=True, help_text="What webhooks are signed with.")
    failing_since = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(help_text="When the last confirmation was sent.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(F("kind"), Lower("address"), name="subscriber_once_an_address"),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(confirmed_at__isnull=False), name="active_subscribers_have_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(status="ended", ended_at__isnull=False) | (~Q(status="ended") & Q(ended_at=None)),
                name="subscription_ended_at_a_time",
            ),
        ]
        indexes = [
            models.Index(F("id"), name="active_subscribers", condition=Q(status="active")),
            models.Index(F("customer"), name="subscriptions_of_customer"),
            models.Index(F("asked_at"), name="subscribers_asked"),
        ]

    def __str__(self) -> str:
        return self.address


class Distribution(models.Model):
    """An update on its way to the subscribers: how far they have been gone through, and how many there are."""

    update = models.OneToOneField(IncidentUpdate, on_delete=models.CASCADE, related_name="distribution")
    reached = models.BigIntegerField(default=0, help_text="Subscribers up to this id have their notices.")
    upto = models.BigIntegerField(help_text="The last subscriber when it was published.")
    planned = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(F("id"), name="distributions_going_on", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.sent}/{self.planned} of update {self.update_id}"


class Notice(models.Model):
    """One update for one subscriber, once; without a text, which is written as it is sent. `due_at` is lease, retry and
    backoff in one column.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    update = models.ForeignKey(IncidentUpdate, on_delete=models.CASCADE, related_name="notices")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(
        max_length=10, choices=Subscriber.Kind, help_text="The subscriber's: webhooks wait behind no 100,000 mails."
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "subscriber"], name="noticed_once_an_update"),
            models.CheckConstraint(
                condition=Q(status="pending", due_at__isnull=False) | (~Q(status="pending") & Q(due_at=None)),
                name="notice_waits_or_ended",
            ),
        ]
        indexes = [
            models.Index(F("kind"), F("due_at"), F("id"), name="notices_due", condition=Q(status="pending")),
            models.Index(F("update"), name="notices_waiting", condition=Q(status="pending")),
            models.Index(F("sent_at"), name="notices_sent", condition=Q(status="sent")),
        ]

    def __str__(self) -> str:
        return f"update {self.update_id} for {self.subscriber_id}"


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
