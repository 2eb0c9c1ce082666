"""Our accounts on the networks, and what they cost."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Account(models.Model):
    """One brand account on one network: a page, a handle, a bot, a forum, a feed that we read.

    `secrets` is encrypted JSON (helpdesk.events.secrets). `cursor` is how far polling has read; it moves in the
    transaction that keeps what was read. `poll_at` is when to read again, lease and backoff in one column.
    """

    class Network(models.TextChoices):
        X = "x", "X"
        FACEBOOK = "facebook", "Facebook"
        WHATSAPP = "whatsapp", "WhatsApp"
        TELEGRAM = "telegram", "Telegram"
        MASTODON = "mastodon", "Mastodon"
        BLUESKY = "bluesky", "Bluesky"
        DISCOURSE = "discourse", "Discourse"
        FEED = "feed", "Feed"

    class State(models.TextChoices):
        NOT_CONNECTED = "not_connected"  # nothing but the manual log
        CONNECTED = "connected"
        DEGRADED = "degraded"  # something fails that may pass
        REAUTH_REQUIRED = "reauth_required"  # the token is dead: nothing is sent, receiving goes on where it can
        PAUSED = "paused"  # an admin, or the day's money is spent

    class Coverage(models.TextChoices):
        CONSTANT = "constant"
        SEVERAL_TIMES_A_DAY = "several"
        BEST_EFFORT = "best_effort"

    network = models.CharField(max_length=12, choices=Network)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=200, blank=True, help_text="What people write to: @demo, demo@fosstodon.org.")
    external_id = models.CharField(max_length=200, blank=True, help_text="The account's own id on the network.")
    base_url = models.CharField(max_length=300, blank=True, help_text="Where its API is; empty is the network's own.")
    secrets = models.TextField(blank=True)
    options = models.JSONField(default=dict, blank=True, help_text="What only this network knows: API version, words.")
    is_from_environment = models.BooleanField(default=False, help_text="Its secrets are in the environment, not here.")
    is_active = models.BooleanField(default=True)

    state = models.CharField(max_length=16, choices=State, default=State.NOT_CONNECTED)
    state_detail = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    last_event_at = models.DateTimeField(null=True, blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)
    cursor = models.JSONField(default=dict, blank=True)
    poll_at = models.DateTimeField(null=True, blank=True)
    poll_attempts = models.PositiveSmallIntegerField(default=0)
    daily_cap = models.PositiveBigIntegerField(null=True, blank=True, help_text="Millionths of a dollar a UTC day.")

    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    policy = models.ForeignKey(
        "helpdesk.Policy", on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Response goals and covered hours of what is said here; empty: the customer's plan.",
    )  # fmt: skip
    schedule = models.ForeignKey(
        "helpdesk.Schedule", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Who covers this account when.",
    )  # fmt: skip
    coverage = models.CharField(max_length=12, choices=Coverage, default=Coverage.BEST_EFFORT)
    checks = ArrayField(models.TimeField(), default=list, blank=True, help_text="When it is looked at, several times.")
    needs_approval = models.BooleanField(default=False, help_text="What is said in public is read by a second person.")
    send_delay = models.PositiveSmallIntegerField(default=20, help_text="Seconds in which a public post can be undone.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["network", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["network", "external_id"], condition=~Q(external_id=""), name="one_row_an_account"
            ),
            models.UniqueConstraint(
                fields=["network"], condition=Q(is_from_environment=True), name="one_account_of_the_environment"
            ),
            models.CheckConstraint(condition=Q(send_delay__lte=600), name="a_post_waits_ten_minutes_at_most"),
        ]
        indexes = [models.Index(F("poll_at"), name="accounts_to_poll", condition=Q(poll_at__isnull=False))]

    def __str__(self) -> str:
        return self.name


class Spending(models.Model):
    """What calls of an account have cost on one UTC day, by what was bought; counted from our own calls and events."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="spendings")
    day = models.DateField()
    what = models.CharField(max_length=40)
    units = models.PositiveBigIntegerField(default=0)
    amount = models.PositiveBigIntegerField(default=0, help_text="Millionths of a dollar.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day", "what"], name="one_spending_a_day_and_kind")]

    def __str__(self) -> str:
        return f"{self.what} of {self.account_id} on {self.day}"
