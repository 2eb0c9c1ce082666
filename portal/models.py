"""The portal's own tables: how customers prove who they are, and what they ask for about their own data."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class SignIn(models.Model):
    """Somebody asked for a link and a code. Whether the address is known a worker looks up; then the row of a known one
    names its customer, and that of a stranger forgets the address. The code and the link are made from the row and
    SECRET_KEY: neither is kept.
    """

    address_digest = models.CharField(max_length=64, help_text="What asks of one mailbox are counted by.")
    customer = models.ForeignKey(
        "helpdesk.Customer", on_delete=models.CASCADE, null=True, blank=True, related_name="sign_ins"
    )
    address = models.CharField(
        max_length=320, blank=True, help_text="Where it is mailed; empty for strangers, once that is known."
    )
    language = models.CharField(max_length=10, blank=True)
    goes_to = models.CharField(max_length=300, blank=True, help_text="The page that was asked for first.")
    remote = models.CharField(max_length=45, blank=True)
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(F("address_digest"), F("asked_at"), name="sign_ins_of_mailbox"),
            models.Index(F("ends_at"), name="sign_ins_over"),
        ]

    def __str__(self) -> str:
        return f"sign-in {self.pk}"


class Password(models.Model):
    """A customer's own password, hashed as agents' are."""

    customer = models.OneToOneField(
        "helpdesk.Customer", on_delete=models.CASCADE, primary_key=True, related_name="password"
    )
    hashed = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"password of {self.customer_id}"


class WrongPasswords(models.Model):
    """How often a wrong password was typed for an address, over all processes. Known and unknown ones are counted
    alike, so that nobody can tell them apart by what is done.
    """

    address_digest = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveSmallIntegerField()
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(F("since"), name="wrong_passwords_since")]

    def __str__(self) -> str:
        return f"{self.count} wrong passwords"


class Subject(models.Model):
    """A customer's id at the provider of single sign-on: addresses are given to new people, ids are not."""

    customer = models.OneToOneField(
        "helpdesk.Customer", on_delete=models.CASCADE, primary_key=True, related_name="subject"
    )
    issuer = models.CharField(max_length=300)
    name = models.CharField(max_length=255, help_text="The provider's `sub`.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "name"], name="one_customer_a_subject")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.name}"


class Linking(models.Model):
    """A customer wants to be known by one more address or handle, and proves that it is theirs.

    For an e-mail address a code is mailed there. For other channels the code is shown here, and the person sends it
    from the account that is to be linked (`portal.linking.claim`).
    """

    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.CASCADE, related_name="linkings")
    channel = models.CharField(max_length=20, blank=True, help_text="Empty: whichever it is sent on.")
    handle = models.CharField(max_length=320, blank=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the code.")
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(F("customer"), F("asked_at"), name="linkings_of_customer")]

    def __str__(self) -> str:
        return f"linking {self.pk} of {self.customer_id}"


class Export(models.Model):
    """All we hold of a customer, as a file that a worker makes and that is removed when it ends."""

    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.CASCADE, related_name="exports")
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    path = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(F("customer"), F("asked_at"), name="exports_of_customer")]

    def __str__(self) -> str:
        return f"export {self.pk} of {self.customer_id}"


class Erasure(models.Model):
    """A customer asks to be forgotten: seven days to take it back, then an admin confirms it."""

    customer = models.OneToOneField(
        "helpdesk.Customer", on_delete=models.CASCADE, primary_key=True, related_name="erasure"
    )
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="From when on it can be confirmed.")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(done_at=None) | Q(done_at__gte=F("due_at")), name="erased_when_due")
        ]

    def __str__(self) -> str:
        return f"erasure of {self.customer_id}"
