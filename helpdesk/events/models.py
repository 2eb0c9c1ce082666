"""What happened (Event), what must follow (OutboxEntry), who called us (Hook), whom we call (Webhook), who is alive to
do it (Heartbeat).
"""

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Event(models.Model):
    """Append-only. The database numbers it: `seq` over all of a conversation's events, `public_seq` over those the
    customer may see; both without gaps (trigger `number_event`). `transaction_id` lets readers order by commit.
    """

    class Actor(models.TextChoices):
        AGENT = "agent"
        CUSTOMER = "customer"
        SYSTEM = "system"

    conversation = models.ForeignKey(
        "helpdesk.Conversation", on_delete=models.PROTECT, null=True, blank=True, related_name="events"
    )
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=Actor)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict)
    seq = models.PositiveBigIntegerField(null=True)
    public_seq = models.PositiveBigIntegerField(null=True)
    transaction_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="event_seq"),
            models.UniqueConstraint(
                fields=["conversation", "public_seq"], condition=Q(public_seq__isnull=False), name="event_public_seq"
            ),
            models.CheckConstraint(
                condition=Q(conversation__isnull=True, seq__isnull=True, public_seq__isnull=True)
                | Q(conversation__isnull=False, seq__isnull=False),
                name="event_of_a_conversation_is_numbered",
            ),
            models.CheckConstraint(
                condition=Q(actor_kind="agent", actor__isnull=False) | (~Q(actor_kind="agent") & Q(actor__isnull=True)),
                name="event_agent_is_named",
            ),
        ]
        indexes = [models.Index(F("transaction_id"), F("id"), name="event_in_commit_order")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class OutboxEntry(models.Model):
    """One handler that must still see one event. `due_at` is lease, retry and backoff in one column.

    Entries of one `lane` run one after the other, oldest first: a conversation's messages leave in order. Each handler
    has lanes of its own, so that a customer's full mailbox does not keep an agent from being told.
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="outbox_entries")
    handler = models.CharField(max_length=120)
    lane = models.CharField(max_length=60, blank=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)
    gave_up_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "outbox entries"
        constraints = [
            models.UniqueConstraint(fields=["event", "handler"], name="outbox_entry_once_a_handler"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(gave_up_at__isnull=True), name="outbox_entry_ends_once"
            ),
        ]
        indexes = [
            models.Index(F("due_at"), name="outbox_due", condition=Q(done_at__isnull=True, gave_up_at__isnull=True)),
            models.Index(
                F("lane"),
                F("id"),
                name="outbox_lane",
                condition=Q(done_at__isnull=True, gave_up_at__isnull=True) & ~Q(lane=""),
            ),
            models.Index(F("gave_up_at"), name="outbox_gave_up", condition=Q(gave_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.handler} of event {self.event_id}"


class Heartbeat(models.Model):
    """The last time a part of the engine went round. A stale one is itself a reason to page."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Hook(models.Model):
    """One call a provider made to us, kept raw before it is answered; unique, so that a repeated call does nothing."""

    class State(models.TextChoices):
        ACCEPTED = "accepted"
        DONE = "done"
        QUARANTINED = "quarantined"

    provider = models.CharField(max_length=20)
    external_id = models.CharField(max_length=200)
    received_at = models.DateTimeField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=12, choices=State, default=State.ACCEPTED)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "external_id"], name="hook_once")]
        indexes = [models.Index(F("id"), name="hook_quarantined", condition=Q(state="quarantined"))]

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"


class Webhook(models.Model):
    """An address somebody gave us to be told of events, signed (Standard Webhooks). `secret` is encrypted; after a
    rotation the old one signs as well until `old_secret_until`. One that fails for days is switched off and says why.
    """

    name = models.CharField(max_length=120)
    url = models.CharField(max_length=2048)
    kinds = ArrayField(models.CharField(max_length=40), help_text="The kinds of events it is told of.")
    includes_private = models.BooleanField(default=False, help_text="Also conversations of private teams.")
    secret = models.TextField()
    old_secret = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True, help_text="Why it was switched off, or fails.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kinds=[]), name="a_webhook_is_told_of_something"),
            models.CheckConstraint(
                condition=Q(old_secret="", old_secret_until=None)
                | (~Q(old_secret="") & Q(old_secret_until__isnull=False)),
                name="an_old_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event on its way to one webhook, once. `due_at` is lease, retry and backoff in one column; `body` is frozen,
    so that every attempt sends the same bytes under the same `message_id`. A test has no event.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=40)
    message_id = models.UUIDField(default=uuid4, unique=True, help_text="The header webhook-id, the same each time.")
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True, help_text="How long the last attempt took.")
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The last answer's HTTP status.")
    response = models.TextField(blank=True, help_text="The beginning of the last answer.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="told_once_a_webhook"),
            models.CheckConstraint(
                condition=Q(state="pending", due_at__isnull=False) | (~Q(state="pending") & Q(due_at=None)),
                name="a_webhook_delivery_waits_or_ended",
            ),
        ]
        indexes = [
            models.Index(F("webhook"), F("due_at"), F("id"), name="webhook_delivery_due", condition=Q(state="pending")),
            models.Index(F("webhook"), F("id").desc(), name="deliveries_of_webhook"),
            models.Index(F("created_at"), name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to webhook {self.webhook_id}"
