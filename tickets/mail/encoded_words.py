"""Header bytes to text: RFC 2047 encoded words, and what mailers make of them.

Adjacent words of one charset are joined as bytes before decoding, since many mailers split a character over two words.
Words inside quotes, glued to other text, with blanks or question marks inside, are decoded too.
"""

import binascii
import re

from helpdesk.conversations.cleaning import storable
from tickets.mail.charsets import decode

_START = re.compile(r"=\?([A-Za-z0-9][^?\s*]{0,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")


def text_of(raw: bytes, charset: str = "") -> str:
    """An unfolded header value with raw 8-bit bytes decoded, encoded words left alone (addresses are split first)."""
    if raw.isascii():
        return raw.decode("ascii").replace("\x00", "")
    try:
        return storable(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return decode(raw, charset)[0]


def decode_words(value: str) -> str:
    """The value with every encoded word decoded; linear in its length."""
    if "=?" not in value:
        return value
    out: list[str] = []
    run: list[tuple[str, str, str]] = []
    position = 0
    while start := _START.search(value, position):
        end = value.find("?=", start.end())
        if end < 0:
            break
        between = value[position : start.start()]
        if not run or between.strip():
            out.append(_decode_run(run))
            run = []
            out.append(between)
        run.append((start[1], start[2].lower(), value[start.end() : end]))
        position = end + 2
    out.append(_decode_run(run))
    out.append(value[position:])
    return storable("".join(out))


def _decode_run(run: list[tuple[str, str, str]]) -> str:
    out: list[str] = []
    pending = b""
    carry = ""
    for index, (charset, encoding, content) in enumerate(run):
        following = run[index + 1] if index + 1 < len(run) else ("", "", "")
        same = following[0].lower() == charset.lower()
        if encoding == "b":
            content, carry = carry + content, ""
            unpadded = _NOT_BASE64.sub("", content)
            if same and following[1] == "b" and len(unpadded) % 4 and "=" not in content:
                carry = unpadded
                continue
            pending += _base64(unpadded)
        else:
            pending += _quoted(content)
        if not same:
            out.append(decode(pending, charset)[0])
            pending = b""
    return "".join(out)


def _base64(text: str) -> bytes:
    usable = text[:-1] if len(text) % 4 == 1 else text
    return binascii.a2b_base64(usable + "=" * (-len(usable) % 4))


def _quoted(text: str) -> bytes:
    data = text.replace("_", " ").encode("utf-8", "replace")
    return binascii.a2b_qp(data.replace(b"\n", b"").replace(b"\r", b""))
