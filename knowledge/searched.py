"""What people search, by day, without who: so that we learn what is missing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Max, Sum

from helpdesk.limits import Limit, take
from helpdesk.prepared import Prepared
from knowledge.models import SearchedWords
from knowledge.searching import words_of

LONGEST: Final = 80
SEARCHES_OF_NETWORK: Final = Limit(30, 0.5)
KEPT: Final = timedelta(days=400)
MOST_TOLD: Final = 100
_DIGITS: Final = 6
_NOTE: Final = Prepared(
    "note_searched_words",
    f"""
INSERT INTO {SearchedWords._meta.db_table} AS known (day, language, words, times, found)
VALUES (%s::date, %s::varchar, %s::varchar, 1, %s::int)
ON CONFLICT (day, language, words) DO UPDATE SET times = known.times + 1, found = excluded.found
""",
)


@dataclass(frozen=True, slots=True)
class Missed:
    """Words that found nothing, how often they were searched, and when last."""

    words: str
    language: str
    times: int
    last_on: date


def note(query: str, language: str, found: int, *, network: str, at: datetime) -> bool:
    """Count the search; False where it is not kept: what might name a person (an address, a long number) never is."""
    words = " ".join(words_of(query))[:LONGEST]
    if len(words) < 2 or "@" in query or any(len(word) >= _DIGITS and word.isdigit() for word in words.split()):
        return False
    if take(SEARCHES_OF_NETWORK, f"searched:{network}"):
        return False
    _NOTE.run([at.date(), language, words, found])
    return True


def in_vain(*, since: date) -> list[Missed]:
    """Searches that found nothing lately, the most frequent first."""
    rows = SearchedWords.objects.filter(day__gte=since, found=0).values("words", "language")
    told = rows.annotate(total=Sum("times"), last=Max("day")).order_by("-total", "words")[:MOST_TOLD]
    return [Missed(row["words"], row["language"], row["total"], row["last"]) for row in told]


def forget(*, at: datetime) -> int:
    """Remove what is long ago; how many rows."""
    return SearchedWords.objects.filter(day__lt=(at - KEPT).date()).delete()[0]
