"""What we tell everybody: one text, a post of it on each account."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Announcement(models.Model):
    """Company news, or an incident's update. `publish_at` is when it goes out, null while it is a draft or waits for
    approval. `series` joins what belongs together (all updates of one incident): later ones answer the first post.
    """

    class Kind(models.TextChoices):
        NEWS = "news"
        STATUS = "status"

    class State(models.TextChoices):
        DRAFT = "draft"
        WAITING = "waiting"
        SCHEDULED = "scheduled"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    text = models.TextField()
    link = models.CharField(max_length=500, blank=True)
    series = models.CharField(max_length=60, blank=True)
    source = models.CharField(
        max_length=60, null=True, blank=True, unique=True, help_text="What it was made of, once: update:17."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(publish_at__isnull=False), name="scheduled_has_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="published", published_at__isnull=False)
                | (~Q(state="published") & Q(published_at=None)),
                name="published_has_a_time",
            ),
        ]
        indexes = [
            models.Index(F("publish_at"), name="announcements_due", condition=Q(state="scheduled")),
            models.Index(F("id").desc(), name="announcements_newest"),
            models.Index(F("series"), F("id"), name="announcements_of_series", condition=~Q(series="")),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class AnnouncementPost(models.Model):
    """An announcement on one account, in that network's words. `due_at` is wait, lease and backoff; null once it ended.
    `client_id` is the network's idempotency key where it has one.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        NOT_CONNECTED = "not_connected"
        BY_HAND = "by_hand"

    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="posts")
    account = models.ForeignKey("social.Account", on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    client_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=13, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    external_id = models.CharField(max_length=250, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "account"], name="announced_once_an_account"),
            models.CheckConstraint(condition=~Q(state="sent") | ~Q(external_id=""), name="sent_has_an_id"),
        ]
        indexes = [models.Index(F("due_at"), name="announcement_posts_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.announcement_id} on {self.account_id}"
