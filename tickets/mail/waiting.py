"""A thread that waits for its acknowledgement, with everything it says, in one prepared query."""

from dataclasses import dataclass

from django.db import connection

from helpdesk.conversations.models import Conversation
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Customer
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Calendar, Clock
from tickets.mail.acknowledgement import FirstResponse
from tickets.models import MailThread


@dataclass(frozen=True, slots=True)
class Waiting:
    """`conversation` has its customer loaded; `office` is None where nobody has set office hours."""

    thread_id: int
    conversation: Conversation
    promised: FirstResponse | None
    office: OpeningHours | None


_FIND = f"""
SELECT thread.id, clock.due_at, clock.goal_seconds, clock.calendar_id, clock.calendar_version,
       office.id, office.version, {columns(Conversation, "conversation")}, {columns(Customer, "customer")}
FROM {MailThread._meta.db_table} thread
JOIN {Conversation._meta.db_table} conversation ON conversation.id = thread.conversation_id
JOIN {Customer._meta.db_table} customer ON customer.id = conversation.customer_id
LEFT JOIN {Clock._meta.db_table} clock ON clock.conversation_id = conversation.id AND clock.target = 'first_response'
     AND clock.met_at IS NULL AND clock.cancelled_at IS NULL
LEFT JOIN LATERAL (
    SELECT id, version FROM {Calendar._meta.db_table} WHERE is_office ORDER BY name LIMIT 1
) office ON true
WHERE thread.conversation_id = %s AND thread.may_acknowledge AND thread.acknowledged_at IS NULL
FOR NO KEY UPDATE OF thread, conversation
"""


def waiting_thread(conversation_id: int | None) -> Waiting | None:
    """The thread of a person who was not acknowledged yet, locked together with its conversation."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [conversation_id])
        row = cursor.fetchone()
    if row is None:
        return None
    thread_id, due_at, seconds, calendar_id, version, office_id, office_version, *rest = row
    conversation, rest = take(Conversation, tuple(rest))
    conversation.customer, _ = take(Customer, rest)
    promised = FirstResponse(due_at, seconds, hours_of(calendar_id, version)) if due_at is not None else None
    office = hours_of(office_id, office_version) if office_id is not None else None
    return Waiting(thread_id, conversation, promised, office)
