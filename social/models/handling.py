"""How we behave in public: topics, second readers, what was hidden or blocked and why, tickets opened for somebody."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from helpdesk.conversations.handing_out import PICTURES


class Topic(models.Model):
    """What may be answered in public, must move to private, or is never done by social. Found by words."""

    class Rule(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"
        NEVER = "never"

    name = models.CharField(max_length=80, unique=True)
    rule = models.CharField(max_length=8, choices=Rule)
    words = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    guidance = models.TextField(blank=True, help_text="What agents read when a post is about this.")
    answer = models.TextField(blank=True, help_text="A public answer that moves it on.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Approval(models.Model):
    """A public answer that waits for a second person. Approved, it becomes a message; its text may be changed first."""

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    client_id = models.UUIDField(unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    message = models.OneToOneField(
        "helpdesk.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None) | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="decided_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by=F("by")), name="nobody_approves_their_own"
            ),
        ]
        indexes = [models.Index(F("at"), name="approvals_waiting", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class ApprovalFile(models.Model):
    """A file of a public answer that waits: its bytes lie where those of attachments do
    (helpdesk.conversations.files).
    """

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=160)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether a browser may show it (helpdesk.conversations.handing_out)."""
        return self.content_type in PICTURES


class ModerationAction(models.Model):
    """Something done against a post or a person, or undone, with its reason and what stood there. Append-only but for
    its outcome. `due_at` is wait and lease of the call to the network; null once it is done, failed or by hand.
    """

    class Kind(models.TextChoices):
        HIDE = "hide"
        UNHIDE = "unhide"
        MUTE = "mute"
        UNMUTE = "unmute"
        BLOCK = "block"
        UNBLOCK = "unblock"
        REPORT = "report"
        DELETE = "delete"

    class Reason(models.TextChoices):
        ABUSE = "abuse"
        THREAT = "threat"
        HATE = "hate"
        SPAM = "spam"
        PRIVATE_DATA = "private_data"
        ILLEGAL = "illegal"
        MISTAKE = "mistake"  # of an action that is reversed
        APPEAL = "appeal"

    class State(models.TextChoices):
        WANTED = "wanted"
        DONE = "done"
        FAILED = "failed"
        BY_HAND = "by_hand"  # the network has no call for it: a deep link and a mark

    account = models.ForeignKey("social.Account", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    post = models.ForeignKey("social.Post", on_delete=models.PROTECT, null=True, blank=True, related_name="moderation")
    person = models.ForeignKey("social.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    conversation = models.ForeignKey(
        "helpdesk.Conversation", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=12, choices=Reason)
    words = models.CharField(max_length=500, blank=True)
    snapshot = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    state = models.CharField(max_length=8, choices=State, default=State.WANTED)
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(post__isnull=False) | Q(person__isnull=False), name="moderation_is_against_something"
            )
        ]
        indexes = [
            models.Index(F("due_at"), name="moderation_due", condition=Q(due_at__isnull=False)),
            models.Index(F("id").desc(), name="moderation_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class TicketClaim(models.Model):
    """A link that lets the person whom we opened a ticket for take it as theirs, once, after signing in. Only the
    SHA-256 of its token is kept.
    """

    conversation = models.OneToOneField(
        "helpdesk.Conversation", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    thread = models.ForeignKey("social.Thread", on_delete=models.CASCADE, related_name="claims")
    digest = models.CharField(max_length=64, unique=True)
    ends_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.ForeignKey(
        "helpdesk.Customer", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"claim of {self.conversation_id}"
