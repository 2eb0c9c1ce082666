"""The desk's own tables: what agents write before it is sent, keep for later, and have done for them."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team

_AGENT = settings.AUTH_USER_MODEL


class Shared(models.Model):
    """What agents keep: their own where `owner` is set, a team's where `team` is, else everybody's."""

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(_AGENT, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    position = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["position", "name", "id"]

    def __str__(self) -> str:
        return self.name


class SavedView(Shared):
    """A view of the inbox under a name: `filters` as `tickets.desk.filters` understands them."""

    filters = models.JSONField(default=dict)
    newest_first = models.BooleanField(default=False, help_text="Else the earliest deadline comes first.")

    class Meta(Shared.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(owner=None) | Q(team=None), name="a_view_has_one_owner"),
        ]


class CannedReply(Shared):
    """A text to begin a reply with, called by `/shortcut`; `{{ customer.first_name }}` and the like are filled in."""

    shortcut = models.SlugField(max_length=40)
    text = models.TextField()
    uses = models.PositiveIntegerField(default=0)

    class Meta(Shared.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(owner=None) | Q(team=None), name="a_canned_reply_has_one_owner"),
            models.UniqueConstraint(
                Lower("shortcut"), F("owner"), F("team"), name="one_reply_a_shortcut", nulls_distinct=False
            ),
        ]


class Macro(Shared):
    """Several changes and perhaps a reply in one step: `actions` as `tickets.desk.macros` understands them."""

    actions = models.JSONField(default=list)
    uses = models.PositiveIntegerField(default=0)

    class Meta(Shared.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(owner=None) | Q(team=None), name="a_macro_has_one_owner"),
        ]


class Draft(models.Model):
    """What an agent has typed and not sent. `version` grows with each saving: sending uses up exactly one version."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(_AGENT, on_delete=models.CASCADE, related_name="drafts")
    kind = models.CharField(max_length=10, choices=[("reply", "reply"), ("note", "note")], default="reply")
    text = models.TextField()
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="one_draft_an_agent")]

    def __str__(self) -> str:
        return f"draft of {self.user_id} in {self.conversation_id}"


class Mention(models.Model):
    """An agent called by `@name` in a note."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="mentions")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(_AGENT, on_delete=models.CASCADE, related_name="mentions")
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="mentioned_once_a_message")]
        indexes = [
            models.Index(F("user"), F("id").desc(), name="mention_unseen", condition=Q(seen_at=None)),
            models.Index(F("user"), F("conversation"), name="mention_of_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in message {self.message_id}"


class ChecklistItem(models.Model):
    """One thing to do before a conversation is done."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="checklist")
    text = models.CharField(max_length=300)
    position = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(_AGENT, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text


class TimeEntry(models.Model):
    """Minutes an agent spent on a conversation; entered by hand or by the page's timer."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="time_entries")
    user = models.ForeignKey(_AGENT, on_delete=models.PROTECT, related_name="time_entries")
    minutes = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="time_was_spent")]
        indexes = [models.Index(F("user"), F("at"), name="time_of_agent")]

    def __str__(self) -> str:
        return f"{self.minutes} min"


class Topic(models.Model):
    """What customers choose in the ticket form: who gets it, how urgent it is, what is asked for."""

    name = models.CharField(max_length=80, unique=True)
    hint = models.TextField(blank=True, help_text="Shown above the form: what helps, where the answer often is.")
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    priority = models.CharField(max_length=10, blank=True, help_text="Empty: the customer says.")
    fields = models.ManyToManyField("helpdesk.CustomField", related_name="+", blank=True)
    required_fields = models.ManyToManyField("helpdesk.CustomField", related_name="+", blank=True)
    is_active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name", "id"]

    def __str__(self) -> str:
        return self.name


class BlockedSender(models.Model):
    """Whoever writes from this address or domain is filed as blocked and answered nothing."""

    handle = models.CharField(max_length=320, unique=True, help_text="An address, or @domain for all of a domain.")
    why = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(_AGENT, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(handle=Lower("handle")), name="blocked_handle_is_lower")]

    def __str__(self) -> str:
        return self.handle


class Rule(models.Model):
    """Automation: when an event of this kind happens and the conditions hold, the actions are done.

    A rule on `conversation.idle` waits for `idle_hours` without a change; `idle_at` and `idle_id` are the last change
    that was looked at, so that the sweep sees each once.
    """

    name = models.CharField(max_length=120)
    event = models.CharField(max_length=40, help_text="The kind of event, as in EVENT_HANDLERS.")
    idle_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    idle_at = models.DateTimeField(null=True, blank=True, editable=False)
    idle_id = models.BigIntegerField(default=0, db_default=0, editable=False)
    conditions = models.JSONField(default=list)
    actions = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(event="conversation.idle", idle_hours__gt=0, idle_at__isnull=False)
                | (~Q(event="conversation.idle") & Q(idle_hours=None, idle_at=None)),
                name="an_idle_rule_says_how_long",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleRun(models.Model):
    """What a rule did about one event: once each, so that a repeated handler does nothing again."""

    class State(models.TextChoices):
        DONE = "done"
        FAILED = "failed"
        SKIPPED = "skipped"

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="runs")
    event = models.ForeignKey("helpdesk.Event", on_delete=models.PROTECT, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="rule_runs")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.DONE, db_default=State.DONE)
    done = models.JSONField(default=list, help_text="The actions done, or why one was not.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "event"], name="a_rule_runs_once_an_event")]
        indexes = [
            models.Index(F("rule"), F("id").desc(), name="runs_of_rule"),
            models.Index(F("conversation"), F("at"), name="rule_runs_of_conversation", condition=Q(state="done")),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id}, event {self.event_id}"


class NotificationChoice(models.Model):
    """How an agent is told: event kind → ways (badge, toast, sound, push, mail); nothing during quiet hours."""

    user = models.OneToOneField(_AGENT, on_delete=models.CASCADE, related_name="notification_choice")
    ways = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    hides_text = models.BooleanField(default=False, help_text="Say that something happened, not what.")
    volume = models.PositiveSmallIntegerField(default=60, db_default=60, help_text="Of every sound, 0 to 100.")
    rings_for_chats = models.BooleanField(default=True, db_default=True, help_text="Until somebody takes it.")
    rings_for_urgent = models.BooleanField(default=False, db_default=False, help_text="Until somebody takes it.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_an_end",
            ),
            models.CheckConstraint(condition=Q(volume__lte=100), name="a_volume_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"choices of {self.user_id}"


class PushSubscription(models.Model):
    """A browser that may be woken by Web Push (RFC 8030)."""

    user = models.ForeignKey(_AGENT, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.URLField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.endpoint[:60]

    @property
    def service(self) -> str:
        """The host of the push service, which is what is known of the browser."""
        return urlsplit(self.endpoint).hostname or ""
