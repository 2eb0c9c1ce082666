"""Chats that are agreed for a time: booked, moved, cancelled, reminded of, held or missed."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from chat import booking_hours, chats, slots, widgets
from chat.chats import FirstWords, NeedsAddress
from chat.entitlement import EARLY
from chat.models import Booking, Chat, Visit
from helpdesk.conversations import actions as conversations
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Message, Status
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER, SYSTEM, Actor

logger = logging.getLogger(__name__)

MOST_AHEAD: Final = 3
LONGEST_TOPIC: Final = 500
REMINDERS: Final = (timedelta(days=1), timedelta(minutes=15))
# A reminder of the day before says nothing new to somebody who has booked just now.
NOT_WITHIN: Final = timedelta(hours=2)
MOST: Final = 200
AFTER_AN_ERROR: Final = timedelta(minutes=1)
# The database's word on who sits where.
SEAT: Final = "one_booking_a_seat"

BOOKED, MOVED, CANCELLED = "chat.booked", "chat.rebooked", "chat.booking_cancelled"
REMINDED, HELD, MISSED = "chat.booking_reminded", "chat.booking_held", "chat.booking_missed"


class Taken(Exception):
    """Somebody was quicker: no seat is left at that time."""


class NotOffered(ValueError):
    """Chats cannot be booked for that time."""


class TooMany(Exception):
    """They have as many bookings ahead as one may have."""


class NotBooked(ValueError):
    """It is cancelled, or its time has passed: nothing can be changed any more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor asks for. `client_id` is theirs: the same again returns the first booking."""

    client_id: UUID
    starts_at: datetime
    topic: str = ""
    email: str = ""
    name: str = ""
    language: str = ""
    timezone: str = ""


def book(visit: Visit, wish: Wish, *, at: datetime) -> tuple[Booking, bool]:
    """Agree on a time, with a conversation about it that agents see; the booking, and whether it is new.

    Raises Taken, NotOffered, TooMany, NeedsAddress, and what `chats.start` raises.
    """
    known = _known(visit, wish)
    if known is not None:
        return known, False
    with transaction.atomic():
        words = FirstWords(
            text=wish.topic.strip() or _("Booked chat: %s") % f"{wish.starts_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            client_id=wish.client_id,
            name=wish.name,
            email=wish.email,
            leisurely=True,
        )
        said = chats.start(visit, words, at=at)
        if said.is_repeated:
            known = Booking.objects.filter(conversation=said.chat.conversation_id).first()
            if known is not None:
                return known, False
        return _book(visit, said.chat, wish, at), True


def _known(visit: Visit, wish: Wish) -> Booking | None:
    """What this request has brought about before: its client id, or the same customer at the same time."""
    if visit.customer_id is None:
        return None
    same = Q(conversation__owner=f"visit:{visit.pk}", conversation__thread=str(wish.client_id))
    if visit.is_verified:
        same |= Q(starts_at=wish.starts_at, state=Booking.State.BOOKED)
    return Booking.objects.filter(same, customer=visit.customer_id).order_by("-pk").first()


def _book(visit: Visit, chat: Chat, wish: Wish, at: datetime) -> Booking:
    conversation = lock(chat.conversation_id)
    customer = conversation.customer
    email = wish.email or customer.email
    if not email:
        raise NeedsAddress
    # Nor is somebody's address booked for by many who only name it.
    ahead = Booking.objects.filter(Q(customer=customer) | Q(email=email), state=Booking.State.BOOKED, ends_at__gt=at)
    if ahead.count() >= MOST_AHEAD:
        raise TooMany
    booking = Booking(
        widget=visit.widget,
        visit=visit,
        customer=customer,
        conversation=conversation,
        starts_at=wish.starts_at,
        ends_at=wish.starts_at + slots.LASTS,
        topic=wish.topic.strip()[:LONGEST_TOPIC],
        email=email,
        language=wish.language[:10] or visit.language,
        timezone=wish.timezone[:60] or visit.timezone,
        remind_at=_first_reminder(wish.starts_at, at),
        booked_at=at,
    )
    _take_seat(booking, at)
    _put_by(conversation.pk, at)
    _tell(BOOKED, booking, CUSTOMER, at)
    return booking


def _take_seat(booking: Booking, at: datetime) -> None:
    """Save it on a free seat. Two may want the last one: the database lets one have it. Raises NotOffered, Taken."""
    seats = booking_hours.seats_at(booking.starts_at, at=at)
    if not seats:
        raise NotOffered
    others = Booking.objects.filter(starts_at=booking.starts_at, state=Booking.State.BOOKED).exclude(pk=booking.pk)
    taken = set(others.values_list("seat", flat=True))
    for seat in range(1, seats + 1):
        if seat not in taken and _sits(booking, seat):
            return
    raise Taken


def _sits(booking: Booking, seat: int) -> bool:
    booking.seat = seat
    try:
        with transaction.atomic():
            booking.save()
    except IntegrityError as error:
        if SEAT not in str(error):
            raise
        return False
    return True


def _first_reminder(starts_at: datetime, at: datetime) -> datetime | None:
    """When the earliest reminder leaves that still makes sense; None where it is too late for any."""
    day, quarter = (starts_at - before for before in REMINDERS)
    if day > at + NOT_WITHIN:
        return day
    return quarter if quarter > at else None


@transaction.atomic
def move(booking_id: int, starts_at: datetime, *, actor: Actor, at: datetime) -> Booking:
    """Agree on another time; the old seat is free again. Raises NotBooked, NotOffered, Taken."""
    booking = locked(booking_id)
    _check_open(booking, at)
    if booking.starts_at == starts_at:
        return booking
    booking.starts_at, booking.ends_at = starts_at, starts_at + slots.LASTS
    booking.revision += 1
    booking.answer, booking.answered_at = "", None
    booking.remind_at = _first_reminder(starts_at, at)
    _take_seat(booking, at)
    if booking.conversation_id is not None:
        Chat.objects.filter(pk=booking.conversation_id, state=Chat.State.ENDED).update(mode=Chat.Mode.TICKET)
        _put_by(booking.conversation_id, at)
    _tell(MOVED, booking, actor, at)
    return booking


@transaction.atomic
def cancel(booking_id: int, *, actor: Actor, at: datetime) -> Booking:
    """Call it off; the conversation goes on as a request. Cancelled once more it stays as it is. Raises NotBooked."""
    booking = locked(booking_id)
    if booking.state == Booking.State.CANCELLED:
        return booking
    _check_open(booking, at)
    booking.state, booking.remind_at = Booking.State.CANCELLED, None
    booking.revision += 1
    booking.save()
    if booking.conversation_id is not None:
        Chat.objects.filter(pk=booking.conversation_id, state=Chat.State.ENDED).update(mode=Chat.Mode.TICKET)
        take_out(booking.conversation_id, at)
    _tell(CANCELLED, booking, actor, at)
    return booking


def locked(booking_id: int) -> Booking:
    """The booking, held to the end of the transaction; its conversation's row first, as everywhere."""
    conversation_id = Booking.objects.values_list("conversation", flat=True).get(pk=booking_id)
    if conversation_id is not None:
        lock(conversation_id)
    return Booking.objects.select_for_update().get(pk=booking_id)


def _check_open(booking: Booking, at: datetime) -> None:
    if booking.state != Booking.State.BOOKED or booking.ends_at <= at:
        raise NotBooked


def of_visit(visit: Visit, most: int) -> list[Booking]:
    """A session's own bookings, and those of its customer if the page vouches for them; latest first."""
    own = Q(visit=visit) | Q(conversation__chat__visit=visit)
    if visit.only_chat_id is not None:
        own |= Q(conversation=visit.only_chat_id)
    if visit.is_verified:
        own |= Q(customer=visit.customer_id)
    return list(Booking.objects.select_related("widget").filter(own).distinct().order_by("-starts_at", "-pk")[:most])


def sweep(at: datetime) -> int:
    """Remind of what is near, and see what became of what is over; how much that was. Two at once do different ones."""
    found = Booking.objects.filter(state=Booking.State.BOOKED)
    near = found.filter(remind_at__lte=at).order_by("remind_at").values_list("pk", flat=True)[:MOST]
    over = found.filter(ends_at__lte=at).order_by("ends_at").values_list("pk", flat=True)[:MOST]
    return sum(_guarded(pk, at) for pk in [*near, *over])


def _guarded(booking_id: int, at: datetime) -> bool:
    try:
        return _go_on(booking_id, at)
    except Exception:
        # Whatever is wrong with one booking must not keep the others waiting; it is seen in the log and tried again.
        logger.exception("what was due of booking %s failed", booking_id)
        Booking.objects.filter(pk=booking_id, remind_at__lte=at).update(remind_at=at + AFTER_AN_ERROR)
        return False


@transaction.atomic
def _go_on(booking_id: int, at: datetime) -> bool:
    booking = locked(booking_id)
    if booking.state != Booking.State.BOOKED:
        return False
    if booking.ends_at <= at:
        _finish(booking, at)
    elif booking.remind_at is not None and booking.remind_at <= at:
        _remind(booking, at)
    else:
        return False
    return True


def _remind(booking: Booking, at: datetime) -> None:
    """Mail the customer; right before the time, make the conversation ready for it."""
    last = booking.starts_at - REMINDERS[-1]
    booking.remind_at = last if at < last else None
    booking.save(update_fields=["remind_at"])
    if booking.remind_at is None:
        _make_ready(booking, at)
    if booking.starts_at > at:
        _tell(REMINDED, booking, SYSTEM, at)


def _make_ready(booking: Booking, at: datetime) -> None:
    """Agents find it in the inbox again, with a note; what the customer writes in it is a live chat."""
    if booking.conversation_id is None:
        return
    Chat.objects.filter(pk=booking.conversation_id, mode=Chat.Mode.TICKET).update(
        mode=Chat.Mode.CHAT, state=Chat.State.ENDED, ended_at=booking.starts_at - EARLY
    )
    take_out(booking.conversation_id, at)
    with translation.override(widgets.language_of("")):
        local = booking.starts_at.astimezone(booking_hours.zone_of())
        text = _("The booked chat begins at %(time)s.") % {"time": f"{local:%H:%M} ({booking_hours.zone_of()})"}
    conversations.note_automatically(lock(booking.conversation_id), text, at=at)


def _finish(booking: Booking, at: datetime) -> None:
    """Its time is over: held if the customer was there, else missed."""
    wrote = Message.objects.filter(
        customer=booking.customer_id,
        author_kind=Message.Author.CUSTOMER,
        via=chats.CHANNEL,
        at__gte=booking.starts_at - EARLY,
        at__lte=booking.ends_at,
    )
    is_held = wrote.exists()
    booking.state = Booking.State.HELD if is_held else Booking.State.MISSED
    booking.remind_at = None
    booking.save(update_fields=["state", "remind_at"])
    _tell(HELD if is_held else MISSED, booking, SYSTEM, at)


def _put_by(conversation_id: int, at: datetime) -> None:
    """It waits for its hour: the promise of an answer counts on from then, and nobody has to take it before."""
    conversation = lock(conversation_id)
    if conversation.status not in DONE:
        changes = conversations.Changes(status=Status.ON_HOLD)
        promises.agreed(conversations.change(conversation_id, changes, actor=SYSTEM, at=at), at=at)


def take_out(conversation_id: int, at: datetime) -> None:
    """Agents find it in the inbox again."""
    conversation = lock(conversation_id)
    if conversation.status not in DONE:
        conversations.change(conversation_id, conversations.Changes(status=Status.OPEN), actor=SYSTEM, at=at)


def _tell(kind: str, booking: Booking, actor: Actor, at: datetime) -> None:
    data: dict[str, Any] = {"booking": booking.pk, "starts_at": booking.starts_at, "revision": booking.revision}
    record(Fact(kind, booking.conversation_id, actor, data=data), at=at)
