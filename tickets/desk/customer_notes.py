"""What the team knows of a customer, written beside a conversation."""

from datetime import datetime

from django.db import transaction

from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import Customer, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor

MAX_NOTES = 20_000


class Changed(ValueError):
    """Somebody has changed the notes since they were shown; `notes` are theirs."""

    def __init__(self, notes: str) -> None:
        super().__init__("somebody has changed these notes since")
        self.notes = notes


@transaction.atomic
def note_customer(conversation_id: int, notes: str, user: User, *, was: str, at: datetime) -> None:
    """Replace the notes on the conversation's customer where they still say what was shown. Raises Changed."""
    customer_id = lock(conversation_id).customer_id
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    notes = notes.replace("\r\n", "\n").strip()[:MAX_NOTES]
    if customer.notes == notes:
        return
    if customer.notes != was.replace("\r\n", "\n"):
        raise Changed(customer.notes)
    customer.notes = notes
    customer.save(update_fields=["notes"])
    data = {"customer": customer.pk, "was": was[:2000]}
    record(Fact("customer.noted", conversation_id, Actor.agent(user), data=data), at=at)
