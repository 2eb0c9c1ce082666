"""Live chat's own rows: where customers chat from, who they are there, and what a chat is beside its conversation."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from chat.page_models import PageEvent as PageEvent
from chat.page_models import UsedToken as UsedToken


class Widget(models.Model):
    """A place on customers' pages to chat from. `key` is public and stands in the page."""

    class Closed(models.TextChoices):
        """What the widget does while nobody is there to chat."""

        MESSAGE = "message"
        HIDE = "hide"

    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    origins = ArrayField(
        models.CharField(max_length=253),
        default=list,
        blank=True,
        help_text="Origins of the pages it may be on, such as https://example.com; none means any.",
    )
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    color = models.CharField(max_length=7, default="#2f55d4")
    greeting = models.CharField(max_length=200, blank=True)
    asks_name = models.BooleanField(default=True, help_text="The form before the first message asks for a name.")
    asks_email = models.BooleanField(default=True, help_text="And for an address to answer to.")
    needs_email = models.BooleanField(default=False, help_text="Nobody writes without an address.")
    only_verified = models.BooleanField(default=False, help_text="Only those whom the page has signed for may write.")
    when_closed = models.CharField(max_length=10, choices=Closed, default=Closed.MESSAGE)
    sees_pages = models.BooleanField(default=False, help_text="Agents see which page the visitor is on.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.CheckConstraint(condition=Q(color__regex=r"^#[0-9a-f]{6}$"), name="widget_color_is_hex")]

    def __str__(self) -> str:
        return self.name


class WidgetSecret(models.Model):
    """What the page's server signs its users with; several, so that one can be replaced while the other still holds."""

    widget = models.ForeignKey(Widget, on_delete=models.CASCADE, related_name="secrets")
    kid = models.CharField(max_length=40, help_text="Named by a token's header.")
    sealed = models.TextField(help_text="Encrypted with SECRET_KEY.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["widget", "kid"], name="one_secret_a_kid")]

    def __str__(self) -> str:
        return self.kid


class Visit(models.Model):
    """A browser's session with a widget. Only the SHA-256 of its token is kept. `subject` is the id by which the page
    signed for its user; without one nobody vouches for `customer`. `is_id_only`: the id alone was signed (HMAC).
    `only_chat`: it was opened by the link of a mail, and sees that one chat.
    """

    widget = models.ForeignKey(Widget, on_delete=models.CASCADE, related_name="visits")
    digest = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(
        "helpdesk.Customer", on_delete=models.CASCADE, null=True, blank=True, related_name="visits"
    )
    subject = models.CharField(max_length=200, blank=True)
    is_id_only = models.BooleanField(default=False)
    only_chat = models.ForeignKey(
        "chat.Chat", on_delete=models.CASCADE, null=True, blank=True, related_name="link_visits"
    )
    origin = models.CharField(max_length=253, blank=True)
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=60, blank=True)
    page_url = models.CharField(max_length=500, blank=True)
    page_title = models.CharField(max_length=200, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(subject="") | Q(customer__isnull=False), name="who_is_signed_is_known")
        ]
        indexes = [
            models.Index(F("customer"), F("id").desc(), name="visit_of_customer"),
            models.Index(F("expires_at"), name="visit_expires"),
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"

    @property
    def is_verified(self) -> bool:
        return self.subject != ""


class Chat(models.Model):
    """What a conversation held over the widget has besides. `mode` is chat while it is held live, ticket once it is
    answered at leisure; `state` is of a live one: waiting for an agent, left while they waited, active, ended.
    Positions are public numbers (`Event.public_seq`): how far the visitor has read, how far an agent, and how far was
    mailed.
    """

    class Mode(models.TextChoices):
        CHAT = "chat"
        TICKET = "ticket"

    class State(models.TextChoices):
        WAITING = "waiting"
        LEFT = "left"
        ACTIVE = "active"
        ENDED = "ended"

    conversation = models.OneToOneField(
        "helpdesk.Conversation", on_delete=models.CASCADE, primary_key=True, related_name="chat"
    )
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    widget = models.ForeignKey(Widget, on_delete=models.PROTECT, related_name="chats")
    visit = models.ForeignKey(Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="chats")
    is_verified = models.BooleanField(default=False)
    mode = models.CharField(max_length=10, choices=Mode)
    state = models.CharField(max_length=10, choices=State)
    visitor_read = models.PositiveBigIntegerField(default=0)
    agent_read = models.PositiveBigIntegerField(default=0)
    mailed_upto = models.PositiveBigIntegerField(default=0)
    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    offered_until = models.DateTimeField(null=True, blank=True)
    declined_by = ArrayField(models.BigIntegerField(), default=list, blank=True)
    hold_until = models.DateTimeField(null=True, blank=True, help_text="The agent has said they will be right back.")
    nudge = models.CharField(
        max_length=10, blank=True, default="", help_text="What the agents were last reminded of, until it is done."
    )
    started_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    unseen_since = models.DateTimeField(
        null=True, blank=True, help_text="While they waited: since when no page of theirs was there."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | ~Q(state="ended") & Q(ended_at__isnull=True),
                name="ended_chat_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(joined_at__isnull=False), name="active_chat_joined"
            ),
            models.CheckConstraint(
                condition=Q(offered_to__isnull=True) | Q(offered_until__isnull=False), name="an_offer_ends"
            ),
        ]
        indexes = [
            models.Index(F("started_at"), F("conversation"), name="chat_waiting", condition=Q(state="waiting")),
            models.Index(F("conversation"), name="chat_active", condition=Q(state="active")),
            models.Index(F("visit"), F("conversation").desc(), name="chat_of_visit"),
            models.Index(
                F("widget"),
                F("started_at").desc(),
                F("conversation").desc(),
                name="chat_answered",
                condition=Q(joined_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"chat of conversation {self.conversation_id}"


class ChatDue(models.Model):
    """Something that is to happen to a chat at a time, unless it becomes needless before: the sweep looks again."""

    class Kind(models.TextChoices):
        MAIL = "mail"
        OFFER = "offer"
        LEFT = "left"
        HALF = "half"
        MOST = "most"
        LATE = "late"
        WAITS = "waits"
        BACK = "back"
        ANYTHING = "anything"
        END = "end"

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="dues")
    kind = models.CharField(max_length=10, choices=Kind)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "kind"], name="one_due_a_kind")]
        indexes = [models.Index(F("due_at"), name="chat_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.chat_id}"


class Upload(models.Model):
    """A file a visitor has sent ahead of the message that names it; forgotten after a day if none does."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=160)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    message = models.ForeignKey(
        "helpdesk.Message",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where it went.",
    )

    class Meta:
        indexes = [models.Index(F("at"), name="upload_unclaimed", condition=Q(message__isnull=True))]

    def __str__(self) -> str:
        return self.name


class ChatAgent(models.Model):
    """An agent as a chat partner: whether they take chats now, how many at once, and how customers see them."""

    class State(models.TextChoices):
        AVAILABLE = "available"
        AWAY = "away"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="chat_agent"
    )
    state = models.CharField(max_length=10, choices=State, default=State.AVAILABLE)
    is_auto_away = models.BooleanField(default=False, help_text="Away by itself: comes back with the next key pressed.")
    capacity = models.PositiveSmallIntegerField(default=3)
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_shown = models.BooleanField(default=True, help_text="Customers see name and picture.")
    public_name = models.CharField(max_length=80, blank=True, help_text="What customers read; else the first name.")
    picture = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the picture in the storage.")
    enter_sends = models.BooleanField(default=True, help_text="Enter sends in chats; Shift and Enter begin a line.")
    active_at = models.DateTimeField(null=True, blank=True, help_text="When they last did something that counts.")
    offered_at = models.DateTimeField(null=True, blank=True, help_text="Whose turn it is: the longest ago comes first.")
    connected_at = models.DateTimeField(null=True, blank=True, help_text="When a page of theirs was last open.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(capacity__gt=0), name="capacity_is_positive")]
        indexes = [models.Index(F("active_at").desc(nulls_last=True), name="chat_agent_active")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.state}"


class ChatGrant(models.Model):
    """Live chat for a customer whose plan does not include it, until a time, by an agent."""

    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.CASCADE, related_name="chat_grants")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(F("customer"), F("until"), name="grant_of_customer")]
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("at")), name="a_grant_lasts")]

    def __str__(self) -> str:
        return f"chat for customer {self.customer_id} until {self.until}"


class Booking(models.Model):
    """A chat that is agreed for a time. `seat` tells bookings of the same time apart: no more than there are seats."""

    class State(models.TextChoices):
        BOOKED = "booked"
        CANCELLED = "cancelled"
        HELD = "held"
        MISSED = "missed"

    class Answer(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        TENTATIVE = "tentative"

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    widget = models.ForeignKey(Widget, on_delete=models.PROTECT, related_name="bookings")
    visit = models.ForeignKey(Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings")
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.CASCADE, related_name="bookings")
    conversation = models.ForeignKey(
        "helpdesk.Conversation", on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    seat = models.PositiveSmallIntegerField()
    topic = models.CharField(max_length=500, blank=True)
    email = models.CharField(max_length=320)
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.BOOKED)
    revision = models.PositiveIntegerField(default=0, help_text="SEQUENCE of the calendar entry (RFC 5545).")
    remind_at = models.DateTimeField(null=True, blank=True, help_text="When a reminder leaves; none once it has.")
    answer = models.CharField(
        max_length=10,
        choices=Answer,
        blank=True,
        help_text="What the customer's calendar has answered to the time that holds now.",
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    booked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["starts_at", "seat"], condition=Q(state="booked"), name="one_booking_a_seat"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_booking_lasts"),
        ]
        indexes = [
            models.Index(F("remind_at"), name="booking_reminds", condition=Q(remind_at__isnull=False)),
            models.Index(F("customer"), F("starts_at"), name="booking_of_customer"),
            models.Index(F("ends_at"), name="booking_ends", condition=Q(state="booked")),
        ]

    def __str__(self) -> str:
        return f"chat of customer {self.customer_id} at {self.starts_at}"


class BookingHours(models.Model):
    """When chats can be booked: one row. Without a calendar of their own the office's hours hold."""

    is_on = models.BooleanField(default=True)
    calendar = models.ForeignKey(
        "helpdesk.Calendar", on_delete=models.PROTECT, null=True, blank=True, related_name="booking_hours"
    )
    seats = models.PositiveSmallIntegerField(default=2, help_text="How many chats can be booked for the same time.")
    lead_minutes = models.PositiveIntegerField(default=60, help_text="No chat is booked for sooner than that.")
    days = models.PositiveSmallIntegerField(default=14, help_text="How far ahead chats can be booked.")

    class Meta:
        verbose_name_plural = "booking hours"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="booking_hours_are_one_row"),
            models.CheckConstraint(
                condition=Q(seats__range=(1, 100), lead_minutes__range=(20, 10080), days__range=(1, 28)),
                name="booking_hours_are_sane",
            ),
        ]

    def __str__(self) -> str:
        return "booked chats"


class SlackThread(models.Model):
    """The thread in Slack in which a chat is followed. `channel` and `ts` are empty until its first message stands
    there; `due_at` is wait, lease and backoff of what is to be told next. `trying_since`: a call began then whose end
    is not known, so Slack is asked before it is repeated.
    """

    chat = models.OneToOneField(Chat, on_delete=models.CASCADE, primary_key=True, related_name="slack_thread")
    channel = models.CharField(max_length=40, blank=True)
    ts = models.CharField(max_length=40, blank=True)
    told_upto = models.PositiveBigIntegerField(default=0, help_text="The conversation's last event that was told.")
    due_at = models.DateTimeField(null=True, blank=True)
    trying_since = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "ts"], condition=~Q(ts=""), name="one_chat_a_slack_thread")
        ]
        indexes = [models.Index(F("due_at"), name="slack_thread_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.channel} {self.ts}"


class ReplyTime(models.Model):
    """How soon people answered chats lately, in seconds of office time; reckoned anew every few minutes."""

    widget = models.OneToOneField(Widget, on_delete=models.CASCADE, primary_key=True, related_name="reply_time")
    median = models.PositiveIntegerField()
    ninetieth = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.median} s"
