"""Text that can be stored and shown: no NUL, no lone surrogates, no control or direction-changing characters."""

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BODY_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without NUL and with lone surrogates replaced by U+FFFD: PostgreSQL refuses both."""
    if text.isascii():
        return text.replace("\x00", "")
    return _SURROGATES.sub("\ufffd", text.replace("\x00", ""))


def one_line(text: str, limit: int = 998) -> str:
    """A header value for people: one line, white space collapsed, no controls, no bidi overrides, at most `limit`."""
    if not text.isascii():
        text = _DIRECTION.sub("", _SURROGATES.sub("\ufffd", text))
    return " ".join(_CONTROLS.sub(" ", text).split())[:limit].rstrip()


def body_text(text: str) -> str:
    """A body with LF line ends, no controls but tab and LF; bidi marks stay, right-to-left mail needs them."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _BODY_CONTROLS.sub("", text)
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text).removeprefix("\ufeff")
