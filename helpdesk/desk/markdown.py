"""What agents type as Markdown: bold, italic, lists, links, quotes and code, in reports also headings; nothing else and
no HTML of their own.

CommonMark by markdown-it-py; a line break stays one, as in a mail.
"""

import re
from functools import cache, lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from helpdesk.desk.web_links import addresses_in, linked

# Above this a text is shown as it was typed: nobody formats a log.
MOST_FORMATTED = 10_000
_RULES = ["emphasis", "list", "link", "autolink", "backticks", "fence", "blockquote", "newline", "escape"]
# Whether any rule could apply at all; most texts have nothing to format.
_MARKS = re.compile(r"[*_`\[<\\]|^[ ]{0,3}(?:[-+>]|\d{1,9}[.)])", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6} ", re.MULTILINE)
_OPENING = 20


def is_formatted(text: str) -> bool:
    return len(text) <= MOST_FORMATTED and _MARKS.search(text) is not None


@lru_cache(1024)
def shown(text: str) -> Markup:
    """An agent's text as the desk shows it."""
    return Markup('<div class="md">{}</div>').format(render(text)) if is_formatted(text) else linked(text)


@lru_cache(512)
def body(text: str) -> Markup:
    """A text of ours as customers read it: formatted, or as paragraphs of what was typed. A report may have headings,
    which are bold lines: the outline is that of the page around it.
    """
    if is_formatted(text) or (len(text) <= MOST_FORMATTED and _HEADING.search(text) is not None):
        return Markup(_parser_with_headings().render(text))
    paragraphs = [linked(part.strip("\n")) for part in text.split("\n\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>\n").format(part.replace("\n", Markup("<br>"))) for part in paragraphs)


def render(text: str) -> Markup:
    """Safe HTML. Only markdown-it wrote it: the agent's own markup is text in it, and links lead to the web or mail."""
    return Markup(_parser().render(text))


@cache
def _parser() -> MarkdownIt:
    return _made(_RULES)


def _made(rules: list[str]) -> MarkdownIt:
    made = MarkdownIt("zero", {"html": False, "breaks": True, "linkify": False, "maxNesting": _OPENING}).enable(rules)
    made.core.ruler.push("bare_links", _link_bare)
    made.core.ruler.push("strangers", _open_elsewhere)
    made.validateLink = _is_harmless  # type: ignore[method-assign]
    return made


@cache
def _parser_with_headings() -> MarkdownIt:
    made = _made([*_RULES, "heading"])
    made.add_render_rule("heading_open", lambda *_given: "<p><strong>")
    made.add_render_rule("heading_close", lambda *_given: "</strong></p>\n")
    return made


def _is_harmless(url: str) -> bool:
    return url.strip().lower().startswith(("http://", "https://", "mailto:"))


def _link_bare(state: StateCore) -> None:
    """Web addresses in running text become links, as everywhere on the desk."""
    for block in state.tokens:
        if block.type != "inline" or "://" not in block.content:
            continue
        made: list[Token] = []
        depth = 0
        for token in block.children or ():
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            made += _split(token) if token.type == "text" and not depth else [token]
        block.children = made


def _split(token: Token) -> list[Token]:
    parts: list[Token] = []
    done = 0
    for start, end in addresses_in(token.content):
        if not _is_harmless(token.content[start:end]):
            continue
        parts += [
            _text(token.content[done:start]),
            Token("link_open", "a", 1, attrs={"href": token.content[start:end]}),
            _text(token.content[start:end]),
            Token("link_close", "a", -1),
        ]
        done = end
    return [*parts, _text(token.content[done:])]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _open_elsewhere(state: StateCore) -> None:
    for block in state.tokens:
        for token in block.children or ():
            if token.type == "link_open":
                token.attrSet("rel", "noopener noreferrer nofollow")
                token.attrSet("target", "_blank")
