"""Who is on call when (Schedule, Layer, Shift, Override), and one call for a person's attention (Page)."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q


class Schedule(models.Model):
    """A rota in one IANA zone. `fallback` is called when nobody else is: a page never has nobody to go to."""

    name = models.CharField(max_length=80, unique=True)
    timezone = models.CharField(max_length=60)
    fallback = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    planned_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Layer(models.Model):
    """People taking turns. Where layers cover the same time, the higher position is on call."""

    class Rotation(models.TextChoices):
        HOURS = "hours"
        DAILY = "daily"
        WEEKLY = "weekly"

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="layers")
    position = models.PositiveSmallIntegerField()
    rotation = models.CharField(max_length=10, choices=Rotation, default=Rotation.WEEKLY)
    turn = models.PositiveSmallIntegerField(default=1, help_text="Length of a turn in hours, days or weeks.")
    starts_on = models.DateField()
    handoff = models.TimeField(help_text="Local time at which a turn begins.")
    restrictions = models.JSONField(
        default=list, blank=True, help_text='[{"days": [0, 1], "start": "08:00", "end": "20:00"}]'
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="LayerMember", related_name="+")

    class Meta:
        ordering = ["schedule", "position"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "position"], name="one_layer_a_position"),
            models.CheckConstraint(condition=Q(turn__gt=0), name="layer_turn_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} layer {self.position}"


class LayerMember(models.Model):
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="turns")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["layer", "position"], name="one_member_a_turn")]

    def __str__(self) -> str:
        return f"{self.position}. {self.user}"


class Shift(models.Model):
    """Planned from a layer ahead of time. The past stays as it was, however the rota changes later."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="shifts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shifts")
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="shifts_of_a_layer_do_not_overlap",
                expressions=[("layer", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.during}"


class Override(models.Model):
    """Somebody stands in. Beats every layer."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    during = DateTimeRangeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="overrides_of_a_schedule_do_not_overlap",
                expressions=[("schedule", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.during}"


class EscalationPolicy(models.Model):
    """Whom a page calls, step by step, until someone acknowledges. `repeats` null means for ever."""

    name = models.CharField(max_length=80, unique=True)
    repeats = models.PositiveSmallIntegerField(null=True, blank=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "escalation policies"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_escalation")
        ]

    def __str__(self) -> str:
        return self.name


class EscalationStep(models.Model):
    """Calls whoever is on call in `schedule`, or one `user`, then waits `delay_seconds` for an acknowledgement."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    delay_seconds = models.PositiveIntegerField(default=300)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "position"], name="one_step_a_position"),
            models.CheckConstraint(
                condition=Q(schedule__isnull=False, user__isnull=True) | Q(schedule__isnull=True, user__isnull=False),
                name="step_calls_a_schedule_or_a_user",
            ),
            models.CheckConstraint(condition=Q(delay_seconds__gte=60), name="step_waits_a_minute_at_least"),
        ]

    def __str__(self) -> str:
        return f"{self.policy} step {self.position}"


class Urgency(models.TextChoices):
    HIGH = "high"
    LOW = "low"


class NotificationRule(models.Model):
    """How one person wants to be called: on which channel, how long after the page reached them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_rules")
    urgency = models.CharField(max_length=5, choices=Urgency)
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=320)
    delay_seconds = models.PositiveIntegerField(default=0)
    quiet_from = models.TimeField(null=True, blank=True, help_text="Low urgency waits from here …")
    quiet_until = models.TimeField(null=True, blank=True, help_text="… until here, in the person's own zone.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "urgency", "channel", "to", "delay_seconds"], name="rule_once"),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(urgency="low", quiet_from__isnull=False, quiet_until__isnull=False),
                name="only_low_urgency_is_quiet",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True) | ~Q(quiet_from=F("quiet_until")), name="quiet_hours_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.urgency} {self.channel}"


class AgentAddress(models.Model):
    """Where an agent is reached besides e-mail, shown to be theirs: a phone, by a code sent there; a
    chat with our Telegram bot, by a code sent from there. `address` is an E.164 number, or the chat's id.
    """

    class Kind(models.TextChoices):
        PHONE = "phone"
        TELEGRAM = "telegram"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=Kind)
    address = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=120, blank=True, help_text="What they are called there.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "agent addresses"
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_address_a_kind"),
            models.UniqueConstraint(
                fields=["kind", "address"],
                condition=Q(confirmed_at__isnull=False),
                name="a_confirmed_address_is_one_agents",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | ~Q(address=""), name="a_confirmed_address_is_there"
            ),
        ]
        indexes = [models.Index(F("code_digest"), name="address_of_code", condition=~Q(code_digest=""))]

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"


class Page(models.Model):
    """One open page per `dedup_key`. It gathers its reasons, and froze its escalation policy when it was triggered.

    `next_step_at` is the next instant at which the engine acts: escalates while triggered, un-acknowledges a
    high-urgency page nobody took while acknowledged.
    """

    class State(models.TextChoices):
        TRIGGERED = "triggered"
        ACKNOWLEDGED = "acknowledged"
        RESOLVED = "resolved"

    dedup_key = models.CharField(max_length=255)
    conversation = models.ForeignKey(
        "helpdesk.Conversation", on_delete=models.PROTECT, null=True, blank=True, related_name="pages"
    )
    urgency = models.CharField(max_length=5, choices=Urgency)
    summary = models.CharField(max_length=300)
    reasons = models.JSONField(default=list)
    policy = models.JSONField(help_text="Snapshot: {steps: [{schedule|user, delay_seconds}], repeats}")
    state = models.CharField(max_length=12, choices=State, default=State.TRIGGERED)
    step = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True)
    triggered_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    acknowledged_via = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="The provider's newest word on it: older words change nothing.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dedup_key"], condition=~Q(state="resolved"), name="one_open_page_a_key"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False, next_step_at__isnull=True)
                | (~Q(state="resolved") & Q(resolved_at__isnull=True)),
                name="page_resolved_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="acknowledged") | Q(acknowledged_at__isnull=False),
                name="page_acknowledged_has_a_time",
            ),
        ]
        indexes = [
            models.Index(F("next_step_at"), name="page_next_step", condition=Q(next_step_at__isnull=False)),
            models.Index(F("conversation"), name="page_open_of_conversation", condition=~Q(state="resolved")),
            models.Index(F("triggered_at").desc(), F("id").desc(), name="page_newest"),
            models.Index(F("dedup_key"), name="page_of_key"),
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def words(self) -> tuple[str, ...]:
        """What its reasons say, each once, however often it happened."""
        return tuple(dict.fromkeys(str(reason["text"]) for reason in self.reasons))


class PageDelivery(models.Model):
    """One message of a page to one address. `due_at` is delay, lease, retry and backoff in one column."""

    class Action(models.TextChoices):
        TRIGGER = "trigger"
        ACKNOWLEDGE = "acknowledge"
        RESOLVE = "resolve"

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"
        CANCELLED = "cancelled"

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=320)
    action = models.CharField(max_length=12, choices=Action)
    round = models.PositiveIntegerField(help_text="Counts the page's calls, so that each is sent once.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    promised_at = models.DateTimeField(help_text="When it was meant to leave; later than that is told as late.")
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    provider_ref = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "page deliveries"
        constraints = [
            models.UniqueConstraint(fields=["page", "channel", "to", "action", "round"], name="page_delivery_once"),
        ]
        indexes = [
            models.Index(F("due_at"), name="page_delivery_due", condition=Q(state="pending")),
            models.Index(F("channel"), F("due_at"), F("id"), name="page_delivery_next", condition=Q(state="pending")),
            models.Index(F("to"), F("sent_at"), name="page_delivery_sent", condition=Q(state="sent", action="trigger")),
        ]

    def __str__(self) -> str:
        return f"{self.action} of page {self.page_id} to {self.channel}"
