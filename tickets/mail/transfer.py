"""Content-Transfer-Encodings, undone with as much forgiveness as loses nothing (RFC 2045 section 6)."""

import binascii
import re

_BASE64_JUNK = bytes(
    sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_LINE_BLANKS = b"\r\n\t"
_MAX_BASE64_SEGMENTS = 2_000
_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_MAX_UU_FILES = 100


def undo(body: bytes, encoding: str) -> tuple[bytes, str]:
    """The decoded bytes and a defect in words, empty where the encoding was clean. Never raises."""
    encoding = _NOT_ALNUM.sub("", encoding.partition(";")[0].lower())
    if encoding == "base64":
        return undo_base64(body)
    if encoding == "quotedprintable":
        return binascii.a2b_qp(body), ""
    if encoding in ("xuuencode", "uuencode", "xuue", "uue"):
        files, _ = split_uuencoded(body)
        return (files[0][1], "") if files else (body, "uuencoded part without a file")
    known = encoding in ("", "7bit", "8bit", "binary", "7bits", "8bits")
    return body, "" if known else f"transfer encoding {encoding[:40]!r} is unknown"


def undo_base64(body: bytes) -> tuple[bytes, str]:
    """Base64 with junk skipped, missing padding added and several padded blocks in a row joined."""
    data = body.translate(None, _BASE64_JUNK)
    defect = ""
    if len(data) < len(body) and (b"-" in body or b"_" in body) and b"+" not in data and b"/" not in data:
        data = body.translate(_URL_SAFE).translate(None, _BASE64_JUNK)
    if (len(body.translate(None, _LINE_BLANKS)) - len(data)) * 20 > len(body):
        return body, "declared base64 but is not"
    inner = data.rstrip(b"=")
    if b"=" not in inner:
        segments = [inner]
    else:
        segments = re.split(rb"=+", inner, maxsplit=_MAX_BASE64_SEGMENTS)
        defect = "base64 in several pieces"
    out = []
    for segment in segments[:_MAX_BASE64_SEGMENTS]:
        if len(segment) % 4 == 1:
            segment, defect = segment[:-1], "base64 is damaged"
        out.append(binascii.a2b_base64(segment + b"=" * (-len(segment) % 4)))
    return b"".join(out), defect


def split_uuencoded(body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Files written into a text between `begin 644 name` and `end`: [(raw name, content)] and the text around them."""
    files: list[tuple[bytes, bytes]] = []
    around: list[bytes] = []
    position = 0
    search = 0
    while len(files) < _MAX_UU_FILES and (match := _BEGIN.search(body, search)):
        content, end = _uu_lines(body, match.end())
        search = end if content is not None else match.end()
        if content is None:
            continue
        files.append((match[1].strip(), content))
        around.append(body[position : match.start()])
        position = end
    around.append(body[position:])
    return files, b"".join(around)


def _uu_lines(body: bytes, position: int) -> tuple[bytes | None, int]:
    """Decoded lines up to `end`, and where it ends; None where this is ordinary text that merely says "begin"."""
    out: list[bytes] = []
    while position < len(body):
        newline = body.find(b"\n", position, position + 200)
        stop = newline + 1 if newline >= 0 else min(len(body), position + 200)
        line = body[position:stop].rstrip(b"\r\n")
        if line.rstrip() == b"end":
            return b"".join(out), stop
        if not line.strip() or line == b"`":
            position = stop
            continue
        length = (line[0] - 32) & 63
        if not 32 <= line[0] <= 96 or len(line) < 1 + (length * 8 + 5) // 6 - 2:
            break
        try:
            out.append(binascii.a2b_uu(line + b"\n"))
        except binascii.Error:
            # Some encoders pad the last group with garbage; the length byte says how much counts.
            try:
                out.append(binascii.a2b_uu(line[: 1 + (length + 2) // 3 * 4] + b"\n"))
            except binascii.Error:
                break
        position = stop
    return (b"".join(out), position) if len(out) >= 3 else (None, position)
