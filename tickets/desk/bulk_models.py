"""What agents did to many conversations at once, kept so that it can be told, and taken back."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from helpdesk.conversations.models import Conversation, Message


class BulkChange(models.Model):
    """One change of many conversations. `client_id` comes with the form: the same form sent twice is one change."""

    client_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_changes")
    at = models.DateTimeField()
    asked = models.JSONField(default=dict, help_text="What was asked for, in codes and names.")
    reply = models.TextField(blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client_id"], name="one_bulk_change_a_form")]
        indexes = [models.Index(F("user"), F("id").desc(), name="bulk_changes_of_agent")]

    def __str__(self) -> str:
        return f"bulk change {self.pk}"


class BulkItem(models.Model):
    """What became of one conversation. `before` and `after` hold only what the change made different."""

    class Outcome(models.TextChoices):
        DONE = "done"
        SAME = "same"
        SKIPPED = "skipped"
        FAILED = "failed"

    bulk = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="items")
    # What is not there, or not for this agent, is told by its number alone.
    number = models.BigIntegerField()
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome)
    why = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undone = models.CharField(max_length=300, blank=True, help_text='"yes", or why it was not taken back.')

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["bulk", "number"], name="one_outcome_a_conversation"),
            models.CheckConstraint(
                condition=Q(outcome__in=["skipped", "failed"]) | Q(conversation__isnull=False),
                name="what_was_done_was_done_to_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.outcome}"
