"""An article's Markdown made HTML: CommonMark by markdown-it-py, with tables, callouts (GitHub's `> [!NOTE]`) and
pictures of our own. Markup in it is text, and nh3 looks at the result once more before it is stored.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import nh3
from django.utils import translation
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MOST_CHARACTERS: Final = 100_000
CALLOUTS: Final = ("note", "tip", "important", "warning", "caution")
# What is typed grows at most ninefold when it is escaped.
MOST_ADDRESSES: Final = 10 * MOST_CHARACTERS
_NESTED: Final = 20
_OUR_FILE: Final = re.compile(r"/kb/files/[a-z0-9]{12}/[^\s\"'<>?#\\/]{1,300}")
_CALLOUT: Final = re.compile(rf"\[!({'|'.join(CALLOUTS)})\][ \t]*(?:\n|$)", re.IGNORECASE)
_CLASSES: Final = {
    "div": {f"callout {kind}" for kind in CALLOUTS} | {"scrolls"},
    "code": set[str](),
    "p": {"callout-title"},
}
_LANGUAGE: Final = re.compile(r"language-[a-z0-9+#.-]{1,30}")
_ID: Final = re.compile(r"s-[\w-]{1,80}")
_TAGS: Final = frozenset(
    "a blockquote br code del div em h2 h3 h4 h5 h6 hr img li ol p pre s strong table tbody td th thead tr ul".split()
)
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "a": {"href", "rel"},
    "img": {"src", "alt", "title", "loading", "width", "height"},
    "div": {"class", "tabindex"},
    "p": {"class"},
    "code": {"class"},
    "ol": {"start"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}


@dataclass(frozen=True, slots=True)
class Body:
    """What a text became: safe HTML, its text alone, and the words of its headings with their anchors."""

    html: str
    plain: str


def render(text: str, sizes: Mapping[str, tuple[int, int]] | None = None, *, language: str = "en") -> Body:
    """Linear in the length of the text, which is at most MOST_CHARACTERS (raises ValueError). `sizes` are those of
    pictures by address, in pixels: with them the page does not jump when they come. Callouts are called what they are
    in `language`.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"an article has at most {MOST_CHARACTERS} characters")
    parser, env = _parser(), dict[str, object](sizes=sizes or {}, titles=_titles(language))
    tokens = parser.parse(text.replace("\x00", ""), env)
    return Body(clean(parser.renderer.render(tokens, parser.options, env)), _plain(tokens))


def _titles(language: str) -> dict[str, str]:
    with translation.override(language):
        return {
            "note": gettext("Note"),
            "tip": gettext("Tip"),
            "important": gettext("Important"),
            "warning": gettext("Warning"),
            "caution": gettext("Caution"),
        }


def clean(html: str) -> str:
    """The second look: what nh3 does not know of these tags, attributes and addresses is gone."""
    cleaned: str = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        strip_comments=True,
    )
    return cleaned


def contents(html: str) -> list[tuple[str, str]]:
    """Anchor and words of the second-level headings of an article's HTML, in order."""
    found = re.findall(r'<h2 id="(s-[^"]{1,90})">(.{1,400}?)</h2>', html)
    return [(anchor, re.sub(r"<[^>]{0,300}>", "", words)) for anchor, words in found]


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if is_harmless(value) else None
    if name == "src":
        return value if _OUR_FILE.fullmatch(value) else None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    if name == "class":
        return value if value in _CLASSES[tag] or (tag == "code" and _LANGUAGE.fullmatch(value)) else None
    return value


def is_harmless(url: str) -> bool:
    """Whether an author may link there: the web, mail, a phone, or a page or place of our own."""
    folded = url.strip().lower()
    if folded.startswith(("http://", "https://", "mailto:", "tel:", "#")):
        return True
    return folded.startswith("/") and not folded.startswith(("//", "/\\"))


@cache
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": _NESTED})
    made.enable(["table", "strikethrough"])
    made.core.ruler.push("callouts", _find_callouts)
    made.core.ruler.push("headings", _settle_headings)
    made.core.ruler.push("addresses", _settle_addresses)
    made.core.ruler.push("tables", _let_tables_scroll)
    made.validateLink = is_harmless  # type: ignore[method-assign]
    return made


def _find_callouts(state: StateCore) -> None:
    """A quote that begins with [!NOTE] is a callout: a box whose first line says what it is."""
    opened: list[tuple[Token, bool]] = []
    made: list[Token] = []
    for place, token in enumerate(state.tokens):
        if token.type == "blockquote_open":
            kind = _callout_at(state.tokens, place)
            if kind:
                token.tag = "div"
                token.attrSet("class", f"callout {kind}")
            opened.append((token, bool(kind)))
            made += [token, *_titled(state.env["titles"][kind])] if kind else [token]
            continue
        elif token.type == "blockquote_close" and opened:
            _begin, is_callout = opened.pop()
            if is_callout:
                token.tag = "div"
        made.append(token)
    state.tokens = made


def _titled(words: str) -> list[Token]:
    inline = Token(
        "inline",
        "",
        0,
        meta={"is_title": True},
        content=words,
        children=[Token("text", "", 0, content=words)],
        block=True,
    )
    opened = Token("paragraph_open", "p", 1, attrs={"class": "callout-title"}, block=True)
    return [opened, inline, Token("paragraph_close", "p", -1, block=True)]


def _callout_at(tokens: list[Token], place: int) -> str:
    inline = tokens[place + 2] if len(tokens) > place + 2 and tokens[place + 1].type == "paragraph_open" else None
    if inline is None or inline.type != "inline" or not inline.children:
        return ""
    match = _CALLOUT.match(inline.content)
    if match is None:
        return ""
    kept = inline.children
    # The marker is one text up to the line's end, which goes with it.
    while kept and kept[0].type not in ("softbreak", "hardbreak"):
        kept = kept[1:]
    inline.children = kept[1:]
    inline.content = inline.content[match.end() :]
    return match[1].lower()


def _settle_headings(state: StateCore) -> None:
    """The title is the page's first heading: the highest of the text is a second one, whatever its author wrote, and
    each has a place to link to.
    """
    seen: dict[str, int] = {}
    highest = min((int(token.tag[1]) for token in state.tokens if token.type == "heading_open"), default=1)
    for place, token in enumerate(state.tokens):
        if token.type not in ("heading_open", "heading_close"):
            continue
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"
        if token.type == "heading_open":
            anchor = _anchor(state.tokens[place + 1].content)
            seen[anchor] = seen.get(anchor, 0) + 1
            token.attrSet("id", anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}")


def _anchor(words: str) -> str:
    folded = unicodedata.normalize("NFKC", words[:200]).lower()
    return "s-" + (re.sub(r"[^\w]+", "-", folded).strip("-")[:60] or "section")


def _settle_addresses(state: StateCore) -> None:
    """A long address that is written once may be named ten thousand times: beyond a bound links lead nowhere."""
    left = MOST_ADDRESSES
    for block in state.tokens:
        made: list[Token] = []
        for token in block.children or ():
            left -= sum(len(str(value)) for value in token.attrs.values())
            if left < 0:
                token.attrs = {}
            if token.type == "link_open" and str(token.attrGet("href") or "").lower().startswith("http"):
                token.attrSet("rel", "noopener noreferrer")
            made += _picture(token, state.env["sizes"]) if token.type == "image" else [token]
        if block.children is not None:
            block.children = made


def _picture(token: Token, sizes: Mapping[str, tuple[int, int]]) -> list[Token]:
    """Pictures of ours are shown; of others only a link leads there: nobody's visit is told to a stranger."""
    address = str(token.attrGet("src") or "")
    if _OUR_FILE.fullmatch(address):
        token.attrSet("loading", "lazy")
        for name, pixels in zip(("width", "height"), sizes.get(address, ()), strict=False):
            token.attrSet(name, str(pixels))
        return [token]
    text = Token("text", "", 0, content=token.content or address)
    if not address or not is_harmless(address):
        return [text]
    opened = Token("link_open", "a", 1, attrs={"href": address, "rel": "noopener noreferrer"})
    return [opened, text, Token("link_close", "a", -1)]


def _let_tables_scroll(state: StateCore) -> None:
    """A wide table scrolls within itself on a phone, by keyboard as well."""
    made: list[Token] = []
    for token in state.tokens:
        if token.type == "table_open":
            made.append(Token("scroll_open", "div", 1, attrs={"class": "scrolls", "tabindex": "0"}, block=True))
        made.append(token)
        if token.type == "table_close":
            made.append(Token("scroll_close", "div", -1, block=True))
    state.tokens = made


def _plain(tokens: list[Token]) -> str:
    lines: list[str] = []
    for token in tokens:
        if token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip("\n"))
        elif token.type == "inline" and not token.meta:
            lines.append("".join(_words_of(child) for child in token.children or ()))
    return "\n".join(line for line in lines if line.strip())


def _words_of(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content if token.type in ("text", "code_inline", "image") else ""
