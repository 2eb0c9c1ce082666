"""Who wants to be told, and no longer: asked for by anybody, begun only by who reads the mail (or the webhook's log).

Whoever asks always gets the same answer, whether the address is known or not; an address is written to once a day.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from helpdesk.customers.models import Customer, Identity
from helpdesk.events import webhook_calls, webhooks
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.secrets import encrypt
from helpdesk.limits import Limit, network_of, take
from helpdesk.prepared import Prepared
from status.models import Component, Notice, Subscriber

Kind, Status = Subscriber.Kind, Subscriber.Status
ASKED: Final = "subscriber.asked"
"""Somebody asked to be told, or asked again: {subscriber}. The confirmation follows."""
CONFIRMED: Final = "subscriber.confirmed"
ENDED: Final = "subscriber.ended"
AGAIN_AFTER: Final = timedelta(hours=24)
# An office behind one address may subscribe together; a page full of trouble brings hundreds within the hour.
ASKS_OF_NETWORK: Final = Limit(20, 20 / 3600)
ASKS_OF_MAILBOX: Final = Limit(3, 3 / 86_400)
MOST_AN_HOUR: Final = 2_000
UNCONFIRMED_KEPT: Final = timedelta(days=7)
ENDED_KEPT: Final = timedelta(days=30)
MOST_COMPONENTS: Final = 1_000
LONGEST_EMAIL: Final = 254  # RFC 5321 §4.5.3.1.3
SELF_SERVICE: Final = (Kind.EMAIL, Kind.WEBHOOK)
_CHAT: Final = {
    Kind.SLACK: re.compile(r"[CGD][A-Z0-9]{6,20}"),
    Kind.TELEGRAM: re.compile(r"-?[0-9]{3,20}|@[A-Za-z][A-Za-z0-9_]{3,31}"),
}


class NotAnAddress(ValueError):
    """Nothing can be sent there; the argument says why."""


class TooMany(ValueError):
    """More was asked for than one caller, one mailbox or the page may ask for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants to be told of: everything (`components` None), or these, by id; with `only_own` nothing but
    what affects the services of the customer they are.
    """

    components: Sequence[int] | None = None
    only_own: bool = False
    language: str = "en"


# An address that was asked for within the day is left alone, unless its owner has said yes and then no since: who can
# do that reads what we send there.
_ASK: Final = Prepared(
    "ask_to_subscribe",
    f"""
INSERT INTO {Subscriber._meta.db_table} AS known
    (key, kind, address, status, wants_all, only_own, language, secret, trouble, consent, asked_at, created_at)
VALUES (gen_random_uuid(), %(kind)s, %(address)s, 'pending', %(wants_all)s, %(only_own)s, %(language)s, %(secret)s, '',
        '', %(at)s::timestamptz, %(at)s::timestamptz)
ON CONFLICT (kind, lower(address)) DO UPDATE SET asked_at = excluded.asked_at,
    status = CASE WHEN known.status = 'active' THEN 'active' ELSE 'pending' END, ended_at = NULL,
    wants_all = CASE WHEN known.status = 'active' THEN known.wants_all ELSE excluded.wants_all END,
    only_own = CASE WHEN known.status = 'active' THEN known.only_own ELSE excluded.only_own END,
    language = CASE WHEN known.status = 'active' THEN known.language ELSE excluded.language END,
    secret = CASE WHEN known.secret = '' THEN excluded.secret ELSE known.secret END
WHERE known.asked_at <= %(at)s::timestamptz - make_interval(secs => %(again)s::float)
    OR (known.status = 'ended' AND known.confirmed_at >= known.asked_at AND known.ended_at >= known.confirmed_at)
RETURNING id, status
""",
)


def ask(kind: str, address: str, wishes: Wishes, *, remote: str, at: datetime) -> None:
    """Somebody at `remote` asks that this address be told. What follows is a mail (or a call) that only its owner sees;
    nothing else happens, and nobody learns whether the address was known.

    Raises TooMany before anything is written or looked up, NotAnAddress where nothing can be sent.
    """
    if take(ASKS_OF_NETWORK, f"subscribe:{network_of(remote)}"):
        raise TooMany("too many were asked for from here")
    if kind not in SELF_SERVICE:
        raise NotAnAddress("this kind of subscriber is added by us")
    address = checked(kind, address)
    if take(ASKS_OF_MAILBOX, f"subscribe:{mailbox_of(kind, address)}"):
        return  # as if it had been asked for: who floods a mailbox learns nothing
    if Subscriber.objects.filter(asked_at__gt=at - timedelta(hours=1))[: MOST_AN_HOUR + 1].count() > MOST_AN_HOUR:
        raise TooMany("too many were asked for within the hour")
    with transaction.atomic():
        _ask(kind, address, wishes, at)


def checked(kind: str, address: str) -> str:
    """The address as it is kept. Blocks on DNS for webhooks. Raises NotAnAddress."""
    address = address.strip()
    if not address or not address.isprintable():
        raise NotAnAddress("there is no address")
    if kind == Kind.EMAIL:
        return _checked_email(address)
    if kind == Kind.WEBHOOK:
        try:
            webhook_calls.check(address)
        except NeverRetry as error:
            raise NotAnAddress(error.reason) from error
        return address
    if not _CHAT[Kind(kind)].fullmatch(address):
        raise NotAnAddress("that is no channel's or chat's id")
    return address


def _checked_email(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotAnAddress("that is no e-mail address") from error
    if len(address) > LONGEST_EMAIL:
        raise NotAnAddress("that address is too long")
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def mailbox_of(kind: str, address: str) -> str:
    """Where it ends up: tags behind a plus, and dots at Gmail, make no other mailbox."""
    if kind != Kind.EMAIL:
        return address.lower()
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in ('gmail.com', 'googlemail.com') else local}@{domain}"


def _ask(kind: str, address: str, wishes: Wishes, at: datetime) -> None:
    asked = _ASK.row(
        {
            "kind": kind,
            "address": address,
            "wants_all": wishes.components is None,
            "only_own": wishes.only_own,
            "language": wishes.language,
            "secret": encrypt(webhooks.new_secret()) if kind == Kind.WEBHOOK else "",
            "at": at,
            "again": AGAIN_AFTER.total_seconds(),
        }
    )
    if asked is None:
        return  # within the day
    pk, status = asked
    if status == Status.PENDING:
        _choose(Subscriber(pk=pk), wishes.components)
    record(Fact(ASKED, None, CUSTOMER, data={"subscriber": pk}), at=at)


def _choose(subscriber: Subscriber, components: Collection[int] | None) -> None:
    known = Component.objects.filter(pk__in=list(components or ())[:MOST_COMPONENTS])
    subscriber.components.set(known.values_list("pk", flat=True))


@transaction.atomic
def confirm(subscriber: Subscriber, wishes: Wishes, *, at: datetime) -> bool:
    """They have said yes, and what they want to be told of; False where nothing waited for that."""
    locked = Subscriber.objects.select_for_update(of=("self",)).get(pk=subscriber.pk)
    if locked.status != Status.PENDING:
        return False
    _begin(locked, wishes, at)
    record(Fact(CONFIRMED, None, CUSTOMER, data={"subscriber": locked.pk}), at=at)
    return True


def _begin(subscriber: Subscriber, wishes: Wishes, at: datetime) -> None:
    subscriber.status, subscriber.confirmed_at, subscriber.ended_at = Status.ACTIVE, at, None
    subscriber.failing_since, subscriber.trouble = None, ""
    if subscriber.kind == Kind.EMAIL:
        subscriber.customer = customer_of(subscriber.address)
    _wish(subscriber, wishes)


def _wish(subscriber: Subscriber, wishes: Wishes) -> None:
    subscriber.wants_all, subscriber.language = wishes.components is None, wishes.language
    subscriber.only_own = wishes.only_own and subscriber.customer_id is not None
    subscriber.save()
    _choose(subscriber, wishes.components)


def customer_of(address: str) -> Customer | None:
    """The customer who has proved to read this mailbox, once they are known to."""
    identity = Identity.objects.select_related("customer").filter(channel="email", handle=address.lower()).first()
    return identity.customer if identity is not None else None


@transaction.atomic
def change(subscriber: Subscriber, wishes: Wishes) -> None:
    """What they want to be told of from now on."""
    _wish(Subscriber.objects.select_for_update(of=("self",)).get(pk=subscriber.pk), wishes)


@transaction.atomic
def end(subscriber: Subscriber, *, actor: Actor = CUSTOMER, at: datetime) -> bool:
    """Tell them nothing any more, not even what is on its way; False where that was so already."""
    locked = Subscriber.objects.select_for_update(of=("self",)).get(pk=subscriber.pk)
    if locked.status == Status.ENDED:
        return False
    locked.status, locked.ended_at = Status.ENDED, at
    locked.save(update_fields=["status", "ended_at"])
    Notice.objects.filter(subscriber=locked, status=Notice.Status.PENDING).delete()
    record(Fact(ENDED, None, actor, data={"subscriber": locked.pk}), at=at)
    return True


@transaction.atomic
def add(kind: str, address: str, wishes: Wishes, *, is_confirmed: bool, actor: Actor, at: datetime) -> Subscriber:
    """An agent adds somebody. Who has not confirmed elsewhere (`is_confirmed`) is asked first; chats are ours to add.
    One that is there is changed. Raises NotAnAddress.
    """
    address = checked(kind, address)
    found = Subscriber.objects.select_for_update(of=("self",)).filter(kind=kind, address__iexact=address).first()
    if found is None:
        secret = encrypt(webhooks.new_secret()) if kind == Kind.WEBHOOK else ""
        found = Subscriber.objects.create(kind=kind, address=address, secret=secret, asked_at=at, created_at=at)
        is_new = True
    else:
        is_new = False
    if is_confirmed or kind not in SELF_SERVICE:
        _begin(found, wishes, at)
        record(Fact(CONFIRMED, None, actor, data={"subscriber": found.pk}), at=at)
    elif found.status == Status.ACTIVE:
        _wish(found, wishes)
    else:
        _wish(found, wishes)
        if is_new or found.asked_at <= at - AGAIN_AFTER:
            Subscriber.objects.filter(pk=found.pk).update(status=Status.PENDING, ended_at=None, asked_at=at)
            record(Fact(ASKED, None, actor, data={"subscriber": found.pk}), at=at)
    found.refresh_from_db()
    return found


def forget(*, at: datetime) -> int:
    """Drop who never said yes within a week, and who has said no a month ago; how many those were."""
    pending = Subscriber.objects.filter(status=Status.PENDING, asked_at__lt=at - UNCONFIRMED_KEPT)
    ended = Subscriber.objects.filter(status=Status.ENDED, ended_at__lt=at - ENDED_KEPT)
    gone = 0
    for rows in (pending, ended):
        gone += Subscriber.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:10_000])).delete()[0]
    return gone
