"""Whether an article helped: one vote a voter, who may change their mind."""

from datetime import datetime
from typing import Final

from helpdesk.limits import Limit, take
from helpdesk.prepared import Prepared
from knowledge.models import Article, Vote

VOTES_OF_NETWORK: Final = Limit(60, 60 / 3600)
# The article's counts follow by the table's triggers; the same vote again touches nothing.
_VOTE: Final = Prepared(
    "vote_for_article",
    f"""
INSERT INTO {Vote._meta.db_table} AS vote (article_id, voter, is_helpful, at)
VALUES (%s::bigint, %s::varchar, %s::boolean, %s::timestamptz)
ON CONFLICT (article_id, voter) DO UPDATE SET is_helpful = excluded.is_helpful, at = excluded.at
WHERE vote.is_helpful <> excluded.is_helpful
""",
)


class TooMany(Exception):
    """More came from one place than a person does."""


def vote(article: Article, voter: str, is_helpful: bool, *, network: str, at: datetime) -> bool:
    """Count the vote; False where it is what they had said before. Raises TooMany."""
    if take(VOTES_OF_NETWORK, f"vote:{network}"):
        raise TooMany
    return _VOTE.run([article.pk, voter, is_helpful, at]) > 0
