"""Texts by language, and names made addresses."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from django.conf import settings

from knowledge.models.articles import LONGEST_SLUG

_SPELLED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l"})
# What has an address of its own where articles have theirs.
_RESERVED: Final = frozenset({"c", "guides", "search"})


def in_language(texts: Mapping[str, str], language: str) -> str:
    """The text in this language, else in the default one, else in any; "" where there is none."""
    for code in (language, settings.LANGUAGE_CODE, *sorted(texts)):
        if texts.get(code):
            return str(texts[code])
    return ""


def slug_of(words: str, otherwise: str) -> str:
    """Words as they stand in an address: a-z, 0-9 and hyphens."""
    plain = unicodedata.normalize("NFKD", words[:400].lower().translate(_SPELLED)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_SLUG - 10].rstrip("-")
    return f"{otherwise}-{slug}" if slug in _RESERVED or slug.isdigit() else slug or otherwise
