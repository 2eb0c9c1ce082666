"""Rows about the pages that visitors come from: the tokens they signed, and what they told of their visitors."""

from django.db import models
from django.db.models import F


class UsedToken(models.Model):
    """A JWT's own id (`jti`, RFC 7519 §4.1.7) that has opened a session: it opens no other. Only its SHA-256 is kept,
    and until the token has run out.
    """

    widget = models.ForeignKey("chat.Widget", on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["widget", "digest"], name="a_token_is_used_once")]
        indexes = [models.Index(F("expires_at"), name="used_token_expires")]

    def __str__(self) -> str:
        return self.digest[:16]


class PageEvent(models.Model):
    """What a page has told of its visitor (`Desk('track', …)`), for the agents; the last few of a visit are kept."""

    visit = models.ForeignKey("chat.Visit", on_delete=models.CASCADE, related_name="page_events", db_index=False)
    name = models.CharField(max_length=80)
    props = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(F("visit"), F("id").desc(), name="page_event_of_visit")]

    def __str__(self) -> str:
        return self.name
