"""The bytes of attachments: there whole or not at all, and gone once nothing names them."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models

from helpdesk.conversations import files
from helpdesk.conversations.files import path_of

# The ledger's own bytes are in its row.
ELSEWHERE = {"tickets.InboundEmail.sha256"}
WHOLE = b"half of a file"
DIGEST = sha256(WHOLE).hexdigest()
PATH = path_of(DIGEST)


class Watched(ContentFile):  # type: ignore[type-arg]  # generic in its stubs alone
    """While it is written, what a kill would leave under the name that the next one looks for is noted down; then the
    writing breaks off.
    """

    left: ClassVar[list[bool]] = []

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half of "
        self.left.append(default_storage.exists(PATH))
        raise OSError("no space left")


def _stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_file_is_there_whole_or_not_at_all() -> None:
    with pytest.raises(OSError, match="no space"):
        default_storage.save(PATH, Watched(WHOLE))
    assert Watched.left == [False] and not _stored()
    assert files.keep(WHOLE) == files.keep(WHOLE) == DIGEST
    assert [path.read_bytes() for path in _stored()] == [WHOLE]


def test_every_column_of_digests_is_asked_before_bytes_are_deleted() -> None:
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.CharField) and field.name in ("sha256", "picture")
    }
    assert set(settings.FILES_NAMED_BY) == columns - ELSEWHERE
