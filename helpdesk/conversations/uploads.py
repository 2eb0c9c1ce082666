"""Files somebody uploads, by form or by API: read, named safely, their type told from their bytes."""

from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from helpdesk.conversations.channel import File
from helpdesk.conversations.content_types import sniff
from helpdesk.conversations.filenames import safe_name

MOST_FILES = 10
MOST_BYTES = 20 * 1024 * 1024


def files_of(uploads: Iterable["UploadedFile[Any]"]) -> list[File]:
    """What the uploads hold, ready to be attached to a message."""
    files = []
    for number, upload in enumerate(uploads, start=1):
        content = upload.read()
        name = safe_name(upload.name or "", f"attachment-{number}")
        files.append(File(name=name, content_type=sniff(content, name, upload.content_type or ""), content=content))
    return files
