"""What reports are read from: figures, a few narrow rows a conversation, and tallies, their sums by day and month.

Both can be made again from the conversations at any time (`manage.py rebuild_reports`): nothing else depends on them.
Keys of others are plain numbers, so that writing a figure looks nothing up and a deleted team keeps its past.
"""

from django.conf import settings
from django.db import models
from django.db.models import F

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team

# Codes are compared byte by byte: sums over them sort, and sorting by a language's rules takes many times as long.
_PLAIN = "C"


class Measure(models.TextChoices):
    OPENED = "opened"
    DISPATCH = "dispatch"
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    REPLY = "reply"
    TIME = "time"


class Figure(models.Model):
    """One countable thing: that it happened, how long it took, whether a promise about it was kept (docs/reports.md).

    `day` and `hour` are the office's. `seconds` is time by the wall, `working_seconds` what the clock counted; a
    promise that was broken, or kept by what did not last, has a row without either. `amount` is 1, replies or minutes.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="figures", db_index=False)
    measure = models.CharField(max_length=14, db_collation=_PLAIN, choices=Measure)
    place = models.PositiveSmallIntegerField(help_text="Numbers the rows of one measure of a conversation.")
    at = models.DateTimeField()
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=20, db_collation=_PLAIN)
    priority = models.CharField(max_length=10, db_collation=_PLAIN)
    team_id = models.BigIntegerField(null=True)
    plan_id = models.BigIntegerField(null=True, help_text="The plan when it was first counted.")
    organization_id = models.BigIntegerField(null=True)
    agent_id = models.BigIntegerField(null=True, help_text="The assignee; of replies and time whose they are.")
    amount = models.PositiveIntegerField(default=1)
    seconds = models.PositiveIntegerField(null=True)
    working_seconds = models.PositiveIntegerField(null=True)
    is_kept = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "measure", "place"], name="one_figure_a_place"),
        ]
        indexes = [
            models.Index(F("measure"), F("day"), name="figure_of_day"),
            models.Index(F("organization_id"), F("day"), name="figure_of_organization"),
            models.Index(F("agent_id"), F("day"), name="figure_of_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} of conversation {self.conversation_id}"


class Tally(models.Model):
    """How many figures of a day or month are alike: the sum over `Figure`, kept with it in one transaction.

    `bucket` says, by `kind`: nothing (all), the hour of the week from Monday 0:00 (hour), a stretch of a logarithmic
    scale (working, calendar), the agent (agent), whether it was kept (kept).
    """

    class Grain(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    class Kind(models.TextChoices):
        ALL = "all"
        HOUR = "hour"
        WORKING = "working"
        CALENDAR = "calendar"
        AGENT = "agent"
        KEPT = "kept"

    kind = models.CharField(max_length=8, db_collation=_PLAIN, choices=Kind)
    grain = models.CharField(max_length=5, db_collation=_PLAIN, choices=Grain)
    measure = models.CharField(max_length=14, db_collation=_PLAIN, choices=Measure)
    starts = models.DateField()
    bucket = models.BigIntegerField()
    channel = models.CharField(max_length=20, db_collation=_PLAIN)
    priority = models.CharField(max_length=10, db_collation=_PLAIN)
    team_id = models.BigIntegerField(null=True)
    plan_id = models.BigIntegerField(null=True)
    count = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "grain", "measure", "starts", "bucket", "channel", "priority", "team_id", "plan_id"],
                nulls_distinct=False,
                name="one_tally_a_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.kind} {self.starts}"


class ReportProgress(models.Model):
    """How far the log of events has been read; and, until all that was there before is counted, how far that is."""

    transaction_id = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    filled_to = models.BigIntegerField(default=0)
    fill_until = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"event {self.event_id}"


class WallboardLink(models.Model):
    """A television may show the wallboard without a login. Only the SHA-256 of the token is kept. `team` is the one
    whose numbers it shows, None for all that is not private.
    """

    name = models.CharField(max_length=80)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
