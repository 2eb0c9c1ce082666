"""A browser's session with a widget: a random token whose digest we keep, good for 90 days after its last use."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from chat.identity import Signed, UsedBefore
from chat.models import Chat, UsedToken, Visit, Widget
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers import actions as customers
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Customer, Identity, Organization, Plan
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.prepared import Prepared

LASTS: Final = timedelta(days=90)
# A visit's last use is noted this exactly, so that reading does not write.
NOTED_EVERY: Final = timedelta(hours=1)
LONGEST_TOKEN: Final = 200
CHANNEL: Final = "chat"

_FIND = Prepared(
    "visit_of_token",
    f"""
SELECT {columns(Visit, "v")}, {columns(Widget, "w")}, {columns(Customer, "c")}, {columns(Organization, "o")},
    {columns(Plan, "p")}
FROM {Visit._meta.db_table} v
JOIN {Widget._meta.db_table} w ON w.id = v.widget_id
LEFT JOIN {Customer._meta.db_table} c ON c.id = v.customer_id
LEFT JOIN {Organization._meta.db_table} o ON o.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} p ON p.id = o.plan_id
WHERE v.digest = %s AND v.ended_at IS NULL AND v.expires_at > %s AND w.is_active
""",
)
_OVER = Prepared(
    "visits_over",
    f"""
SELECT v.id FROM {Visit._meta.db_table} v JOIN {Widget._meta.db_table} w ON w.id = v.widget_id
WHERE v.id = ANY(%s::bigint[]) AND (v.ended_at IS NOT NULL OR v.expires_at <= %s OR NOT w.is_active)
""",
)


# One of two that come at once waits for the other to be committed.
_USE = Prepared(
    "use_token",
    f"""
INSERT INTO {UsedToken._meta.db_table} (widget_id, digest, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
""",
)


def digest(token: str) -> str:
    """SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def visit_of(token: str, at: datetime) -> Visit | None:
    """The session that a token opens, with widget, customer, organization and plan; one statement."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    row = _FIND.row([digest(token), at])
    if row is None:
        return None
    visit, row = take(Visit, row)
    visit.widget, row = take(Widget, row)
    if visit.customer_id is not None:
        visit.customer = _customer(row)
    return visit


def _customer(row: tuple[object, ...]) -> Customer:
    customer, row = take(Customer, row)
    if customer.organization_id is not None:
        customer.organization, row = take(Organization, row)
        customer.organization.plan, _ = take(Plan, row)
    return customer


@transaction.atomic
def open_visit(
    widget: Widget,
    signed: Signed | None,
    *,
    at: datetime,
    known_as: Visit | None = None,
    customer: Customer | None = None,
    origin: str = "",
    language: str = "",
    timezone: str = "",
    browser: str = "",
) -> tuple[Visit, str]:
    """A new session and its token, which is returned once. Who was a stranger until now (`known_as`) and has signed
    in keeps what they have begun: it becomes the customer's, and the stranger's session ends. `customer` is who is
    signed in to the portal, on our own page. Raises UsedBefore.
    """
    if signed and signed.token_id and signed.expires_at is not None:
        _use(widget, signed.token_id, signed.expires_at)
    token = secrets.token_urlsafe(32)
    visit = Visit.objects.create(
        widget=widget,
        digest=digest(token),
        customer=_signed_customer(widget, signed, at) if signed else customer,
        subject=signed.subject if signed else f"portal:{customer.pk}" if customer else "",
        is_id_only=bool(signed and signed.is_id_only),
        origin=origin[:253],
        language=language[:10],
        timezone=timezone[:60],
        browser=browser[:200],
        created_at=at,
        seen_at=at,
        expires_at=at + LASTS,
    )
    if visit.is_verified and known_as is not None and not known_as.is_verified and known_as.widget_id == widget.pk:
        _hand_over(known_as, visit, at)
    return visit, token


def _use(widget: Widget, token_id: str, until: datetime) -> None:
    """The token opens this session and no other."""
    if not _USE.run([widget.pk, digest(token_id), until]):
        raise UsedBefore("the token was used before: sign a new one for each session, with a jti of its own")


def forget_tokens(at: datetime) -> None:
    """Those that have run out hold no more by themselves."""
    UsedToken.objects.filter(expires_at__lt=at).delete()


def customer_signed_for(widget: Widget, signed: Signed, *, at: datetime) -> Customer:
    """The customer whom a page's token vouches for, where no session is wanted; the token is used up. Raises
    UsedBefore. Must run in a transaction.
    """
    if signed.token_id and signed.expires_at is not None:
        _use(widget, signed.token_id, signed.expires_at)
    return _signed_customer(widget, signed, at)


def note_use(visit: Visit, at: datetime) -> None:
    """The session is in use: it lasts on from now."""
    if at - visit.seen_at >= NOTED_EVERY:
        Visit.objects.filter(pk=visit.pk).update(seen_at=at, expires_at=at + LASTS)


def end(visit: Visit, *, at: datetime) -> None:
    """Logged out of the page: the token opens nothing any more."""
    Visit.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=at)


def over(visits: Collection[int], at: datetime) -> set[int]:
    """Those of the sessions that open nothing any more; one statement."""
    return {number for (number,) in _OVER.rows([list(visits), at])}


def _signed_customer(widget: Widget, signed: Signed, at: datetime) -> Customer:
    """The customer a page vouches for: known by its id, else by the address it has signed as well, else new."""
    handle = f"{widget.pk}:{signed.subject}"
    known = Identity.objects.select_related("customer").filter(channel="site", handle=handle).first()
    if known is not None:
        return known.customer
    if signed.email:
        customer = customers.find_or_create_customer("email", signed.email, signed.name, at=at)
        Identity.objects.filter(channel="email", handle=signed.email, verified_at=None).update(verified_at=at)
        Identity.objects.get_or_create(
            channel="site", handle=handle, defaults={"customer": customer, "verified_at": at}
        )
        return Identity.objects.select_related("customer").get(channel="site", handle=handle).customer
    customer = customers.find_or_create_customer("site", handle, signed.name, at=at)
    Identity.objects.filter(channel="site", handle=handle, verified_at=None).update(verified_at=at)
    return customer


def _hand_over(stranger: Visit, visit: Visit, at: datetime) -> None:
    assert visit.customer is not None, "somebody who has signed in is a customer"
    chats = Chat.objects.filter(visit=stranger, is_verified=False).select_related("conversation").order_by("pk")
    for chat in chats:
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=chat.conversation_id)
        if conversation.status in DONE:
            continue
        conversation.customer = visit.customer
        conversation.organization_id = visit.customer.organization_id
        conversation.save(update_fields=["customer", "organization"])
        Chat.objects.filter(pk=chat.pk).update(visit=visit, is_verified=True)
        data = {"was": stranger.customer_id, "customer": visit.customer_id}
        record(Fact("customer.identified", conversation.pk, CUSTOMER, data=data), at=at)
    end(stranger, at=at)
