"""What forms of this room send, read with care."""

from typing import Final
from urllib.parse import urlsplit

LONGEST_ADDRESS: Final = 900


def web_address(text: str) -> str | None:
    """An address that a browser opens, "" where none was given, None for anything else."""
    wanted = text.strip()
    if not wanted:
        return ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    is_one = parts.scheme in ("https", "http") and "." in parts.netloc and len(wanted) <= LONGEST_ADDRESS
    return wanted if is_one and not any(one.isspace() for one in wanted) else None
