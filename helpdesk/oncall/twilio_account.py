"""Our account with Twilio: the environment's, else the one that an admin has entered on the settings page."""

import time
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import models, transaction

from helpdesk.events.secrets import SecretUnreadable, decrypt, encrypt
from helpdesk.events.twilio_calls import TwilioCalls

# So long a process trusts what it has read: another one's change is seen then.
REMEMBERED_SECONDS: Final = 5.0


class TwilioAccount(models.Model):
    """What an admin has entered; one row. `secret` is the account's token, encrypted (helpdesk.events.secrets)."""

    account_sid = models.CharField(max_length=34)
    secret = models.TextField()
    sender = models.CharField(max_length=34, blank=True, help_text="A number (E.164), or a messaging service (MG…).")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_twilio_account")]

    def __str__(self) -> str:
        return self.account_sid


@dataclass(frozen=True, slots=True)
class Credentials:
    """What calls, texts and signatures need. A messaging service as `sender` sends texts, but cannot call."""

    account_sid: str = ""
    token: str = field(default="", repr=False)
    sender: str = ""

    @property
    def can_text(self) -> bool:
        return self.calls().is_configured and bool(self.sender)

    @property
    def can_call(self) -> bool:
        return self.calls().is_configured and self.sender.startswith("+")

    def calls(self) -> TwilioCalls:
        return TwilioCalls(self.account_sid, self.token, settings.TWILIO_BASE_URL)


NOBODY: Final = Credentials()
_read: list[tuple[float, Credentials]] = []


def is_from_environment() -> bool:
    return bool(settings.TWILIO_ACCOUNT_SID or settings.TWILIO_AUTH_TOKEN)


def credentials() -> Credentials:
    """The account as it is now; NOBODY where there is none. What was read a moment ago is not read again."""
    if is_from_environment():
        return Credentials(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, str(settings.TWILIO_FROM))
    if _read and _read[0][0] > time.monotonic():
        return _read[0][1]
    found = _stored()
    _read[:] = [(time.monotonic() + REMEMBERED_SECONDS, found)]
    return found


def remembered() -> Credentials:
    """What this process read last, however long ago: for times when the database is away."""
    if is_from_environment():
        return credentials()
    return _read[0][1] if _read else NOBODY


def forget() -> None:
    """It was changed: it is read again."""
    _read.clear()


def _stored() -> Credentials:
    row = TwilioAccount.objects.filter(pk=1).first()
    if row is None:
        return NOBODY
    try:
        return Credentials(row.account_sid, decrypt(row.secret), row.sender)
    except SecretUnreadable:
        # Without its token it is no account; the settings page says that it must be entered again.
        return NOBODY


def keep(account_sid: str, token: str, sender: str) -> TwilioAccount:
    """Write it down, within the caller's transaction; an empty `token` keeps the one that is there."""
    row = TwilioAccount.objects.filter(pk=1).first() or TwilioAccount(pk=1)
    row.account_sid, row.sender = account_sid, sender
    if token:
        row.secret = encrypt(token)
    row.save()
    _forget_twice()
    return row


def remove() -> None:
    """It is not ours any more, or the environment's is meant."""
    TwilioAccount.objects.all().delete()
    _forget_twice()


def _forget_twice() -> None:
    forget()
    # Somebody may have asked between then and the end of the transaction.
    transaction.on_commit(forget)
