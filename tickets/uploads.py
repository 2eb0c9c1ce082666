"""The field of a form that takes several files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from helpdesk.conversations.uploads import MOST_BYTES, MOST_FILES


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
