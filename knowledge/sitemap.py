"""All that search engines should know, by sitemaps.org's protocol 0.9: an index, and parts of PART addresses."""

from typing import Final
from xml.sax.saxutils import escape

from knowledge import addresses
from knowledge.models import Translation
from knowledge.visibility import readable_translations

# The protocol allows 50,000 addresses and 50 MB a file.
PART: Final = 10_000
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def index() -> bytes:
    """The index; its parts go by the ids of translations, so that an article stays in its part."""
    newest = Translation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    parts = range(1, newest // PART + 2)
    lines = [f"<sitemap><loc>{escape(addresses.absolute(f'/kb/sitemap-{n}.xml'))}</loc></sitemap>" for n in parts]
    return f"{_XML}<sitemapindex {_NAMESPACE}>{''.join(lines)}</sitemapindex>\n".encode()


def part(number: int) -> bytes | None:
    """One part; None where there is none. The first begins with the pages that are no articles."""
    if number < 1:
        return None
    rows = readable_translations(None).filter(pk__gte=(number - 1) * PART, pk__lt=number * PART).order_by("pk")
    lines = [
        _line(addresses.article(row), row.updated_at.date().isoformat())
        for row in rows.only("pk", "language", "slug", "updated_at")
    ]
    if number == 1:
        pages = [addresses.home(code) for code in addresses.CODES] + [addresses.top(code) for code in addresses.CODES]
        lines = [_line(path, "") for path in pages] + lines
    return f"{_XML}<urlset {_NAMESPACE}>{''.join(lines)}</urlset>\n".encode() if lines else None


def _line(path: str, changed: str) -> str:
    told = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>{escape(addresses.absolute(path))}</loc>{told}</url>"
