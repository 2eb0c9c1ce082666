"""Attachments' bytes: content-addressed in the default storage, written before the row that names them."""

import hashlib
from collections.abc import Iterable
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Message


class Stored(Protocol):
    """A row that names a file's bytes: an attachment, or what waits to become one."""

    name: str
    content_type: str
    sha256: str


def path_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def keep(content: bytes) -> str:
    """Store the bytes once; their SHA-256. Killed half way, a partial file has another name than its digest."""
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
