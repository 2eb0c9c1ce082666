"""Files that were sent ahead, and the message that names them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from chat.models import Upload, Visit
from helpdesk.conversations.channel import File
from helpdesk.conversations.files import drop, path_of
from helpdesk.conversations.models import Message

KEPT: Final = timedelta(days=1)
Sent = tuple[Upload, File]


def named(visit: Visit, wanted: Sequence[UUID]) -> list[Sent]:
    """The session's own files that no message has named yet, locked; others are as if they were not there."""
    if not wanted:
        return []
    rows = Upload.objects.select_for_update().filter(visit=visit, public_id__in=list(wanted), message=None)
    found = []
    for upload in rows.order_by("pk"):
        with default_storage.open(path_of(upload.sha256)) as stored:
            found.append((upload, File(upload.name, upload.content_type, stored.read())))
    return found


def claim(files: Sequence[Sent], message: Message) -> None:
    """They are this message's now."""
    if files:
        Upload.objects.filter(pk__in=[upload.pk for upload, _file in files]).update(message=message)


@transaction.atomic
def forget(at: datetime) -> int:
    """Drop what was sent ahead and never named."""
    unnamed = Upload.objects.filter(message=None, at__lt=at - KEPT)
    drop(set(unnamed.values_list("sha256", flat=True)), at=at)
    deleted, _ = unnamed.delete()
    return deleted
