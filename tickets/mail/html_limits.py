"""Is this HTML fit for a tree builder? Estimates depth and size of the tree from the tags alone, in one pass.

HTML5 tree building is quadratic in depth, and formatting elements that are never closed are rebuilt in every later
block, so a few kilobytes can grow into gigabytes. Both are counted here before any parser sees the text.
"""

import re

MAX_CHARS = 1_000_000
MAX_DEPTH = 200
MAX_LINKS = 5_000
_MAX_REBUILT = 200_000
_MAX_TAGS = 100_000
_MAX_ATTRIBUTES = 200_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Void elements, and those the next one of their kind closes: they do not nest without something that is counted.
_FLAT = frozenset(
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd option optgroup tr tbody thead tfoot colgroup html head body".split()
)


def complaint(markup: str) -> str:
    """Why this HTML must not be parsed, in words; empty where it may."""
    if len(markup) > MAX_CHARS:
        return f"larger than {MAX_CHARS // 1_000_000} MB"
    if markup.count("=") > _MAX_ATTRIBUTES and markup.count("<") > 0:
        return "too many attributes"
    opened: dict[str, int] = {}
    stack: list[str] = []
    links = tags = unclosed = rebuilt = 0
    for match in _TAG.finditer(markup):
        name = match[2].lower()
        tags += 1
        rebuilt += unclosed
        if name in _FLAT:
            continue
        if not match[1]:
            if name == "a":
                links += 1
            stack.append(name)
            opened[name] = opened.get(name, 0) + 1
            if len(stack) > MAX_DEPTH:
                return f"nested deeper than {MAX_DEPTH} elements"
        elif opened.get(name):
            while (closed := stack.pop()) != name:
                opened[closed] -= 1
                unclosed += closed in _FORMATTING
            opened[name] -= 1
        elif unclosed and name in _FORMATTING:
            unclosed -= 1
        if links > MAX_LINKS or tags > _MAX_TAGS or rebuilt > _MAX_REBUILT:
            return _excess(links, tags)
    return _excess(links, tags) if rebuilt > _MAX_REBUILT or tags > _MAX_TAGS else ""


def _excess(links: int, tags: int) -> str:
    if links > MAX_LINKS:
        return f"more than {MAX_LINKS} links"
    return "too many elements" if tags > _MAX_TAGS else "too many elements left open"
