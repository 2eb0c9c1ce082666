"""Content-Type and Content-Disposition: the value and its parameters, RFC 2045, 2231 and 5987, and their broken kin."""

import re
from urllib.parse import unquote_to_bytes

from tickets.mail.charsets import decode
from tickets.mail.encoded_words import decode_words

_LIMIT = 16_384
_NAME = re.compile(r"[\s;]*+([^=;\s\"]*+)\s*+(=?)\s*+")
_BARE = re.compile(r"[^;]*+")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\([\"\\])")
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*?)")
_COMMENT = re.compile(r"\([^()\"]{0,200}\)")


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """(lower-case value, lower-case names to decoded values); of duplicates the first counts. Never raises."""
    value = value[:_LIMIT]
    main, _, rest = value.partition(";")
    if "(" in main:
        main = _COMMENT.sub("", main)
    pairs = list(_pairs(rest))
    if not any("*" in name for name, _ in pairs):
        plain: dict[str, str] = {}
        for name, text in pairs:
            plain.setdefault(name, decode_words(text))
        return main.strip().strip('"').lower(), plain
    return main.strip().strip('"').lower(), _rfc2231(pairs)


def _pairs(rest: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    position, quotes = 0, True
    while position < len(rest):
        match = _NAME.match(rest, position)
        if match is None or match.end() == position:
            position += 1
            continue
        position = match.end()
        if not match[2]:
            continue
        quoted = _QUOTED.match(rest, position) if quotes and rest.startswith('"', position) else None
        if quoted:
            text, position = _ESCAPE.sub(r"\1", quoted[1]), quoted.end()
        else:
            # An unterminated quote was searched to the end once; more of them need no second search.
            quotes = quotes and not rest.startswith('"', position)
            bare = _BARE.match(rest, position)
            assert bare is not None  # the pattern matches the empty string
            text, position = bare[0].strip().strip('"'), bare.end()
        if match[1]:
            pairs.append((match[1].lower(), text))
    return pairs


def _rfc2231(pairs: list[tuple[str, str]]) -> dict[str, str]:
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in pairs:
        match = _SECTION.fullmatch(name)
        if match is None or "*" not in name:
            plain.setdefault(name, decode_words(text))
        elif match[2] is None:
            extended.setdefault(match[1], _extended(text))
        else:
            sections.setdefault(match[1], {}).setdefault(int(match[2]), (text, bool(match[3])))
    joined = {name: _continued(parts) for name, parts in sections.items()}
    return plain | joined | extended


def _extended(text: str) -> str:
    if text.count("'") < 2:
        return decode_words(decode(unquote_to_bytes(text))[0])
    charset, _, content = text.split("'", 2)
    return decode(unquote_to_bytes(content), charset)[0]


def _continued(parts: dict[int, tuple[str, bool]]) -> str:
    charset, raw, encoded = "", b"", False
    for index, number in enumerate(sorted(parts)):
        text, percent = parts[number]
        if index == 0 and percent and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        encoded = encoded or percent
        raw += unquote_to_bytes(text) if percent else text.encode("utf-8", "replace")
    text = decode(raw, charset)[0]
    return text if encoded else decode_words(text)
