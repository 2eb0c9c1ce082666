"""Searching articles: one statement over PostgreSQL's full text, and likeness where words were mistyped.

What has all the words comes first, headings before text. Where that is little, articles come along that have some of
the words, or words like them. A word that stands in thousands of articles says little: of those no more than
MOST_RANKED are looked at closely, found by their headings first, so that a search costs the same in a large base.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from helpdesk.customers.models import Customer
from helpdesk.prepared import Prepared
from knowledge import visibility
from knowledge.models import Article, Translation

LONGEST_QUERY: Final = 400
MOST_WORDS: Final = 16
MOST_RANKED: Final = 300
# Fewer found with all words: some of them, and words alike, are tried as well.
FEW: Final = 5
_WORD: Final = re.compile(r"[^\W_]{1,60}")
_SHORTEST_ALIKE: Final = 4
# Of many words some are right; and looking for others like each of them costs more than all the rest.
_MOST_MISTYPED: Final = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found, in the language it was found in. `excerpt` has the words marked by U+E000, U+E001."""

    article_id: int
    translation_id: int
    language: str
    title: str
    slug: str
    summary: str
    excerpt: str
    visibility: str
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, and how many there were in all (of those looked at)."""

    hits: list[Hit]
    count: int


BEGIN_MARK: Final = "\ue000"
END_MARK: Final = "\ue001"
_T: Final = Translation._meta.db_table
_A: Final = Article._meta.db_table
_OPEN: Final = "translation.is_open"
_OF_CUSTOMER: Final = "(translation.is_open OR translation.article_id IN (SELECT id FROM limited))"
_STATEMENT: Final = """
WITH asked AS MATERIALIZED (
    SELECT to_tsquery(knowledge_language(%(language)s), %(every)s) || to_tsquery('simple', %(every_prefixed)s) AS every,
           to_tsquery(knowledge_language(%(language)s), %(some)s) || to_tsquery('simple', %(last)s) AS some),
limited AS (SELECT id FROM {article} AS article WHERE article.is_limited AND {readable}),
by_heading AS MATERIALIZED (
    SELECT translation.id, 2 + ts_rank(translation.heading_words, asked.every) AS rank
    FROM asked, {translation} AS translation WHERE translation.heading_words @@ asked.every AND {sees} LIMIT {most}),
by_text AS MATERIALIZED (
    SELECT translation.id, 1 + ts_rank(translation.words, asked.every) AS rank
    FROM asked, {translation} AS translation WHERE translation.words @@ asked.every AND {sees} LIMIT {most}),
few AS MATERIALIZED (SELECT (SELECT count(*) FROM by_heading) + (SELECT count(*) FROM by_text) < {few} AS so),
by_some AS (
    SELECT translation.id, ts_rank(translation.heading_words, asked.some) AS rank
    FROM asked, {translation} AS translation
    WHERE (SELECT so FROM few) AND translation.heading_words @@ asked.some AND {sees} LIMIT {most}),
by_some_text AS (
    SELECT translation.id, ts_rank(translation.words, asked.some) / 2 AS rank
    FROM asked, {translation} AS translation
    WHERE (SELECT so FROM few) AND translation.words @@ asked.some AND {sees} LIMIT {most}),
meant AS MATERIALIZED (
    SELECT to_tsquery('simple', knowledge_meant(%(alike)s::text[])) AS words WHERE (SELECT so FROM few)),
alike AS (
    SELECT translation.id, 0.5 + ts_rank(translation.heading_words, meant.words) AS rank
    FROM meant, {translation} AS translation WHERE translation.heading_words @@ meant.words AND {sees} LIMIT {most}),
found AS (
    SELECT id, sum(rank) AS rank FROM (
        SELECT * FROM by_heading UNION ALL SELECT * FROM by_text UNION ALL SELECT * FROM by_some
        UNION ALL SELECT * FROM by_some_text UNION ALL SELECT * FROM alike) AS ranked GROUP BY id),
one_each AS (
    SELECT DISTINCT ON (article.id) article.id AS article_id, translation.id, translation.language,
           article.visibility,
           found.rank * CASE WHEN translation.language = %(language)s THEN 1.5 ELSE 1 END
               * (1 + 0.02 * ln(1 + article.helpful)) AS score
    FROM found JOIN {translation} AS translation ON translation.id = found.id
    JOIN {article} AS article ON article.id = translation.article_id
    WHERE {readable} AND (%(visibility)s = '' OR article.visibility = %(visibility)s)
    ORDER BY article.id, score DESC),
best AS (
    SELECT *, count(*) OVER () AS of FROM one_each
    ORDER BY score DESC, article_id LIMIT %(most)s::int OFFSET %(from)s::int)
SELECT best.article_id, best.id, best.language, translation.title, translation.slug, translation.summary,
       CASE WHEN %(excerpts)s::bool THEN ts_headline(
           knowledge_language(best.language), left(translation.plain, 20000), asked.every || asked.some,
           'StartSel={begin},StopSel={end},MaxWords=32,MinWords=16,MaxFragments=1') ELSE '' END,
       best.visibility, best.score, best.of
FROM best, {translation} AS translation, asked WHERE translation.id = best.id ORDER BY best.score DESC, best.article_id
"""


def _prepared(name: str, readable: str, sees: str) -> Prepared:
    return Prepared(
        name,
        _STATEMENT.format(
            translation=_T,
            article=_A,
            readable=readable,
            sees=sees,
            most=MOST_RANKED,
            few=FEW,
            begin=BEGIN_MARK,
            end=END_MARK,
        ),
    )


_FOR_ANYBODY: Final = _prepared("search_articles", visibility.READABLE_SQL, _OPEN)
_FOR_CUSTOMER: Final = _prepared("search_articles_of_customer", visibility.READABLE_SQL, _OF_CUSTOMER)
# Nobody is asked about organization and plan here, but the statement's parameters are the same for all.
_FOR_AGENT: Final = _prepared(
    "search_articles_of_agent", "(%(organization)s::bigint IS NULL AND %(plan)s::bigint IS NULL)", "TRUE"
)


def for_reader(
    query: str, language: str, customer: Customer | None, *, most: int = 10, start: int = 0, excerpts: bool = True
) -> Found:
    """What this reader may see; None is anybody."""
    statement = _FOR_ANYBODY if customer is None else _FOR_CUSTOMER
    return _search(statement, query, language, visibility.limits_of(customer), most, start, excerpts, "")


def for_agent(
    query: str, language: str, *, most: int = 10, start: int = 0, excerpts: bool = True, only: str = ""
) -> Found:
    """Everything there is, drafts included; `only` one visibility."""
    limits = visibility.limits_of(None)
    return _search(_FOR_AGENT, query, language, limits, most, start, excerpts, only)


def words_of(query: str) -> list[str]:
    """The words that are searched, in order, each once, in lower case."""
    return list(dict.fromkeys(_WORD.findall(query[:LONGEST_QUERY].lower())))[:MOST_WORDS]


def _search(
    statement: Prepared,
    query: str,
    language: str,
    limits: Mapping[str, int | None],
    most: int,
    start: int,
    excerpts: bool,
    only: str,
) -> Found:
    words = words_of(query)
    if not words:
        return Found([], 0)
    asked: dict[str, Any] = {
        **limits,
        "language": language,
        "every": " & ".join(words),
        # The last one may not be finished yet.
        "every_prefixed": " & ".join(words) + ":*",
        "some": " | ".join(words),
        "last": f"{words[-1]}:*" if len(words[-1]) >= _SHORTEST_ALIKE else "",
        "alike": _mistyped(words),
        "visibility": only,
        "most": most,
        "from": start,
        "excerpts": excerpts,
    }
    rows = statement.rows(asked)
    return Found([Hit(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)


def _mistyped(words: list[str]) -> list[str]:
    if len(words) > _MOST_MISTYPED:
        return []
    return [word for word in words if len(word) >= _SHORTEST_ALIKE] or [" ".join(words)]
