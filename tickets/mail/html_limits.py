"""Is this HTML fit for a tree builder? Estimates depth and size of the tree from the tags alone, in one pass.

HTML5 tree building is quadratic in depth and in the attributes of one tag, and formatting elements that are never
closed are rebuilt in every later block, so a few kilobytes can grow into gigabytes. All of it is counted here, before
any parser sees the text. Where the estimate is wrong it is too high: the text is shown instead, nothing is lost.
"""

import re

MAX_CHARS = 1_000_000
MAX_DEPTH = 500
MAX_LINKS = 5_000
_MAX_REBUILT = 400_000
_MAX_TAGS = 100_000
_MAX_ENTITIES = 50_000
_MAX_ATTRIBUTES = 2_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WHOLE_TAG = re.compile(r"<[a-zA-Z](?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?|[\"'])*+")
_QUOTED_VALUE = re.compile(r"=\s*(?:\"[^\"]*+\"|'[^']*+')")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/\"'=]+")
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_CELLS = frozenset(("td", "th"))
_ROWS = _CELLS | {"tr", "tbody", "thead", "tfoot"}
# Void elements, and those the next one of their kind closes: they do not nest without something that is counted.
_FLAT = frozenset(
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd option optgroup colgroup html head body".split()
)


def complaint(markup: str, max_depth: int = MAX_DEPTH) -> str:
    """Why this HTML must not be parsed, in words; empty where it may. Long threads nest 200 elements and more."""
    if len(markup) > MAX_CHARS:
        return f"larger than {MAX_CHARS // 1_000_000} MB"
    if markup.count("&") > _MAX_ENTITIES:
        return "too many entities"
    if len(markup) > 2 * _MAX_ATTRIBUTES and _has_endless_tag(markup):
        return "too many attributes"
    return _Outline().walk(markup, max_depth)


def _has_endless_tag(markup: str) -> bool:
    for match in _WHOLE_TAG.finditer(markup):
        if match.end() - match.start() > 2 * _MAX_ATTRIBUTES:
            names = _QUOTED_VALUE.sub(" ", match[0])
            if len(_BETWEEN_ATTRIBUTES.findall(names)) > _MAX_ATTRIBUTES:
                return True
    return False


class _Outline:
    """The open elements while walking the tags, roughly as an HTML5 tree builder would keep them."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.opened: dict[str, int] = {}
        self.formatting = 0
        self.left_open = 0

    def walk(self, markup: str, max_depth: int) -> str:
        links = tags = rebuilt = 0
        for match in _TAG.finditer(markup):
            name = match[2].lower()
            tags += 1
            # Any tag may close a paragraph or cell and have all formatting rebuilt behind it.
            rebuilt += self.formatting + self.left_open
            if tags > _MAX_TAGS:
                return "too many elements"
            if rebuilt > _MAX_REBUILT:
                return "too many elements left open"
            if match[1]:
                self.close(name)
                continue
            links += name == "a"
            if links > MAX_LINKS:
                return f"more than {MAX_LINKS} links"
            self.open(name)
            if len(self.stack) > max_depth:
                return f"nested deeper than {max_depth} elements"
        return ""

    def open(self, name: str) -> None:
        foreign = self.opened.get("svg") or self.opened.get("math")
        if not foreign:
            if name in _FLAT or (name == "a" and self.stack and self.stack[-1] == "a"):
                return
            if name in _ROWS:
                if self.opened.get("table"):
                    self.end_cell()
                    if name in _CELLS:
                        self.push(name)
                return
        self.push(name)

    def push(self, name: str) -> None:
        self.stack.append(name)
        self.opened[name] = self.opened.get(name, 0) + 1
        self.formatting += name in _FORMATTING

    def pop(self) -> str:
        name = self.stack.pop()
        self.opened[name] -= 1
        self.formatting -= name in _FORMATTING
        return name

    def close(self, name: str) -> None:
        if name in _ROWS and not (self.opened.get("svg") or self.opened.get("math")):
            if self.opened.get("table"):
                self.end_cell()
        elif self.opened.get(name):
            while (closed := self.pop()) != name:
                self.left_open += closed in _FORMATTING
        elif self.left_open and name in _FORMATTING:
            self.left_open -= 1

    def end_cell(self) -> None:
        """A cell ends where the next begins; formatting opened inside it ends with it."""
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] == "table":
                return
            if self.stack[index] in _CELLS:
                while len(self.stack) > index:
                    self.pop()
                return
