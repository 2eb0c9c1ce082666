"""Quotes: what a task beyond the plan would cost, who said yes or no to it, and when."""

from typing import Final
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q

_AGENT: Final = settings.AUTH_USER_MODEL


class QuoteSettings(models.Model):
    """What every new quote begins with: one row. A sent quote has its own copy of all of it."""

    seller = models.CharField(max_length=200, blank=True, help_text="The company as it stands on quotes.")
    address = models.TextField(max_length=1000, blank=True)
    tax_id = models.CharField(max_length=80, blank=True)
    footer = models.TextField(max_length=1000, blank=True, help_text="Register, bank, managing directors …")
    currency = models.CharField(max_length=3, default="EUR")
    tax_name = models.CharField(max_length=40, default="VAT")
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    terms = models.TextField(max_length=10_000, blank=True)
    validity_days = models.PositiveSmallIntegerField(default=30)
    remind_days = models.PositiveSmallIntegerField(default=3, help_text="So long before it ends; 0 for no reminder.")
    upgrade_plan = models.ForeignKey(
        "helpdesk.Plan", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    upgrade_price = models.CharField(max_length=120, blank=True, help_text="Such as “99 € a month”.")
    upgrade_words = models.TextField(max_length=2000, blank=True)
    upgrade_changes_plan = models.BooleanField(default=False, help_text="Whoever chooses it has the plan at once.")

    class Meta:
        verbose_name_plural = "quote settings"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="quote_settings_are_one_row"),
            models.CheckConstraint(condition=Q(validity_days__range=(1, 365)), name="quotes_are_valid_for_a_year"),
        ]

    def __str__(self) -> str:
        return "quotes"


class QuoteSerial(models.Model):
    """The last number of each year. Its row lock makes numbers gapless: whoever takes one commits before the next."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Quote(models.Model):
    """One version of an offer. A draft has no number; once sent nothing of it changes but its state (trigger
    `quotes_are_frozen`), and a change is a new version that `supersedes` it under the same number.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        SENT = "sent"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    class Answer(models.TextChoices):
        ACCEPT = "accept"
        DECLINE = "decline"
        UPGRADE = "upgrade"  # no to the quote: the customer wants the plan instead

    key = models.UUIDField(default=uuid4, unique=True, editable=False, help_text="What its link is made of.")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    serial = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.PROTECT, related_name="quotes")
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.PROTECT, related_name="quotes")
    organization = models.ForeignKey(
        "helpdesk.Organization", on_delete=models.SET_NULL, null=True, blank=True, related_name="quotes"
    )
    author = models.ForeignKey(_AGENT, on_delete=models.PROTECT, related_name="quotes")
    title = models.CharField(max_length=200)
    words = models.TextField(max_length=10_000, blank=True, help_text="What is done, above the lines.")
    language = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3)
    tax_name = models.CharField(max_length=40, blank=True)
    terms = models.TextField(max_length=10_000, blank=True)
    valid_until = models.DateField(help_text="The last day on which it can be accepted, of the office.")
    deliver_by = models.DateField(null=True, blank=True, help_text="The day by which the task is done.")
    remind_days = models.PositiveSmallIntegerField(default=3)
    seller = models.JSONField(default=dict, help_text="The company as it was when the quote was sent.")
    upgrade_plan = models.ForeignKey(
        "helpdesk.Plan", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    upgrade_name = models.CharField(max_length=80, blank=True)
    upgrade_price = models.CharField(max_length=120, blank=True)
    upgrade_words = models.TextField(max_length=2000, blank=True)
    net = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    tax = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    total = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    message = models.ForeignKey("helpdesk.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    client_id = models.UUIDField(null=True, blank=True, unique=True, help_text="Makes sending it twice harmless.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Answered, withdrawn or expired.")
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    answered_by = models.ForeignKey(
        "helpdesk.Customer", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    answered_name = models.CharField(max_length=200, blank=True)
    answered_from = models.CharField(max_length=45, blank=True, help_text="The network address.")
    answered_via = models.CharField(max_length=10, blank=True, help_text="link or portal.")
    reason = models.TextField(max_length=2000, blank=True, help_text="Why it was declined or withdrawn.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "serial", "version"], name="one_quote_a_number_and_version"),
            models.UniqueConstraint(
                fields=["year", "serial"],
                condition=Q(state__in=["sent", "accepted"]),
                name="one_version_of_a_quote_counts",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", sent_at=None)
                | Q(~Q(state="draft"), year__isnull=False, serial__isnull=False, sent_at__isnull=False),
                name="a_sent_quote_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "sent"], ended_at=None)
                | Q(state__in=["accepted", "declined", "expired", "withdrawn"], ended_at__isnull=False),
                name="a_quote_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", answer="accept")
                | Q(state="declined", answer__in=["decline", "upgrade"])
                | Q(state__in=["draft", "sent", "expired", "withdrawn"], answer=""),
                name="an_answer_is_the_state",
            ),
            models.CheckConstraint(
                condition=Q(answer="") | ~Q(answered_name=""), name="who_answers_a_quote_has_a_name"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1) & (Q(version=1) | Q(supersedes__isnull=False)),
                name="a_later_version_supersedes_one",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="a_quote_pays_nobody"),
        ]
        indexes = [
            models.Index(F("conversation"), F("id").desc(), name="quotes_of_conversation"),
            models.Index(F("customer"), F("id").desc(), name="quotes_of_customer"),
            models.Index(F("organization"), F("id").desc(), name="quotes_of_organization"),
            models.Index(F("state"), F("id").desc(), name="quotes_by_state"),
            models.Index(F("sent_at"), name="quotes_sent", condition=Q(sent_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number or self.title

    @property
    def number(self) -> str:
        """`Q-2026-0001`, `Q-2026-0001-2` for its second version; "" for a draft that has none yet."""
        if self.year is None or self.serial is None:
            return ""
        later = f"-{self.version}" if self.version > 1 else ""
        return f"Q-{self.year}-{self.serial:04}{later}"


class QuoteLine(models.Model):
    """One thing that is done, as `quotes.money` reckons it. Lines of what was sent never change (trigger)."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    quantity = models.DecimalField(max_digits=11, decimal_places=3)
    unit_price = models.DecimalField(max_digits=17, decimal_places=4)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["quote", "position"], name="one_line_a_place"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_line_has_a_quantity"),
            models.CheckConstraint(condition=Q(tax_rate__range=(0, 100)), name="a_tax_rate_is_a_share"),
        ]

    def __str__(self) -> str:
        return self.text


class QuoteDue(models.Model):
    """What happens to a quote by the clock: the next time of each kind (QUOTE_DUES)."""

    class Kind(models.TextChoices):
        REMIND = "remind"
        EXPIRE = "expire"

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="dues")
    kind = models.CharField(max_length=10, choices=Kind)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["quote", "kind"], name="one_due_a_quote_and_kind")]
        indexes = [models.Index(F("due_at"), name="quotes_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quote_id}"
