"""Attachments' bytes: content-addressed in the default storage, written before the row that names them."""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, Protocol

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Message
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event

DROPPED: Final = "files.dropped"
"""Rows that named bytes in the storage are gone: {digests}."""
_AT_ONCE: Final = 200


class Stored(Protocol):
    """A row that names a file's bytes: an attachment, or what waits to become one."""

    name: str
    content_type: str
    sha256: str


def path_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def keep(content: bytes) -> str:
    """Store the bytes once; their SHA-256. They are there whole or not at all (helpdesk.stored_files)."""
    digest = hashlib.sha256(content).hexdigest()
    if not default_storage.exists(path_of(digest)):
        default_storage.save(path_of(digest), ContentFile(content))
    return digest


def attach(message: Message, files: Iterable[File]) -> list[Attachment]:
    """Keep the files and name them on the message."""
    rows = [
        Attachment(
            message=message,
            name=file.name[:160] or "attachment",
            content_type=file.content_type[:120],
            size=len(file.content),
            sha256=keep(file.content),
            content_id=file.content_id[:255],
            inline=file.inline,
        )
        for file in files
    ]
    return Attachment.objects.bulk_create(rows)


def content_of(file: Stored) -> bytes:
    with default_storage.open(path_of(file.sha256)) as stored:
        content: bytes = stored.read()
    return content


def drop(digests: Collection[str], *, at: datetime) -> None:
    """Rows that named these bytes are deleted in this transaction: once it is committed, what no other names goes."""
    wanted = sorted(digests)
    chunks = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    record_all([Fact(DROPPED, data={"digests": chunk}) for chunk in chunks], at=at)


@outside
def delete_unnamed(event: Event, at: datetime) -> None:
    """The handler of DROPPED. An article may have the file that a customer was sent, and keeps it."""
    digests = set(event.data["digests"])
    for dotted in settings.FILES_NAMED_BY:
        label, column = dotted.rsplit(".", 1)
        rows = apps.get_model(label)._default_manager.filter(**{f"{column}__in": digests})
        digests -= set(rows.values_list(column, flat=True))
    for digest in sorted(digests):
        default_storage.delete(path_of(digest))
