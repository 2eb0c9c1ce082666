"""Rich Text out of TNEF: LZFu decompression ([MS-OXRTFCP]) and the text, or the HTML Outlook wrapped ([MS-OXRTFEX])."""

import re
import struct

from tickets.mail.charsets import codec_for

_MAX_OUTPUT = 2_000_000
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.I | re.S
)
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr listtable "
    b"listoverridetable generator themedata fldinst latentstyles datastore xmlnstbl rsidtbl".split()
)
_BREAKS = {b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t"}
_SIGNS = {b"lquote": "\u2018", b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022"}
_SIGNS |= {b"endash": "\u2013", b"emdash": "\u2014"}


def decompress(packed: bytes) -> bytes:
    """The RTF of a PR_RTF_COMPRESSED value, at most 2 MB of it; b"" where it is neither LZFu nor MELA. Never raises."""
    if len(packed) < 16:
        return b""
    raw_size, kind = struct.unpack_from("<I4s", packed, 4)
    limit = min(raw_size, _MAX_OUTPUT)
    if kind == b"MELA":
        return packed[16 : 16 + limit]
    if kind != b"LZFu":
        return b""
    window = bytearray(_DICTIONARY.ljust(4096, b" "))
    write, position = len(_DICTIONARY), 16
    out = bytearray()
    while position < len(packed) and len(out) < limit:
        control = packed[position]
        position += 1
        for bit in range(8):
            size = 2 if control >> bit & 1 else 1
            if position + size > len(packed):
                return bytes(out)
            if size == 1:
                chunk = packed[position : position + 1]
            else:
                pair = packed[position] << 8 | packed[position + 1]
                offset, length = pair >> 4, (pair & 15) + 2
                if offset == write:
                    return bytes(out)
                chunk = b""
            position += size
            if chunk:
                out += chunk
                window[write] = chunk[0]
                write = (write + 1) & 4095
                continue
            for step in range(length):
                byte = window[(offset + step) & 4095]
                out.append(byte)
                window[write] = byte
                write = (write + 1) & 4095
    return bytes(out[:limit])


def rtf_body(rtf: bytes) -> tuple[str, str]:
    """(text, html) of an RTF document: one of them, the other empty. Never raises; linear."""
    if not rtf.startswith(b"{\\rtf"):
        return "", ""
    wrapped = b"\\fromhtml" in rtf[:2_000]
    text = _Reader(wrapped).read(rtf)
    return ("", text.strip()) if wrapped else (text.strip(), "")


class _Reader:
    """One pass over the tokens. `skip` and `hidden` (inside \\htmlrtf) belong to the group and end with it."""

    def __init__(self, wrapped: bool) -> None:
        self.wrapped = wrapped
        self.out: list[str] = []
        self.pending = bytearray()
        self.codec = "cp1252"
        self.skip = self.hidden = self.star = False
        self.fallback = 1
        self.ignore = 0
        self.groups: list[tuple[bool, bool, int]] = []

    def read(self, rtf: bytes) -> str:
        for token in _TOKEN.finditer(rtf):
            word, number, code, symbol, brace, text = token.groups()
            if brace == b"{":
                self.groups.append((self.skip, self.hidden, self.fallback))
            elif brace:
                if self.groups:
                    self.skip, self.hidden, self.fallback = self.groups.pop()
                self.star = False
                self.ignore = 0
            elif word:
                self.control(word.lower(), int(number) if number else None)
            elif symbol:
                self.symbol(symbol)
            elif code or text:
                self.data(bytes.fromhex(code.decode()) if code else text)
        self.flush()
        return "".join(self.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def control(self, word: bytes, number: int | None) -> None:
        if self.star:
            self.star = False
            self.skip = self.skip or not (self.wrapped and word == b"htmltag")
        elif word in _SKIPPED:
            self.skip = True
        elif word == b"ansicpg" and number:
            self.codec = codec_for(f"cp{number}") or self.codec
        elif word == b"htmlrtf":
            self.hidden = number != 0
        elif word == b"uc":
            self.fallback = max(0, min(number or 0, 16))
        elif word == b"u" and number is not None:
            self.write(chr(number % 65_536))
            self.ignore = self.fallback
        elif word in _BREAKS or word in _SIGNS:
            self.write(_BREAKS.get(word) or _SIGNS[word])

    def symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.star = True
        elif symbol in b"\\{}":
            self.data(symbol)
        elif symbol in b"~_\r\n":
            self.write({b"~": "\xa0", b"_": "-"}.get(symbol, "\n"))

    def data(self, data: bytes) -> None:
        dropped = min(self.ignore, len(data))
        self.ignore -= dropped
        if not self.skip and not self.hidden:
            self.pending += data[dropped:]

    def write(self, text: str) -> None:
        if not self.skip and not self.hidden:
            self.flush()
            self.out.append(text)

    def flush(self) -> None:
        if self.pending:
            self.out.append(self.pending.decode(self.codec, "replace"))
            self.pending.clear()
