"""Files that were sent ahead, and the message that names them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.core.files.storage import default_storage

from chat.models import Upload, Visit
from helpdesk.conversations.channel import File
from helpdesk.conversations.files import path_of
from helpdesk.conversations.models import Message

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


def forget(before: datetime) -> int:
    """Drop what was sent ahead and never named; the bytes stay, as other rows may have the same."""
    deleted, _ = Upload.objects.filter(message=None, at__lt=before).delete()
    return deleted
