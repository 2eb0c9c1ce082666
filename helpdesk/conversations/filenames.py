"""File names that are safe to show, store and offer for download."""

import re
import unicodedata

from helpdesk.conversations.cleaning import one_line

MAX_NAME = 120
_MAX_EXTENSION = 20
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(name: str, fallback: str) -> str:
    """The last component of `name`, without controls, bidi overrides or path parts; at most 120 characters with the
    extension kept; `fallback` where nothing is left."""
    name = unicodedata.normalize("NFC", one_line(name, 2_000))
    name = re.split(r"[\\/]", name)[-1]
    name = _FORBIDDEN.sub("_", name).strip(" .") if not name.startswith(".") else _FORBIDDEN.sub("_", name).rstrip(" .")
    if not name.strip("._ "):
        return fallback
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if dot and stem and len(extension) <= _MAX_EXTENSION:
        return f"{stem[: MAX_NAME - len(extension) - 1].rstrip()}.{extension}"
    return name[:MAX_NAME].rstrip()
