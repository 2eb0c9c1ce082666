"""What a provider tells of a page's message after it was sent: that it never arrived, or that nobody took the call."""

from datetime import datetime

from django.db import transaction

from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.safe_text import storable
from helpdesk.oncall import records
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.oncall.records import Outcome


@transaction.atomic
def not_delivered(page_id: int, channel: str, reference: str, why: str, *, at: datetime) -> bool:
    """A message we took for sent did not reach them: they get a mail, as where it could not be sent at all. False where
    there is no such message, or it is known already.
    """
    delivery = _sent(page_id, channel, reference)
    if delivery is None:
        return False
    delivery.state, delivery.error = PageDelivery.State.FAILED, storable(why, 2000)
    delivery.save(update_fields=["state", "error"])
    if delivery.page.state == Page.State.TRIGGERED:
        records.fall_back([Outcome(delivery, error=NeverRetry(why))], at)
    return True


@transaction.atomic
def not_answered(page_id: int, channel: str, reference: str, why: str) -> bool:
    """A call that rang, and nobody took it: kept for whoever looks; the page itself goes on by its steps."""
    delivery = _sent(page_id, channel, reference)
    if delivery is None:
        return False
    delivery.error = storable(why, 2000)
    delivery.save(update_fields=["error"])
    return True


def _sent(page_id: int, channel: str, reference: str) -> PageDelivery | None:
    # Without the page's row: whoever changes a page locks it before its deliveries.
    mine = PageDelivery.objects.filter(page=page_id, channel=channel, state=PageDelivery.State.SENT)
    found = mine.filter(provider_ref=reference).order_by("pk").select_for_update(no_key=True)
    return found.select_related(None).first()
