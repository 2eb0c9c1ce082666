"""Ids as addresses, forms and cursors write them."""

from typing import Final

LARGEST_ID: Final = 2**63 - 1
"""PostgreSQL's bigint ends here."""
LONGEST: Final = 18
"""Digits. Longer ones are no ids of ours, and too long for the database."""


def is_number(text: str) -> bool:
    """Whether it is written with digits alone, and not too long for the database."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST


def whole_number(text: str) -> int:
    """The number; 0, which is nobody's, for anything else."""
    return int(text) if is_number(text) else 0
