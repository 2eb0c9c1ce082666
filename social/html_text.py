"""Posts that come as HTML, as text: paragraphs and lines as their authors see them. Never raises."""

import re
from typing import Final

from django.utils.html import strip_tags
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError

LONGEST: Final = 200_000
"""Characters of markup that are read; nobody writes a longer post."""
_CONFIG: Final = ParserConfig(css=CSS_PROFILES["strict"], display_links=False)
_BLANK_LINES: Final = re.compile(r"\n(?:[ \t\xa0]*\n){2,}")


def plain(markup: str) -> str:
    """The text of markup, its entities undone; text without either stays as it is."""
    if "<" not in markup and "&" not in markup:
        return markup.strip()
    markup = markup[:LONGEST].replace("\x00", "")
    try:
        text = get_text(f"<div>{markup}</div>", _CONFIG)
    except (LxmlError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        text = strip_tags(markup)  # too deep, or nothing that lxml would call markup
    return _BLANK_LINES.sub("\n\n", text).strip()
