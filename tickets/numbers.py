"""Ids as addresses, forms and cursors write them."""

# Longer ones are no ids of ours.
LONGEST = 17


def is_number(text: str) -> bool:
    """Whether it is written with digits alone, and not too long for the database."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST


def whole_number(text: str) -> int:
    """The number; 0, which is nobody's, for anything else."""
    return int(text) if is_number(text) else 0
