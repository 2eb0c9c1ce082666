"""The social ledger: whatever a network told us, once, with exactly one outcome."""

from django.db import models
from django.db.models import F, Q


class Arrival(models.Model):
    """One happening on a network: a post, an edit, a deletion, a delivery report. Kept before it is worked on.

    `key` is the same for the same happening, whether a webhook or a poll brought it. `subject` is the person it is
    about: arrivals of one person are filed in the order in which they happened.
    """

    class State(models.TextChoices):
        ACCEPTED = "accepted"
        FILED = "filed"
        IGNORED = "ignored"  # nothing of ours to do: an echo of our own, a like
        WAITING = "waiting"  # about a post that has not come yet
        QUARANTINED = "quarantined"

    account = models.ForeignKey("social.Account", on_delete=models.CASCADE, related_name="arrivals")
    key = models.CharField(max_length=250)
    subject = models.CharField(max_length=200)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    body = models.JSONField(help_text="The happening as social.happenings wrote it down.")
    about = models.CharField(max_length=250, blank=True, help_text="The post's id, of an edit or a deletion.")
    hook = models.ForeignKey("helpdesk.Hook", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.ACCEPTED)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, help_text="Wait, lease and backoff; null once it is settled.")
    message = models.ForeignKey("helpdesk.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="a_happening_arrives_once"),
            models.CheckConstraint(
                condition=Q(state="accepted", due_at__isnull=False) | (~Q(state="accepted") & Q(due_at=None)),
                name="an_arrival_waits_or_is_settled",
            ),
        ]
        indexes = [
            models.Index(
                F("account"),
                F("subject"),
                F("happened_at"),
                F("id"),
                name="arrivals_to_file",
                condition=Q(state="accepted"),
            ),
            models.Index(F("account"), F("about"), name="arrivals_waiting", condition=Q(state="waiting")),
            models.Index(F("account"), F("id").desc(), name="arrivals_newest"),
            models.Index(F("id").desc(), name="arrivals_quarantined", condition=Q(state="quarantined")),
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.account_id}"
