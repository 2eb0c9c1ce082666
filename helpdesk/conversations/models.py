"""Everything a customer may send to support ends here: a Conversation and its Messages."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least, Lower


class Status(models.TextChoices):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(models.TextChoices):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


DONE = (Status.RESOLVED, Status.CLOSED)


class Tag(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=Q(name=Lower("name")), name="tag_is_lower")]

    def __str__(self) -> str:
        return self.name


class CustomField(models.Model):
    """A fact the company wants on its conversations; values are kept in `Conversation.custom` under `key`."""

    class Kind(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        CHOICE = "choice"
        DATE = "date"
        YES_NO = "yes_no"

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_required = models.BooleanField(default=False, help_text="Must be filled in before a conversation is resolved.")
    is_active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(kind="choice") | ~Q(choices=[]), name="a_choice_has_choices"),
        ]

    def __str__(self) -> str:
        return self.name


class Conversation(models.Model):
    """One request of one customer, on whatever channel.

    `last_seq` and `last_public_seq` number its events (trigger `number_event`); `next_due_at` is the earliest due of
    its open clocks, kept by trigger `note_next_due`; `last_message_at` and `preview` spare the queue a join.
    """

    channel = models.CharField(max_length=20)
    thread = models.CharField(max_length=255, blank=True, help_text="The thread's id at the channel's owner.")
    owner = models.CharField(max_length=80, blank=True, help_text="The account on the channel that the thread is in.")
    subject = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.PROTECT, related_name="conversations")
    organization = models.ForeignKey(
        "helpdesk.Organization", on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    followers = models.ManyToManyField("helpdesk.Customer", related_name="followed_conversations", blank=True)
    services = models.ManyToManyField("helpdesk.Service", related_name="conversations", blank=True)
    tags = models.ManyToManyField(Tag, related_name="conversations", blank=True)
    policy = models.ForeignKey("helpdesk.Policy", on_delete=models.PROTECT, related_name="+")
    previous = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="What this one continues."
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField()
    preview = models.CharField(max_length=160, blank=True)
    next_due_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    is_spam = models.BooleanField(default=False, db_default=False)
    minutes_spent = models.PositiveIntegerField(default=0, db_default=0)
    custom = models.JSONField(default=dict, db_default={}, blank=True, help_text="Values of the desk's custom fields.")
    last_seq = models.PositiveBigIntegerField(default=0)
    last_public_seq = models.PositiveBigIntegerField(default=0)
    search = models.GeneratedField(
        expression=SearchVector("subject", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "owner", "thread"], condition=~Q(thread=""), name="one_conversation_a_thread"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["resolved", "closed"], resolved_at__isnull=False)
                | (~Q(status__in=["resolved", "closed"]) & Q(resolved_at__isnull=True)),
                name="resolved_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="new") | Q(assignee__isnull=True), name="an_assigned_conversation_is_not_new"
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="not_merged_into_itself"),
            models.CheckConstraint(
                condition=Q(snoozed_until=None) | ~Q(status__in=["resolved", "closed"]),
                name="what_is_done_does_not_sleep",
            ),
            models.CheckConstraint(
                condition=Q(is_spam=False) | Q(status__in=["resolved", "closed"]), name="spam_is_done_with"
            ),
        ]
        indexes = [
            models.Index(
                F("next_due_at").asc(nulls_last=True),
                F("id"),
                name="queue_by_due",
                condition=Q(status__in=["new", "open"]),
            ),
            models.Index(
                F("assignee"),
                F("next_due_at").asc(nulls_last=True),
                F("id"),
                name="queue_of_assignee",
                condition=Q(status__in=["new", "open", "pending", "on_hold"]),
            ),
            models.Index(
                F("next_due_at").asc(nulls_last=True),
                F("id"),
                name="queue_nobodys",
                condition=Q(status__in=["new", "open", "pending", "on_hold"], assignee__isnull=True),
            ),
            models.Index(
                F("team"),
                F("next_due_at").asc(nulls_last=True),
                F("id"),
                name="queue_of_team",
                condition=Q(status__in=["new", "open"]),
            ),
            models.Index(
                F("channel"),
                F("next_due_at").asc(nulls_last=True),
                F("id"),
                name="queue_of_channel",
                condition=Q(status__in=["new", "open"]),
            ),
            models.Index(F("updated_at").desc(), F("id").desc(), name="conversation_newest"),
            models.Index(F("status"), F("updated_at").desc(), F("id").desc(), name="conversation_by_status"),
            models.Index(F("customer"), F("updated_at").desc(), name="conversation_of_customer"),
            models.Index(F("organization"), F("updated_at").desc(), name="conversation_of_company"),
            GinIndex(fields=["search"], name="conversation_search"),
            models.Index(
                F("snoozed_until"), F("id"), name="conversation_snoozed", condition=Q(snoozed_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    @property
    def number(self) -> int:
        """What people call it: [#1042]."""
        return self.pk


class ConversationLink(models.Model):
    """Two conversations that have to do with each other. Of a `parent` link `conversation` is the parent and `other`
    the child; of a `split` one `other` was split off from `conversation`; `related` ones have no direction.
    """

    class Kind(models.TextChoices):
        RELATED = "related"
        PARENT = "parent"
        SPLIT = "split"

    kind = models.CharField(max_length=10, choices=Kind)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="links_back")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(conversation=F("other")), name="not_linked_to_itself"),
            models.UniqueConstraint(
                F("kind"),
                Least("conversation", "other"),
                Greatest("conversation", "other"),
                name="one_link_a_pair_and_kind",
            ),
            models.UniqueConstraint(fields=["other"], condition=Q(kind="parent"), name="one_parent"),
            models.UniqueConstraint(fields=["other"], condition=Q(kind="split"), name="split_off_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.conversation_id} {self.other_id}"


class Message(models.Model):
    """One thing said. `text` is what is shown first, `full_text` all of it, `html` was sanitised when it was stored."""

    class Kind(models.TextChoices):
        INBOUND = "inbound"
        OUTBOUND = "outbound"
        NOTE = "note"

    class Author(models.TextChoices):
        CUSTOMER = "customer"
        AGENT = "agent"
        SYSTEM = "system"

    class Delivery(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        FAILED = "failed"
        COLLECTED = "collected"

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind)
    author_kind = models.CharField(max_length=10, choices=Author)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField(blank=True)
    full_text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    at = models.DateTimeField()
    via = models.CharField(max_length=20)
    external_id = models.CharField(max_length=998, null=True, blank=True)  # noqa: DJ001 - null is "has none", many may
    client_id = models.UUIDField(null=True, blank=True)
    is_automatic = models.BooleanField(default=False, help_text="Written by a machine: starts and meets no clock.")
    is_verified = models.BooleanField(default=True, help_text="False where the sender only claims to be who they are.")
    remark = models.CharField(max_length=200, blank=True, help_text="What an agent should know about this message.")
    delivery = models.CharField(max_length=10, choices=Delivery, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    provider_id = models.CharField(max_length=998, blank=True)
    search = models.GeneratedField(
        expression=SearchVector(models.functions.Left("text", 100_000), config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "external_id"], condition=Q(external_id__isnull=False), name="message_once"
            ),
            models.UniqueConstraint(
                fields=["conversation", "author_kind", "agent", "client_id"],
                condition=Q(client_id__isnull=False),
                nulls_distinct=False,
                name="message_once_a_client_id",
            ),
            models.CheckConstraint(
                condition=Q(author_kind="agent", agent__isnull=False, customer__isnull=True)
                | Q(author_kind="customer", customer__isnull=False, agent__isnull=True)
                | Q(author_kind="system", customer__isnull=True, agent__isnull=True),
                name="message_has_one_author",
            ),
            models.CheckConstraint(
                condition=Q(kind="outbound") & ~Q(delivery="") | ~Q(kind="outbound") & Q(delivery=""),
                name="only_outbound_is_delivered",
            ),
        ]
        indexes = [
            models.Index(F("conversation"), F("id"), name="message_of_conversation"),
            GinIndex(fields=["search"], name="message_search"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} of conversation {self.conversation_id}"


class Attachment(models.Model):
    """A file of a message. The bytes lie content-addressed in the default storage, at `attachments/ab/abcdef…`."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=160)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    content_id = models.CharField(max_length=255, blank=True)
    inline = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        indexes = [GinIndex(fields=["name"], name="attachment_name_like", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.name
