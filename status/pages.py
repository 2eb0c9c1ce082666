"""The status page's own row, and the number by which whoever keeps it rendered knows that it has changed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F

from status import changes
from status.models import StatusPage


def the_page(at: datetime) -> StatusPage:
    """The one row, made where there is none yet."""
    page, _created = StatusPage.objects.get_or_create(pk=1, defaults={"changed_at": at})
    return page


def changed(at: datetime) -> None:
    """Something on the page is not as it was. Belongs in the transaction of the change, as its last statement: the row
    is locked until then.
    """
    assert connection.in_atomic_block, "the version rises with the change"
    the_page(at)
    StatusPage.objects.filter(pk=1).update(version=F("version") + 1, changed_at=at)
    # Who changes something sees it changed, with their next request to this process.
    transaction.on_commit(changes.keepers.tell, robust=True)


def zone() -> ZoneInfo:
    """The zone that times are said in, on the page and wherever it is told of."""
    known = StatusPage.objects.filter(pk=1).values_list("timezone", flat=True).first()
    return ZoneInfo(known or str(StatusPage._meta.get_field("timezone").default))


def version() -> int:
    """The page's version now; 0 before anything was shown on it."""
    return StatusPage.objects.filter(pk=1).values_list("version", flat=True).first() or 0
