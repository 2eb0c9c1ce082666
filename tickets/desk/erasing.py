"""Forgetting what agents wrote beside a customer's conversations and did not send."""

from datetime import datetime

from helpdesk.customers.models import Customer
from tickets.desk.models import ChecklistItem, Draft, TimeEntry


def erase(customer: Customer, at: datetime) -> None:
    """One of settings.ERASERS: drafts and checklists go; of time the minutes stay."""
    for model in (Draft, ChecklistItem):
        model._default_manager.filter(conversation__customer=customer).delete()
    TimeEntry.objects.filter(conversation__customer=customer).update(note="")
