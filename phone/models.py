"""The emergency phone's own tables: lines, calls, recordings, text messages, and who wants none."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Line(models.Model):
    """A number of ours that customers call. Without a `calendar` the office's hours say which greeting is heard;
    without an `escalation_policy` the team's or the default one says who is called.

    `greetings` are by language: {"de": {"open": "…", "closed": "…"}}; what is missing has a default text. A greeting is
    spoken, or played where it is the https address of a recorded file.
    """

    name = models.CharField(max_length=80, unique=True)
    number = models.CharField(max_length=16, unique=True, help_text="E.164, such as +4930123456.")
    language = models.CharField(max_length=10, default="en")
    greetings = models.JSONField(default=dict, blank=True)
    calendar = models.ForeignKey(
        "helpdesk.Calendar", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    escalation_policy = models.ForeignKey(
        "helpdesk.EscalationPolicy", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    longest_seconds = models.PositiveSmallIntegerField(default=180, help_text="How long a message may be.")
    transcribes = models.BooleanField(default=False, help_text="Have Twilio write down what was said.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Call(models.Model):
    """One call: a customer's to us, or an agent's back to a customer. `sid` is Twilio's, empty until it is placed.

    `due_at` is when to ask Twilio what has become of it, in case it never told.
    """

    class Direction(models.TextChoices):
        INBOUND = "inbound"
        BACK = "back"

    class State(models.TextChoices):
        ASKED = "asked"
        RINGING = "ringing"
        TALKING = "talking"
        COMPLETED = "completed"
        FAILED = "failed"

    sid = models.CharField(max_length=64, blank=True)
    direction = models.CharField(max_length=10, choices=Direction)
    state = models.CharField(max_length=10, choices=State, default=State.RINGING)
    line = models.ForeignKey(Line, on_delete=models.SET_NULL, null=True, blank=True, related_name="calls")
    conversation = models.ForeignKey(
        "helpdesk.Conversation", on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.PROTECT, null=True, related_name="+")
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    from_number = models.CharField(max_length=16, blank=True, help_text="Empty where withheld.")
    to_number = models.CharField(max_length=16, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text="Talked, for a call back.")
    due_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sid"], condition=~Q(sid=""), name="a_call_comes_once"),
            models.CheckConstraint(
                condition=Q(direction="back", agent__isnull=False) | Q(direction="inbound", agent__isnull=True),
                name="agents_call_back",
            ),
        ]
        indexes = [
            models.Index(F("due_at"), name="call_due", condition=Q(due_at__isnull=False)),
            models.Index(F("began_at").desc(), F("id").desc(), name="call_newest"),
            models.Index(F("conversation"), F("id"), name="call_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} call {self.pk}"


class Recording(models.Model):
    """What a caller left; fetched once from Twilio and kept as an attachment of `message`."""

    class State(models.TextChoices):
        WAITING = "waiting"
        KEPT = "kept"
        FAILED = "failed"

    CAME: Final = "A message was left"

    sid = models.CharField(max_length=80, unique=True)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="recordings")
    seconds = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    transcript = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    message = models.OneToOneField(
        "helpdesk.Message", on_delete=models.PROTECT, null=True, blank=True, related_name="recording"
    )
    heard_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="kept") | Q(message__isnull=False), name="a_kept_recording_has_a_message"
            )
        ]

    def __str__(self) -> str:
        return self.sid

    @property
    def conversation_id(self) -> int | None:
        return self.call.conversation_id


class Picture(models.Model):
    """A file that came with a text message (MMS); fetched once from Twilio and kept as an attachment of `message`.
    `text_sid` is Twilio's id of the text.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        KEPT = "kept"
        FAILED = "failed"

    CAME: Final = "A file came with the text"

    sid = models.CharField(max_length=64, unique=True)
    text_sid = models.CharField(max_length=64)
    message = models.ForeignKey("helpdesk.Message", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.sid

    @property
    def conversation_id(self) -> int:
        return self.message.conversation_id


class TextMessage(models.Model):
    """An SMS of ours as Twilio knows it; `status` is its newest word, which may come before our own record."""

    message = models.OneToOneField("helpdesk.Message", on_delete=models.CASCADE, related_name="text_message")
    sid = models.CharField(max_length=64, blank=True)
    to_number = models.CharField(max_length=16)
    segments = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=20, blank=True)
    error_code = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sid


class OptOut(models.Model):
    """A number that wants no text messages from us: they wrote STOP, or Twilio says so (error 21610)."""

    number = models.CharField(max_length=16, unique=True)
    why = models.CharField(max_length=200)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.number
