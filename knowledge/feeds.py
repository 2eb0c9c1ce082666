"""What is new in the knowledge base, for feed readers: Atom (RFC 4287) and RSS 2.0."""

from datetime import UTC
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.utils.translation import gettext

from helpdesk.customers import company
from knowledge import addresses, reading
from knowledge.visibility import readable_translations

MOST_ENTRIES: Final = 50
_KINDS: Final[dict[str, type[Atom1Feed] | type[Rss201rev2Feed]]] = {"atom": Atom1Feed, "rss": Rss201rev2Feed}
# Characters XML 1.0 cannot hold, whatever is typed.
_NOT_XML: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


def feed(language: str, kind: str) -> bytes:
    """The articles of this language that changed last, as "atom" or "rss". The language is active."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    name, _logo = company.names()
    title = gettext("%(company)s knowledge base") % {"company": name} if name else gettext("Knowledge base")
    made = _KINDS[kind](
        title=title,
        link=addresses.absolute(addresses.top(language)),
        description=title,
        language=language,
        author_name=name or None,
        feed_url=addresses.absolute(addresses.feed(language, kind)),
        feed_guid=f"tag:{host},2026:kb/{language}",
    )
    rows = readable_translations(None).filter(language=language).select_related("article")
    for row in rows.order_by("-updated_at", "-pk")[:MOST_ENTRIES]:
        published = row.article.published_at or row.created_at
        made.add_item(
            title=row.title.translate(_NOT_XML),
            link=addresses.absolute(addresses.article(row)),
            description=(row.summary or reading.shortened(row.plain, 400)).translate(_NOT_XML),
            unique_id=f"tag:{host},2026:Article/{row.article_id}/{language}",
            unique_id_is_permalink=False,
            pubdate=published.astimezone(UTC),
            updateddate=row.updated_at.astimezone(UTC),
        )
    return made.writeString("utf-8").encode()
