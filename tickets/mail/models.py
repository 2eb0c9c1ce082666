"""Mail's own tables, each with keys down to the shared model."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from helpdesk.conversations.models import Conversation, Message, Priority


class Mailbox(models.Model):
    """An address of ours. Mail to it opens conversations of `team` with `priority`."""

    address = models.CharField(max_length=320, unique=True)
    aliases = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    name = models.CharField(max_length=120, help_text="The sender's name our customers see.")
    team = models.ForeignKey("helpdesk.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    signature = models.TextField(blank=True)
    is_default = models.BooleanField(default=False, help_text="Answers where no other mailbox is concerned.")

    class Meta:
        verbose_name_plural = "mailboxes"
        ordering = ["address"]
        constraints = [
            models.CheckConstraint(condition=Q(address=Lower("address")), name="mailbox_address_is_lower"),
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_mailbox"),
        ]

    def __str__(self) -> str:
        return self.address


class ImapAccount(models.Model):
    """A mailbox we fetch. `uid_validity` and `last_uid` are the cursor: flags on the server mean nothing to us."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="imap_accounts")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=993)
    use_tls = models.BooleanField(default=True)
    username = models.CharField(max_length=320)
    secret = models.TextField(help_text="Password, encrypted with SECRET_KEY.")
    folder = models.CharField(max_length=200, default="INBOX")
    uid_validity = models.BigIntegerField(null=True, editable=False)
    last_uid = models.BigIntegerField(default=0, editable=False)
    is_active = models.BooleanField(default=True)
    error = models.TextField(blank=True)
    polled_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "username", "folder"], name="one_account_a_folder")]

    def __str__(self) -> str:
        return f"{self.username}@{self.host}/{self.folder}"


class InboundEmail(models.Model):
    """The ledger: one row for each mail that ever reached us, raw, with exactly one outcome.

    `transport_key` is unique, so that a mail sent again after a lost "250" is the same row. `due_at` is lease and
    backoff of filing while the mail is only accepted.
    """

    class State(models.TextChoices):
        ACCEPTED = "accepted"
        FILED = "filed"
        DUPLICATE = "duplicate"
        BOUNCE = "bounce"
        AUTOMATIC = "automatic"
        QUARANTINED = "quarantined"
        BLOCKED = "blocked"

    source = models.CharField(max_length=40, help_text="smtp, lmtp, pipe, imap:3, mailgun …")
    transport_key = models.CharField(max_length=255, unique=True)
    mail_from = models.CharField(max_length=998, blank=True)
    rcpt_to = ArrayField(models.CharField(max_length=998), default=list)
    remote_ip = models.GenericIPAddressField(null=True)
    received_at = models.DateTimeField()
    raw = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.ACCEPTED)
    mail_id = models.CharField(max_length=998, blank=True, help_text="The Message-ID header, without brackets.")
    content_hash = models.CharField(max_length=64, blank=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_emails"
    )
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_emails"
    )
    reason = models.CharField(max_length=200, blank=True, help_text="Why this outcome: auto-submitted, hard bounce …")
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="accepted", due_at__isnull=False, settled_at__isnull=True)
                | (~Q(state="accepted") & Q(due_at__isnull=True, settled_at__isnull=False)),
                name="inbound_email_waits_or_is_settled",
            ),
            models.UniqueConstraint(
                fields=["mail_id", "content_hash"],
                condition=Q(state="filed") & ~Q(content_hash=""),
                name="a_mail_is_filed_once",
            ),
        ]
        indexes = [
            models.Index(F("due_at"), F("id"), name="inbound_email_due", condition=Q(state="accepted")),
            models.Index(F("state"), F("id").desc(), name="inbound_email_by_state"),
            models.Index(F("conversation"), name="inbound_email_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk} {self.state}"


class MailThread(models.Model):
    """What only mail knows of a conversation: the mailbox it is held in and who else is written to."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="mail_thread")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="+")
    may_acknowledge = models.BooleanField(default=False, help_text="A person wrote, who wants and may get an answer.")
    acknowledged_at = models.DateTimeField(null=True)
    alert_key = models.CharField(max_length=255, blank=True, help_text="The monitoring check this ticket is open for.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert_key"], condition=~Q(alert_key=""), name="one_open_ticket_an_alert")
        ]

    def __str__(self) -> str:
        return f"mail of conversation {self.conversation_id}"


class MailHeader(models.Model):
    """What only mail knows of a message. `mail_id` and `parent_mail_id` are what later replies are threaded by."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="mail_header")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    mail_id = models.CharField(max_length=998, blank=True, help_text="The Message-ID header, without brackets.")
    parent_mail_id = models.CharField(max_length=998, blank=True)
    sender = models.CharField(max_length=320, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    to = ArrayField(models.CharField(max_length=320), default=list)
    cc = ArrayField(models.CharField(max_length=320), default=list)
    subject = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(F("mail_id"), name="mail_header_mail_id", condition=~Q(mail_id="")),
            models.Index(F("parent_mail_id"), name="mail_header_parent", condition=~Q(parent_mail_id="")),
            models.Index(F("conversation"), F("id"), name="mail_header_of_conversation"),
        ]

    def __str__(self) -> str:
        return self.mail_id


class Digest(models.Model):
    """One mail of what was said elsewhere: a chat's unseen answers, its transcript. The event asked for it, once; what
    it holds stands in the event. `sending` is the time between the call and its record: nothing is sent twice.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    event = models.OneToOneField("helpdesk.Event", on_delete=models.PROTECT, related_name="digest")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    address = models.CharField(max_length=320, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"digest {self.pk} {self.state}"


class SuspendedAddress(models.Model):
    """An address that mail to bounced for good. We do not write there until `until`."""

    address = models.CharField(max_length=320, unique=True)
    hard_bounces = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    bounced_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "suspended addresses"

    def __str__(self) -> str:
        return self.address


class RateCount(models.Model):
    """How often `key` did something in the window beginning at `window`: in PostgreSQL, so that no restart forgets."""

    key = models.CharField(max_length=400)
    window = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="rate_count_once")]
        indexes = [models.Index(F("window"), name="rate_count_window")]

    def __str__(self) -> str:
        return self.key
