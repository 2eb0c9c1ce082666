"""An agent's own phone and Telegram: shown to be theirs by a code, and then reached there by pages."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import models, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from helpdesk.customers.models import User
from helpdesk.events.phone_numbers import e164
from helpdesk.events.safe_text import one_line
from helpdesk.oncall.models import AgentAddress, NotificationRule

PHONE_CODE_LASTS: Final = timedelta(minutes=10)
TELEGRAM_CODE_LASTS: Final = timedelta(minutes=30)
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
MOST_TRIES: Final = 5
_DIGITS: Final = 6
# What tells an agent's code from a customer's: both come as `/start CODE`.
TELEGRAM_PREFIX: Final = "agent_"
_RULES: Final = {AgentAddress.Kind.PHONE: ("sms", "voice"), AgentAddress.Kind.TELEGRAM: ("telegram",)}


class NotLinked(ValueError):
    """The address was not linked; the message says why, for the agent."""


@transaction.atomic
def ask_phone(user: User, number: str, *, at: datetime) -> tuple[str, str]:
    """Remember a number to be confirmed; the number as E.164, and the code to send there. Raises NotLinked."""
    wanted = e164(number)
    if not wanted:
        raise NotLinked(_("Write the number with its country, such as +49 151 23456789."))
    found = _row(user, AgentAddress.Kind.PHONE)
    if found.code_until is not None and found.code_until - PHONE_CODE_LASTS + ASKED_AGAIN_AFTER > at:
        raise NotLinked(_("A code was sent a moment ago. Wait a minute before you ask for another one."))
    if _confirmed(AgentAddress.Kind.PHONE, wanted).exclude(user=user).exists():
        raise NotLinked(_("Another agent has this number."))
    if found.confirmed_at is not None:
        _forget_rules(found)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    found.address, found.confirmed_at, found.tries = wanted, None, 0
    found.code_digest, found.code_until = _digest(code, user), at + PHONE_CODE_LASTS
    found.save()
    return wanted, code


def confirm_phone(user: User, code: str, *, at: datetime) -> str:
    """The number, now the agent's. Raises NotLinked; a wrong code counts, also where the caller rolls back nothing."""
    with transaction.atomic():
        found = _row(user, AgentAddress.Kind.PHONE)
        trouble = _check(found, user, code.strip(), at)
        if not trouble:
            found.confirmed_at, found.code_digest, found.code_until = at, "", None
        found.save()
    if trouble:
        raise NotLinked(trouble)
    return found.address


def _check(found: AgentAddress, user: User, code: str, at: datetime) -> str:
    if not found.code_digest or found.code_until is None or found.code_until < at:
        return _("There is no code to confirm, or it is too old. Ask for a new one.")
    found.tries += 1
    if found.tries > MOST_TRIES:
        return _("Too many wrong codes. Ask for a new one.")
    if not constant_time_compare(found.code_digest, _digest(code, user)):
        return _("This is not the code that was sent.")
    if _confirmed(found.kind, found.address).exclude(user=user).exists():
        return _("Another agent has this number.")
    return ""


@transaction.atomic
def ask_telegram(user: User, *, at: datetime) -> str:
    """A code that the agent sends to our bot, as `/start CODE`. What is linked stays until another chat sends it."""
    found = _row(user, AgentAddress.Kind.TELEGRAM)
    code = TELEGRAM_PREFIX + secrets.token_urlsafe(18)
    found.code_digest, found.code_until = _digest(code), at + TELEGRAM_CODE_LASTS
    found.save()
    return code


@transaction.atomic
def confirm_telegram(code: str, chat: str, name: str, *, at: datetime) -> User | None:
    """The agent whose code it is, linked to this chat now; None where the code is nobody's or too old."""
    waiting = AgentAddress.objects.select_for_update().filter(kind=AgentAddress.Kind.TELEGRAM, code_until__gte=at)
    found = waiting.select_related("user").filter(code_digest=_digest(code)).exclude(code_digest="").first()
    if found is None or not found.user.is_active:
        return None
    for other in _confirmed(AgentAddress.Kind.TELEGRAM, chat).exclude(pk=found.pk):
        unlink(other.user, AgentAddress.Kind.TELEGRAM)
    if found.address and found.address != chat:
        _forget_rules(found)
    found.address, found.name, found.confirmed_at = chat, one_line(name, 120), at
    found.code_digest, found.code_until = "", None
    found.save()
    return found.user


@transaction.atomic
def unlink(user: User, kind: str) -> None:
    """No page reaches them there any more; the rules that said so go with it."""
    for found in AgentAddress.objects.select_for_update().filter(user=user, kind=kind):
        _forget_rules(found)
        found.delete()


def agent_at(kind: str, address: str) -> User | None:
    """The active agent whose confirmed address this is."""
    found = _confirmed(kind, address).filter(user__is_active=True).select_related("user").first() if address else None
    return found.user if found else None


def address_of(user: User, kind: str) -> str:
    """The agent's confirmed number or chat, "" where there is none."""
    mine = AgentAddress.objects.filter(user=user, kind=kind, confirmed_at__isnull=False)
    return mine.values_list("address", flat=True).first() or ""


def kind_of_channel(channel: str) -> str:
    """Which address a pager's channel leads to, "" for channels that lead to none of an agent's own."""
    return next((kind.value for kind, channels in _RULES.items() if channel in channels), "")


def _row(user: User, kind: str) -> AgentAddress:
    AgentAddress.objects.get_or_create(user=user, kind=kind)
    return AgentAddress.objects.select_for_update().get(user=user, kind=kind)


def _confirmed(kind: str, address: str) -> models.QuerySet[AgentAddress]:
    return AgentAddress.objects.filter(kind=kind, address=address, confirmed_at__isnull=False)


def _forget_rules(found: AgentAddress) -> None:
    channels = _RULES[AgentAddress.Kind(found.kind)]
    NotificationRule.objects.filter(user=found.user, channel__in=channels, to=found.address).delete()


def _digest(code: str, user: User | None = None) -> str:
    """Keyed, since a code of six digits is soon guessed from a bare digest of it."""
    return salted_hmac("helpdesk.oncall.linking", f"{user.pk if user else ''}:{code}", algorithm="sha256").hexdigest()
