"""What a customer's calendar answers to the entry of a booked chat: accepted, declined, perhaps (RFC 5546 §3.2.3)."""

import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from chat import bookings
from chat.models import Booking
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER

ANSWERED: Final = "chat.booking_answered"
_UID: Final = re.compile(r"booking-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)


@transaction.atomic
def take(uid: str, says: str, *, by: str, revision: int | None, words: str, at: datetime) -> tuple[int | None] | None:
    """For `INVITATIONS`: note the answer; the booking's conversation, or None in place of the tuple where the entry is
    none of ours. Whoever declines has not cancelled: agents find it in the inbox, and ask. What answers an earlier
    time, or what is over, changes nothing.
    """
    found = _UID.match(uid)
    known = found and Booking.objects.filter(public_id=UUID(found[1])).values_list("pk", "conversation").first()
    if not known:
        return None
    booking = bookings.locked(known[0])
    is_open = booking.state == Booking.State.BOOKED and booking.ends_at > at
    is_current = revision is None or revision >= booking.revision
    if is_open and is_current and booking.answer != says:
        _note(booking, says, by, words, at)
    return (booking.conversation_id,)


def _note(booking: Booking, says: str, by: str, words: str, at: datetime) -> None:
    booking.answer, booking.answered_at = says, at
    booking.save(update_fields=["answer", "answered_at"])
    data: dict[str, Any] = {"booking": booking.pk, "starts_at": booking.starts_at, "answer": says}
    # A colleague who was passed the invitation may answer as well.
    data |= {name: value for name, value in (("by", by), ("words", words)) if value and value != booking.email}
    record(Fact(ANSWERED, booking.conversation_id, CUSTOMER, data=data), at=at)
    if says == Booking.Answer.DECLINED and booking.conversation_id is not None:
        bookings.take_out(booking.conversation_id, at)
