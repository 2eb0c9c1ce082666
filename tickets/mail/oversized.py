"""Mail too big to keep: its header with a note instead of the body, so that nobody's mail vanishes in silence."""

import re
from typing import Final

_BODY_HEADERS: Final = re.compile(
    rb"^(?:content-[!-9;-~]*|mime-version)[ \t]*:.*(?:\r?\n[ \t].*)*\r?\n?", re.IGNORECASE | re.MULTILINE
)
_LARGEST_HEADER: Final = 256 * 1024


def header_only(header: bytes, size: int, limit: int, *, where: str) -> bytes:
    """A mail of the header alone and a note. `size` and `limit` are bytes; `where` says where the rest is."""
    kept = _BODY_HEADERS.sub(b"", header[:_LARGEST_HEADER].rstrip(b"\r\n") + b"\r\n")
    note = (
        f"[This mail has {size / 1024**2:.1f} MB, and {limit / 1024**2:.0f} MB is the most this helpdesk takes. "
        f"Only its header was kept. {where}]\r\n"
    )
    return kept + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + note.encode()
