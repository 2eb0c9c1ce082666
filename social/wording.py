"""Texts cut to what a network takes."""

from collections.abc import Callable
from typing import Final

_ENDS: Final = ".,;:–- "


def shortened(text: str, link: str, limit: int, length: Callable[[str], int]) -> str:
    """The text and its link in one post; what is too long ends in an ellipsis behind a whole word. `length` counts as
    the network does.
    """
    tail = f"\n{link}" if link and link not in text else ""
    if length(text + tail) <= limit:
        return text + tail
    # What is far too long need not be counted word by word.
    words = text[: limit * 4].split(" ")
    while words and length(_ended(words) + tail) > limit:
        words.pop()
    return _ended(words) + tail


def _ended(words: list[str]) -> str:
    return " ".join(words).rstrip(_ENDS) + "…"
