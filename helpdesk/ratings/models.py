"""What customers thought of our help: one rating a conversation, asked for once it is solved."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Rating(models.Model):
    """A question put to the customer, and their answer: 1 (bad) to 5 (very good), and perhaps why.

    `due_at` is when the question leaves by mail; null where it is not to (asked in the chat's panel, or rated before).
    `agent`, `team` and `channel` are those of the moment it was asked, so that later moves do not rewrite figures.
    """

    conversation = models.OneToOneField(
        "helpdesk.Conversation", on_delete=models.CASCADE, primary_key=True, related_name="rating"
    )
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.CASCADE, related_name="ratings")
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="ratings"
    )
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=20)
    due_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=10, blank=True, help_text="Where it was given: mail, chat, portal, api.")
    rated_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When a lead looked at a low one.")
    looked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_shown = models.BooleanField(default=False, help_text="Thanks worth reading: shown to the whole team.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(score=None) | Q(score__gte=1, score__lte=5), name="rated_1_to_5"),
            models.CheckConstraint(
                condition=Q(score=None, rated_at=None) | Q(score__isnull=False, rated_at__isnull=False),
                name="rated_has_a_time",
            ),
            models.CheckConstraint(condition=Q(due_at=None) | Q(rated_at=None), name="who_has_rated_is_not_asked"),
        ]
        indexes = [
            models.Index(F("due_at"), name="ratings_to_ask", condition=Q(due_at__isnull=False)),
            models.Index(
                F("rated_at").desc(), F("conversation").desc(), name="ratings_newest", condition=~Q(score=None)
            ),
            models.Index(
                F("rated_at"), name="ratings_to_look_at", condition=Q(score__lte=2, looked_at=None, score__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score} for {self.conversation_id}"


class RatingSettings(models.Model):
    """Whether customers are asked by mail, and how long after their conversation was solved: one row."""

    is_on = models.BooleanField(default=True, help_text="Ask by mail; chat and portal ask on their own pages.")
    delay_minutes = models.PositiveIntegerField(default=60, help_text="So long after it was solved.")

    class Meta:
        verbose_name_plural = "rating settings"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="rating_settings_are_one_row"),
            models.CheckConstraint(condition=Q(delay_minutes__lte=43_200), name="rating_delay_is_a_month_at_most"),
        ]

    def __str__(self) -> str:
        return "ratings"


def rating_settings() -> RatingSettings:
    """How ratings are asked for; not saved yet where nobody has changed it."""
    return RatingSettings.objects.filter(pk=1).first() or RatingSettings(pk=1)
