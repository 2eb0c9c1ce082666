"""People on both sides: agents in teams; customers in organizations, with plans and services."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower, Now


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, role=User.Role.ADMIN, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)
    is_private = models.BooleanField(
        default=False, db_default=False, help_text="Only its members and admins see its conversations."
    )
    escalation_policy = models.ForeignKey(
        "helpdesk.EscalationPolicy", on_delete=models.SET_NULL, null=True, blank=True, related_name="teams"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser, PermissionsMixin):
    """An agent. Customers never log in with a password; they are `Customer` rows."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        AGENT = "agent"
        VIEWER = "viewer"  # reads, and writes notes

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role, default=Role.AGENT)
    timezone = models.CharField(max_length=60, default="Europe/Berlin")
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    notify_by_email = models.BooleanField(
        default=True, help_text="Mail me what customers write in my conversations; I may answer by mail."
    )
    single_keys = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Single letters are keys of the desk (WCAG 2.1.4: may be switched off).",
    )
    teams = models.ManyToManyField(Team, related_name="members", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ignores_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN


class ApiToken(models.Model):
    """A bearer of its owner's rights. Only the SHA-256 is kept; the token itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name or f"token {self.pk}"


class Plan(models.Model):
    """What a customer company bought: which promises hold, when, and what real-time channels come with it."""

    class Realtime(models.TextChoices):
        ALWAYS = "always"
        FIRST_DAYS = "first_days"
        NEVER = "never"

    name = models.CharField(max_length=80, unique=True)
    policy = models.ForeignKey("helpdesk.Policy", on_delete=models.PROTECT, related_name="plans")
    support_hours = models.ForeignKey("helpdesk.Calendar", on_delete=models.PROTECT, related_name="plans")
    urgent_when_closed = models.BooleanField(
        default=False, help_text="Requests outside support hours wake the engineer on call, as with Enterprise SLA."
    )
    realtime = models.CharField(max_length=10, choices=Realtime, default=Realtime.FIRST_DAYS)
    realtime_days = models.PositiveSmallIntegerField(default=30)
    realtime_channels = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    is_default = models.BooleanField(default=False, help_text="For customers who belong to no organization.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=models.Q(is_default=True), name="one_default_plan")
        ]

    def __str__(self) -> str:
        return self.name


class Organization(models.Model):
    name = models.CharField(max_length=200)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="organizations")
    customer_since = models.DateField()
    domains = ArrayField(
        models.CharField(max_length=253), default=list, blank=True, help_text="Mail domains whose senders belong here."
    )
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["name", "id"]
        indexes = [GinIndex(fields=["domains"], name="organization_domains")]

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A person who asks for help. `email` is where we answer; what identifies the person are the identities."""

    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.SET_NULL, null=True, blank=True, related_name="customers"
    )
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=60, blank=True)
    is_manager = models.BooleanField(
        default=False, db_default=False, help_text="Sees the conversations and quotes of the whole organization."
    )
    unwanted_mails = ArrayField(
        models.CharField(max_length=20),
        default=list,
        db_default=[],
        blank=True,
        help_text="Kinds of mails that the customer does not want (helpdesk.customers.mail_choices).",
    )
    notes = models.TextField(blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(Lower("email"), name="customer_email"),
            GinIndex(fields=["name", "email"], name="customer_sounds_like", opclasses=["gin_trgm_ops", "gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"customer {self.pk}"


class Identity(models.Model):
    """How a customer is known on one channel: an e-mail address, a handle, a phone number."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identities")
    channel = models.CharField(max_length=20)
    handle = models.CharField(max_length=320)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["channel", "handle"], name="identity_handle_is_one_customers"),
            models.CheckConstraint(
                condition=~models.Q(channel="email") | models.Q(handle=Lower("handle")), name="identity_email_is_lower"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}:{self.handle}"


class CustomerSession(models.Model):
    """A customer signed in on one browser. Only the SHA-256 of the cookie is kept."""

    class How(models.TextChoices):
        LINK = "link"
        CODE = "code"
        PASSWORD = "password"
        OIDC = "oidc"
        SIGNED = "signed"  # the customers' own dashboard vouched for them, as for the widget

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="sessions")
    digest = models.CharField(max_length=64, unique=True)
    how = models.CharField(max_length=10, choices=How)
    remote = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("began_at")), name="a_session_ends_later")
        ]
        indexes = [models.Index(models.F("customer"), models.F("id").desc(), name="sessions_of_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} by {self.how}"


class PlanChange(models.Model):
    """An organization's plan changes on a day: a trial that ends, an upgrade bought for next month. The due row is the
    promise; a sweep (`helpdesk.customers.plan_changes`) carries it out once.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_changes")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    before = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(models.F("due_at"), name="plan_changes_due", condition=models.Q(done_at=None))]

    def __str__(self) -> str:
        return f"{self.organization}: {self.plan}"


class Service(models.Model):
    """Something a customer runs with us: a cluster, a server in it, a website on that."""

    class Kind(models.TextChoices):
        CLUSTER = "cluster"
        SERVER = "server"
        WEBSITE = "website"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=253, unique=True)
    aliases = ArrayField(
        models.CharField(max_length=253), default=list, blank=True, help_text="Other host names, domains and IPs."
    )
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    organizations = models.ManyToManyField(Organization, related_name="services", blank=True)

    class Meta:
        ordering = ["name"]
        indexes = [GinIndex(fields=["aliases"], name="service_aliases")]
        constraints = [
            models.CheckConstraint(condition=models.Q(name=Lower("name")), name="service_name_is_lower"),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="service_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.name


class AuditEntry(models.Model):
    """Who changed what is configured, and what it was before. Append-only (trigger `audit_is_append_only`); secrets
    never stand in it. `actor` is null for the house itself, `thing_id` for what has no row.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    action = models.CharField(max_length=40, help_text="created, changed, deleted …")
    kind = models.CharField(max_length=40, help_text="What was changed: plan, mailbox, user …")
    thing_id = models.BigIntegerField(null=True, blank=True)
    name = models.CharField(max_length=200, help_text="What it was called then.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(models.F("kind"), models.F("thing_id"), models.F("id").desc(), name="audit_of_thing"),
            models.Index(models.F("actor"), models.F("id").desc(), name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing_id} {self.action}"
