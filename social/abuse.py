"""Words that are covered on the desk until somebody asks to see them: threats and insults, not criticism. Pure.

Only whole words and phrases count, so that "useless", "scam" and whatever else is said of our work stay readable.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

LONGEST: Final = 20_000
_GAP: Final = re.compile(r"[\W_]+")


def is_abusive(text: str, words: Mapping[str, Iterable[str]]) -> bool:
    """Whether one of these words or phrases, by language, stands in the text. Any language counts: people mix them."""
    flat = f" {_flattened(text[:LONGEST])} "
    return any(f" {phrase} " in flat for phrase in _phrases(tuple(tuple(some) for some in words.values())))


@lru_cache(maxsize=8)
def _phrases(words: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flat for some in words for one in some if (flat := _flattened(one))))


def _flattened(text: str) -> str:
    """Small letters without accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _GAP.sub(" ", "".join(one for one in plain if not unicodedata.combining(one))).strip()
