"""A widget's colour, and what can be read on it (WCAG 2.2, 1.4.3). Pure."""

import re
from typing import Final, NamedTuple

LEAST: Final = 4.5
LIGHT: Final = "#ffffff"
DARK: Final = "#0b1020"
HEX: Final = re.compile(r"#[0-9a-f]{6}")
_STEP: Final = 0.96


class Readable(NamedTuple):
    """A ground and the ink for it, both as #rrggbb; `is_moved`: the ground is a darker shade than was asked for."""

    ground: str
    ink: str
    is_moved: bool


def readable(color: str) -> Readable:
    """Light ink where it can be read, else dark ink; where neither can, the shade is darkened until light ink can."""
    ground = color
    while contrast(ground, LIGHT) < LEAST:
        if contrast(ground, DARK) >= LEAST:
            return Readable(ground, DARK, ground != color)
        ground = _darker(ground)
    return Readable(ground, LIGHT, ground != color)


def contrast(one: str, other: str) -> float:
    """From 1, none, to 21, black on white."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = (value / 255 for value in _channels(color))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _darker(color: str) -> str:
    return "#" + "".join(f"{int(value * _STEP):02x}" for value in _channels(color))


def _channels(color: str) -> tuple[int, ...]:
    return tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))
