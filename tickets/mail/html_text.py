"""HTML to plain text: inscriptis for mail as people write it, a linear stripper for whatever is too big or too deep."""

import html
import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError

from helpdesk.conversations.cleaning import body_text
from tickets.mail.html_limits import complaint

MAX_LAYOUT_CHARS = 200_000
_MAX_CHARS = 2_000_000
_MAX_CELLS = 2_000
_MAX_LAYOUT_DEPTH = 200
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"], display_links=False)
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n){2,}")
_TRAILING = re.compile(r"(?<=[^ \t\xa0\n])[ \t\xa0]++(?=\n)")
_BREAKS = frozenset("br p div tr table li ul ol h1 h2 h3 h4 h5 h6 blockquote hr pre title".split())
_HIDDEN = frozenset(("script", "style", "head", "title", "template"))
_TAG = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}>")
_CELL = re.compile(r"<t[dhr]\b", re.IGNORECASE)


def to_text(markup: str, layout: bool = True) -> str:
    """The text of an HTML body, lines stripped at the right, never more than one blank line. Never raises.

    Without `layout`, and for markup too large for it, tables and lists are not laid out: that costs time.
    """
    markup = markup[:_MAX_CHARS].replace("\x00", "")
    text = ""
    small = layout and len(markup) <= MAX_LAYOUT_CHARS and len(_CELL.findall(markup)) <= _MAX_CELLS
    if small and not complaint(markup, _MAX_LAYOUT_DEPTH):
        try:
            text = get_text(_XML_DECLARATION.sub("", markup, count=1), _CONFIG)
        except (LxmlError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            # lxml and inscriptis refuse some markup (odd encodings, css values); the stripper takes everything.
            text = strip_tags(markup)
    else:
        text = strip_tags(markup)
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", body_text(text))).strip("\n").rstrip()


def strip_tags(markup: str) -> str:
    """Text without tags, one pass, no tree: no script, style or head, block ends as line ends, entities undone."""
    out: list[str] = []
    position = 0
    skipped = ""
    while (start := markup.find("<", position)) >= 0:
        if not skipped:
            out.append(markup[position:start])
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4)
            position = end + 3 if end >= 0 else len(markup)
            continue
        tag = _TAG.match(markup, start + 1)
        end = markup.find(">", start + 1)
        if end < 0:
            position = start
            break
        if tag is None:
            if not skipped:
                out.append("<")
            position = start + 1
            continue
        name = tag[1].lower()
        closing = markup[start + 1] == "/"
        if skipped:
            skipped = "" if closing and name == skipped else skipped
        elif name in _HIDDEN and not closing:
            skipped = name
        elif name in _BREAKS:
            out.append("\n")
        position = end + 1
    if not skipped:
        out.append(markup[position:])
    return "\n".join(line.strip() for line in html.unescape("".join(out)).split("\n"))
