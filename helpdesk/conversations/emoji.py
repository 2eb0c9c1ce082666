"""Whether a message is nothing but a few emoji, which are then shown large: decided here for desk, widget and mail."""

from typing import Final

import regex

MOST: Final = 6
# One glyph as people see it (UTS 51): a flag, a keycap, or an emoji with tone, joined ones and tags.
_ONE: Final = regex.compile(
    r"\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3"
    r"|(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F)\p{Emoji_Modifier}?"
    r"(?:\u200D\p{Emoji}\uFE0F?\p{Emoji_Modifier}?)*[\U000E0020-\U000E007F]*"
)
# The longest single emoji has far fewer; what is longer is not worth looking at.
_LONGEST: Final = 40


def is_big(text: str) -> bool:
    """One to six emoji, and besides them nothing but white space."""
    if len(text) > MOST * _LONGEST:
        return False
    glyphs = regex.findall(r"\X", "".join(text.split()))
    return 0 < len(glyphs) <= MOST and all(_ONE.fullmatch(glyph) for glyph in glyphs)
