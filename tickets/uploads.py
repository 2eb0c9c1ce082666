"""Files that came with a form: read, named safely, their type told from their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from helpdesk.conversations.channel import File
from tickets.mail.content_types import sniff
from tickets.mail.filenames import safe_name

MOST_FILES = 10
MOST_BYTES = 20 * 1024 * 1024


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, together no larger than MOST_BYTES. Cleans to a list, empty where none was chosen."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        uploads: Sequence[UploadedFile[Any]] = data if isinstance(data, list | tuple) else [data] if data else []
        if len(uploads) > MOST_FILES:
            raise ValidationError(_("At most %d files at a time.") % MOST_FILES)
        if sum(upload.size or 0 for upload in uploads) > MOST_BYTES:
            raise ValidationError(_("Together the files may have %d MB.") % (MOST_BYTES // 1024 // 1024))
        return list(uploads)


def files_of(uploads: Iterable[UploadedFile[Any]]) -> list[File]:
    """What the uploads hold, ready to be attached to a message."""
    files = []
    for number, upload in enumerate(uploads, start=1):
        content = upload.read()
        name = safe_name(upload.name or "", f"attachment-{number}")
        files.append(File(name=name, content_type=sniff(content, name, upload.content_type or ""), content=content))
    return files
