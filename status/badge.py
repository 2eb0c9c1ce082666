"""The state of everything as a small picture for other pages: SVG without scripts, links or fonts of its own. Pure."""

from html import escape
from typing import Final

COLORS: Final = {"ok": "#1a7a48", "info": "#0a6a9e", "warn": "#8a5a00", "orange": "#b3470f", "bad": "#b42318"}
_GROUND: Final = "#3f4652"
_HEIGHT: Final = 20
_PADDING: Final = 7
# Widths of 11 px letters as most sans-serifs have them; textLength makes whatever font there is fit.
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE: Final = frozenset("mwMW@%&")


def badge(left: str, right: str, tone: str) -> bytes:
    """Two words side by side, the right one on the tone's colour."""
    first, second = _width(left), _width(right)
    whole = first + second + 4 * _PADDING
    edge = first + 2 * _PADDING
    title = escape(f"{left}: {right}")
    words = "".join(
        f'<text x="{x + width / 2:g}" y="14" textLength="{width}">{escape(text)}</text>'
        for x, width, text in ((_PADDING, first, left), (edge + _PADDING, second, right))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" aria-label="{title}">'
        f'<title>{title}</title><clipPath id="r"><rect width="{whole}" height="{_HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{edge}" height="{_HEIGHT}" fill="{_GROUND}"/>'
        f'<rect x="{edge}" width="{whole - edge}" height="{_HEIGHT}" fill="{COLORS[tone]}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f"{words}</g></svg>"
    ).encode()


def _width(text: str) -> int:
    return round(sum(4 if letter in _NARROW else 10 if letter in _WIDE else 7 for letter in text))
