"""The words of somebody's text that say what it is about. People write sentences; a search of each of their words costs
much and finds everything.
"""

import re
from typing import Final

MOST: Final = 7
_WORD: Final = re.compile(r"[^\W_]{1,60}")


def telling(text: str, first: str = "") -> str:
    """At most MOST words: those of `first` (a subject), then the longest of the text, in its order; its last word stays
    the last, because it may not be finished yet. Less than that is returned as it is.
    """
    named = _words(first)[:MOST]
    said = [word for word in _words(text) if word not in named]
    room = MOST - len(named)
    if len(said) <= room:
        return " ".join([*named, *said])
    if room < 1:
        return " ".join(named)
    chosen = {said[-1], *sorted(said[:-1], key=len, reverse=True)[: room - 1]}
    return " ".join([*named, *(word for word in said if word in chosen)])


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(_WORD.findall(text.lower())))
