"""Where attachments and their like are kept (STORAGES): a file is there whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from django.core.files import File
from django.core.files.storage import FileSystemStorage

_READABLE: Final = 0o644


class WholeFiles(FileSystemStorage):
    """Written beside its place under a name of its own and moved there. Django's own writes in place: a process killed
    half way would leave half a file under the name by which the next one finds it.

    It is on the disk before a row is committed that names it, as the row itself is.
    """

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as fresh:
            try:
                _fill(fresh, content)
                os.chmod(fresh.name, self.file_permissions_mode or _READABLE)
                os.replace(fresh.name, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(fresh.name)
                raise
        _settle(path.parent)
        return name


def _fill(fresh: IO[bytes], content: "File[Any]") -> None:
    for chunk in content.chunks():
        fresh.write(chunk)
    fresh.flush()
    os.fsync(fresh.fileno())


def _settle(folder: Path) -> None:
    """A name is on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
