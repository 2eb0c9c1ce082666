"""What a thread is about, by words: what may be said in public, what moves to private, what social never does."""

import re
from collections.abc import Iterable
from typing import Final

from social.models import Topic

MOST: Final = 3
LONGEST: Final = 20_000
# What asks for more care comes first.
_ORDER: Final = (Topic.Rule.NEVER, Topic.Rule.PRIVATE, Topic.Rule.PUBLIC)


def found(text: str, topics: Iterable[Topic] | None = None) -> list[Topic]:
    """The topics whose words stand in the text, the strictest first; MOST at most. One statement, unless given."""
    lowered = text[:LONGEST].casefold()
    known = Topic.objects.all() if topics is None else topics
    about = [one for one in known if any(_stands(word, lowered) for word in one.words)]
    return sorted(about, key=lambda one: (_ORDER.index(Topic.Rule(one.rule)), one.position, one.name))[:MOST]


def _stands(word: str, lowered: str) -> bool:
    wanted = word.strip().casefold()
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", lowered) is not None
