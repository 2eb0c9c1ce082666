"""Who is told of updates, and how far each has come."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from status.incident_models import IncidentUpdate
from status.page_models import Component


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
    consent = models.CharField(
        max_length=200, blank=True, help_text="Where somebody else has declared it, and by whom, for those imported."
    )
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
    leaving = models.DateTimeField(
        null=True, blank=True, help_text="The lease it left under, until that bite has ended well."
    )

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
