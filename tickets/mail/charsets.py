"""Bytes to text, whatever the sender claims.

Order: the declared charset (with the aliases real mail needs), UTF-8, detection on texts long enough for it, then
Windows-1252 with replacement. Unknown names never reach `codecs.lookup`: it searches the file system and remembers
every miss, which a stranger could use to fill the memory; and punycode or unicode_escape are codecs, not charsets.
"""

import codecs
import re
from encodings.aliases import aliases

import chardet

from helpdesk.conversations.cleaning import storable

_DETECT_MIN_BYTES = 64
_DETECT_MAX_BYTES = 8_000
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_CHARSETS = re.compile(
    r"(ascii|latin_1|utf_(7|8|16|32)(_[bl]e)?|utf_8_sig|iso8859_\d+|cp\d+|koi8_[rtu]|mac_\w+|gb\w+|big5\w*|euc_\w+"
    r"|shift_jis\w*|iso2022_\w+|johab|hz|tis_620|ptcp154|hp_roman8|kz1048)"
)
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "shift_jis": "cp932",
    "iso8859_8": "cp1255",
    "tis_620": "cp874",
}
_FOLKLORE = {
    "ks_c_5601": "cp949",
    "ks_c_5601_1987": "cp949",
    "ksc5601": "cp949",
    "unicode_1_1_utf_7": "utf_7",
    "uft_8": "utf_8",
    "utf8mb4": "utf_8",
    "unicode": "utf_16",
    "iso_8859_1_windows_latin_1": "cp1252",
    "ansi": "cp1252",
    "x_sjis": "cp932",
    "x_gbk": "gb18030",
    "x_big5": "big5",
    "x_euc_jp": "euc_jp",
    "iso_8859_8_i": "cp1255",
    "iso_8859_8_e": "cp1255",
    "iso_8859_6_i": "iso8859_6",
    "cp_850": "cp850",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "iso_2022_jp": "iso2022_jp_ext",
    "iso2022_jp": "iso2022_jp_ext",
}


def _known() -> dict[str, str]:
    table = {alias: codec for alias, codec in aliases.items() if _CHARSETS.fullmatch(codec)}
    table |= {codec: codec for codec in set(table.values())}
    table |= {f"windows_{n}": f"cp{n}" for n in (874, *range(1250, 1259))}
    table |= {f"cp_{n}": f"cp{n}" for n in (874, *range(1250, 1259))}
    table = {name: _WIDER.get(codec, codec) for name, codec in table.items()} | _FOLKLORE
    for codec in set(table.values()):
        codecs.lookup(codec)
    return table


_KNOWN = _known()
_COMPACT = {name.replace("_", ""): codec for name, codec in _KNOWN.items()}


def codec_for(declared: str) -> str:
    """The Python codec for a charset name as mail writes it; empty for unknown names. US-ASCII gives UTF-8."""
    name = _NOT_ALNUM.sub("_", declared[:64].lower()).strip("_").removeprefix("charset_")
    codec = _KNOWN.get(name) or _COMPACT.get(name.replace("_", ""), "")
    return "utf_8" if codec == "ascii" else codec


def decode(data: bytes, declared: str = "", detect: bool = True) -> tuple[str, str]:
    """Text and, where the declared charset did not hold, a defect in words. Never raises, never gives surrogates.

    `detect=False` leaves out the statistics, which cost milliseconds each.
    """
    codec = codec_for(declared)
    if codec:
        try:
            return storable(data.decode(codec)), ""
        except (UnicodeError, ValueError):
            pass
    text = _guess(data, detect)
    if not declared and (data.isascii() or not codec):
        return text, ""
    return text, f"charset {declared[:40]!r} {'does not fit' if codec else 'is unknown'}"


def _guess(data: bytes, detect: bool) -> str:
    try:
        return storable(data.decode("utf-8"))
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken * 10 <= sum(map(len, re.findall(r"[^\x00-\x7f]+", text[:_DETECT_MAX_BYTES]))):
        return storable(text)
    if detect and len(data) > _DETECT_MIN_BYTES:
        found = chardet.detect(_sample(data)).get("encoding")
        codec = codec_for(found) if found else ""
        if codec:
            return storable(data.decode(codec, "replace"))
    return storable(data.decode("cp1252", "replace"))


def _sample(data: bytes) -> bytes:
    """The stretch that tells most: from shortly before the first byte above 0x7F."""
    match = re.search(rb"[\x80-\xff]", data)
    start = max(0, match.start() - 200) if match else 0
    return data[start : start + _DETECT_MAX_BYTES]
