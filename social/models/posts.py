"""Who speaks with us on the networks, and what was said there."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Person(models.Model):
    """Somebody on a network, as one of our accounts sees them. Who that is as a customer is unverified until they link
    the handle themselves. What is null nobody has told us.
    """

    account = models.ForeignKey("social.Account", on_delete=models.CASCADE, related_name="people")
    external_id = models.CharField(max_length=200)
    handle = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    avatar_url = models.CharField(max_length=1000, blank=True)
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.PROTECT, related_name="+")
    may_dm = models.BooleanField(null=True, blank=True)
    follows_us = models.BooleanField(null=True, blank=True)
    followed_by_us = models.BooleanField(null=True, blank=True)
    is_staff = models.BooleanField(default=False, help_text="One of us in private: never a ticket, never counted.")
    muted_at = models.DateTimeField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    unreachable_at = models.DateTimeField(null=True, blank=True, help_text="They blocked us, or left.")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "people"
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="one_row_a_person")]

    def __str__(self) -> str:
        return self.handle or self.name or self.external_id


class Thread(models.Model):
    """What a conversation on a network has besides: whose account, with whom, in public or not, and until when we may
    answer. Its key on the network is the conversation's `thread`.
    """

    conversation = models.OneToOneField(
        "helpdesk.Conversation", on_delete=models.CASCADE, primary_key=True, related_name="social_thread"
    )
    account = models.ForeignKey("social.Account", on_delete=models.PROTECT, related_name="threads")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="threads")
    is_public = models.BooleanField()
    root = models.CharField(max_length=250, blank=True, help_text="The post it all hangs on.")
    url = models.CharField(max_length=1000, blank=True)
    window_ends_at = models.DateTimeField(null=True, blank=True, help_text="Until when the network lets us answer.")
    is_manual = models.BooleanField(default=False, help_text="Logged by hand: answered by deep link, marked as posted.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_public=False) | Q(window_ends_at=None), name="only_private_threads_have_a_window"
            )
        ]

    def __str__(self) -> str:
        return f"thread of {self.conversation_id}"


class Post(models.Model):
    """Something said on a network: by somebody (`person`) or by us. It is a message of a conversation, unless it is a
    post of our own that nobody has answered. `versions` are the earlier texts: [{at, text}].
    """

    class Kind(models.TextChoices):
        POST = "post"
        COMMENT = "comment"
        REPLY = "reply"
        QUOTE = "quote"
        DIRECT = "direct"

    account = models.ForeignKey("social.Account", on_delete=models.PROTECT, related_name="posts")
    external_id = models.CharField(max_length=250)
    message = models.OneToOneField(
        "helpdesk.Message", on_delete=models.CASCADE, null=True, blank=True, related_name="social_post"
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    kind = models.CharField(max_length=8, choices=Kind)
    is_public = models.BooleanField()
    parent = models.CharField(max_length=250, blank=True)
    root = models.CharField(max_length=250, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    names_us = models.BooleanField(default=False, help_text="It mentions or quotes us: we were summoned.")
    allows = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text="hide, private_reply … as the network says.",
    )
    exposes = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, help_text="Private data found in it: email, card …"
    )
    is_abusive = models.BooleanField(default=False, help_text="Covered on the desk until somebody asks to see it.")
    versions = models.JSONField(default=list, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    album = models.CharField(max_length=100, blank=True, help_text="What pictures sent together have in common.")
    part_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="parts",
        help_text="The first post of the album: its message has the pictures of all.",
    )  # fmt: skip
    media = models.JSONField(default=list, blank=True, help_text="[{url, kind, name, state}], until fetched.")
    media_due_at = models.DateTimeField(null=True, blank=True)
    media_attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "external_id"], name="a_post_once"),
            models.CheckConstraint(condition=~Q(kind="direct") | Q(is_public=False), name="direct_is_not_public"),
        ]
        indexes = [
            models.Index(F("account"), F("root"), name="posts_of_thread", condition=~Q(root="")),
            models.Index(F("account"), F("album"), F("at").desc(), name="posts_of_album", condition=~Q(album="")),
            models.Index(F("media_due_at"), name="posts_with_media", condition=Q(media_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"
