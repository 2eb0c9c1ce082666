"""Pictures and files of articles."""

import struct
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations.channel import File
from helpdesk.conversations.files import keep
from helpdesk.customers.models import User
from knowledge import addresses, changes
from knowledge.models import Article, ArticleFile
from knowledge.refusals import Refused

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_FILES: Final = 200
# What a browser shows as a picture; SVG can hold scripts and is only ever downloaded.
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@transaction.atomic
def add(article: Article, file: File, *, by: User | None, at: datetime) -> ArticleFile:
    """Keep the file with the article; the same one twice is the one that is there. Raises Refused."""
    if not file.content:
        raise Refused("The file is empty.")
    if len(file.content) > MOST_BYTES:
        raise Refused(f"A file has at most {MOST_BYTES // 1024 // 1024} MB.")
    if article.files.count() >= MOST_FILES:
        raise Refused(f"An article has at most {MOST_FILES} files.")
    changes.changed(at)
    size = dimensions(file.content) if file.content_type in PICTURES else None
    row, _created = ArticleFile.objects.get_or_create(
        article=article,
        sha256=keep(file.content),
        name=file.name[:160],
        defaults={
            "content_type": file.content_type[:120],
            "size": len(file.content),
            "width": size[0] if size else None,
            "height": size[1] if size else None,
            "added_by": by,
            "added_at": at,
        },
    )
    return row


@transaction.atomic
def remove(file: ArticleFile, *, at: datetime) -> None:
    """The article has it no longer. Its bytes stay: another may have the same."""
    changes.changed(at)
    file.delete()


def sizes(article: Article) -> dict[str, tuple[int, int]]:
    """Width and height of its pictures, by their address."""
    known = article.files.filter(width__isnull=False, height__isnull=False)
    return {addresses.file(one): (one.width, one.height) for one in known if one.width and one.height}


def dimensions(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, so that the page does not jump; None where they are not in the first bytes of a PNG
    (ISO/IEC 15948 §11.2.2) or GIF.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
    elif content.startswith((b"GIF87a", b"GIF89a")) and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
    else:
        return None
    return (width, height) if 0 < width < 100_000 and 0 < height < 100_000 else None
