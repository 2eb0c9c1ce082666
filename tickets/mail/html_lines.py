"""Reads an HTML mail as lines of text that know their place in the markup, and writes chosen lines as HTML again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import Final

from lxml import etree

from tickets.mail.html_containers import Region, region_of
from tickets.mail.quote_headers import header_key, plain
from tickets.mail.quote_words import HEADER_KINDS
from tickets.mail.thread_lines import LINES_LIMIT, Hint, Place, Placement

# Beyond these a mail is not read but shown as it is: characters, and tags.
HTML_LIMIT: Final = 1_000_000
TAGS_LIMIT: Final = 20_000
# libxml2 compares each attribute of a tag with all others.
ATTRIBUTES_LIMIT: Final = 64
_SMALL: Final = 10_000

_LONG_TAG: Final = re.compile(r"<[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*+")
_ATTRIBUTE: Final = re.compile(r"[^\s>/=\"']+(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?+")

_UNSEEN: Final = frozenset("head style script title meta link base noscript template".split())
_VOID: Final = frozenset("img input video audio iframe object embed svg canvas area wbr col".split())
_BLOCKS: Final = frozenset(
    "address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form h1 h2"
    " h3 h4 h5 h6 header html li main menu nav ol p pre section table tbody tfoot thead tr ul caption".split()
)
_BOLD: Final = frozenset(("b", "strong"))
_CELLS: Final = frozenset(("td", "th"))
_RULE: Final = "_" * 8
_PIXEL_SIZES: Final = frozenset(("0", "1", "0px", "1px"))
_IMAGE: Final = "\ufffc"


@dataclass(slots=True)
class _Token:
    """One piece of markup in document order. `kind` is "open", "close" or "content"; content stands on a line, at an
    offset of that line's text."""

    kind: str
    markup: str
    line: int = 0
    offset: int = 0
    length: int = 0


@dataclass(slots=True)
class HtmlLine:
    """A line as a reader sees it. `block` is the number of the element the line stands in."""

    text: str
    hint: Hint
    block: int
    is_rule: bool = False


@dataclass(slots=True)
class HtmlLines:
    """A whole mail: its lines and the tokens they came from."""

    lines: list[HtmlLine] = field(default_factory=list)
    tokens: list[_Token] = field(default_factory=list)

    def fragments(self, placement: Placement) -> tuple[str, str, str]:
        """The markup of the visible, the quoted and the signing lines, each inside copies of their elements."""
        writers = {place: _Writer() for place in Place}
        path: list[tuple[str, str]] = []
        for token in self.tokens:
            if token.kind == "open":
                path.append((token.markup, token.markup[1:].partition(" ")[0].rstrip(">")))
            elif token.kind == "close":
                for writer in writers.values():
                    writer.close(path)
                path.pop()
            else:
                for place, markup in _pieces(token, placement):
                    writers[place].write(path, markup)
        visible, quoted, signature = ("".join(writers[place].chunks).strip() for place in Place)
        return visible, quoted, signature


class _Writer:
    """Opens an element only once something stands in it, so that no output holds the empty shells of another's."""

    def __init__(self) -> None:
        self.chunks: list[str] = []
        self._opened = 0

    def write(self, path: Sequence[tuple[str, str]], markup: str) -> None:
        if not markup.strip() and self._opened < len(path):
            return
        for opening, _ in path[self._opened :]:
            self.chunks.append(opening)
        self._opened = len(path)
        self.chunks.append(markup)

    def close(self, path: Sequence[tuple[str, str]]) -> None:
        if self._opened == len(path):
            self.chunks.append(f"</{path[-1][1]}>")
            self._opened -= 1


def _pieces(token: _Token, placement: Placement) -> list[tuple[Place, str]]:
    place = placement.places[token.line]
    split = placement.splits.get(token.line)
    if split is None:
        return [(place, token.markup if token.length < 0 else escape(token.markup, quote=False))]
    if token.length < 0:
        return [(Place.VISIBLE if token.offset < split else Place.QUOTED, token.markup)]
    cut = max(0, min(token.length, split - token.offset))
    before, after = token.markup[:cut], token.markup[cut:]
    return [(Place.VISIBLE, escape(before, quote=False)), (Place.QUOTED, escape(after, quote=False))]


class _Reader:
    """Walks the tree once, iteratively, and builds tokens and lines."""

    def __init__(self) -> None:
        self.result = HtmlLines()
        self._text: list[str] = []
        self._length = 0
        self._hint = Hint.NONE
        self._blocks = [0]
        self._block_count = 0
        self._regions: list[Region] = []
        self._preformatted = 0
        self._last_filled = ""

    def read(self, body: "etree._Element") -> HtmlLines:
        walk = etree.iterwalk(body, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                self._start(element, walk)
            else:
                self._end(element, body, seen=event == "end")
        self._break()
        return self.result

    def _start(self, element: "etree._Element", walk: "etree.iterwalk") -> None:
        tag = str(element.tag)
        if tag in _UNSEEN or tag in _VOID or tag in ("br", "hr"):
            walk.skip_subtree()
            self._void(tag, element)
            return
        region = region_of(element, self._regions[-1] if self._regions else None, self._last_filled)
        if tag in _BOLD and self._text and header_key(plain(element.text or "")) in HEADER_KINDS:
            # Some write a whole header block on one line: "<b>From:</b> a <b>Sent:</b> b".
            self._break()
        if tag in _BLOCKS or region is not None:
            self._break()
            self._block_count += 1
            self._blocks.append(self._block_count)
        if region is not None:
            self._regions.append(region)
        if tag == "pre":
            self._preformatted += 1
        if tag != "body":
            self.result.tokens.append(_Token("open", _opening(tag, element)))
        if tag in _CELLS:
            # An empty cell keeps the columns of its row in place.
            self._content("", " ")
        self._add_text(element.text)

    def _void(self, tag: str, element: "etree._Element") -> None:
        if tag in _UNSEEN:
            return
        if tag == "hr":
            self._break()
        text = _RULE if tag == "hr" else _IMAGE if tag == "img" and not _is_pixel(element) else ""
        self._content(
            _opening(tag, element) + ("" if tag in ("br", "hr", "img", "input", "wbr", "col") else f"</{tag}>"), text
        )
        if tag in ("br", "hr"):
            self._break(is_rule=tag == "hr")

    def _end(self, element: "etree._Element", body: "etree._Element", *, seen: bool) -> None:
        tag = str(element.tag)
        if seen and not (tag in _UNSEEN or tag in _VOID or tag in ("br", "hr")):
            self._leave(tag, element)
        if element is not body:
            self._add_text(element.tail)

    def _leave(self, tag: str, element: "etree._Element") -> None:
        region = self._regions[-1] if self._regions and self._regions[-1].element is element else None
        if tag in _BLOCKS or region is not None:
            self._break()
            self._blocks.pop()
        if region is not None:
            self._regions.pop()
        if tag == "pre":
            self._preformatted -= 1
        if tag != "body":
            self.result.tokens.append(_Token("close", ""))

    def _add_text(self, text: str | None) -> None:
        if not text:
            return
        if not self._preformatted or "\n" not in text or len(self.result.lines) > LINES_LIMIT:
            self._append(text)
            return
        for number, line in enumerate(text.split("\n", LINES_LIMIT)):
            if number:
                self._append("\n")
                self._break()
            if line:
                self._append(line)

    def _append(self, text: str) -> None:
        tokens = self.result.tokens
        tokens.append(_Token("content", text, len(self.result.lines), self._length, len(text)))
        self._grow(text)

    def _content(self, markup: str, text: str) -> None:
        self.result.tokens.append(_Token("content", markup, len(self.result.lines), self._length, -1))
        self._grow(text)

    def _grow(self, text: str) -> None:
        if not self._text:
            self._hint = self._regions[-1].hint_now() if self._regions else Hint.NONE
        self._text.append(text)
        self._length += len(text)

    def _break(self, *, is_rule: bool = False) -> None:
        if not self._text:
            return
        text = "".join(self._text)
        if text.strip():
            self._last_filled = text
        self.result.lines.append(HtmlLine(text, self._hint, self._blocks[-1], is_rule))
        self._text, self._length = [], 0


def _is_pixel(image: "etree._Element") -> bool:
    """Whether an image is only there to be counted."""
    return image.get("width", "").strip() in _PIXEL_SIZES or image.get("height", "").strip() in _PIXEL_SIZES


def _opening(tag: str, element: "etree._Element") -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.items() if _is_plain_name(name))
    return f"<{tag}{attributes}>"


def _is_plain_name(name: str) -> bool:
    return name.replace("-", "").replace("_", "").isalnum()


def _has_crowded_tag(html: str) -> bool:
    """Whether a tag has more attributes than libxml2 reads in a reasonable time; small mails need no look."""
    if len(html) < _SMALL:
        return False
    long_tags = (match[0] for match in _LONG_TAG.finditer(html) if match.end() - match.start() > 2 * ATTRIBUTES_LIMIT)
    return any(
        sum(1 for _ in islice(_ATTRIBUTE.finditer(tag), ATTRIBUTES_LIMIT + 1)) > ATTRIBUTES_LIMIT for tag in long_tags
    )


def read_html(html: str) -> HtmlLines | None:
    """The lines of an HTML mail; None where it is too large, too deep or no document to be read."""
    if len(html) > HTML_LIMIT or html.count("<") > TAGS_LIMIT or _has_crowded_tag(html):
        return None
    # Bytes, so that neither an XML declaration nor a meta tag decides on the charset; libxml2 stops at a NUL.
    data = html.replace("\0", "\ufffd").encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", recover=True, no_network=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    # libxml2 drops what stands below a depth of 256 elements.
    if root is None or any(error.level == etree.ErrorLevels.FATAL for error in parser.error_log):
        return None
    body = root.find("body")
    return None if body is None else _Reader().read(body)
