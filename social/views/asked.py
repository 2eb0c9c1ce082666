"""What forms of this room send, read with care."""

from typing import Final
from urllib.parse import urlsplit

LARGEST: Final = 2**63 - 1
LONGEST_ADDRESS: Final = 900


def number_of(text: str) -> int:
    """A row's number, 0 for what is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if is_number else 0


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
