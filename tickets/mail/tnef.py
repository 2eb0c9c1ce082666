"""TNEF, the winmail.dat of Outlook and Exchange ([MS-OXTNEF], [MS-OXCDATA]): attachments and bodies.

Read with offsets into one memoryview: linear in the size, no recursion (an attached message is one file), every count
checked against the bytes that are there.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tickets.mail.charsets import decode
from tickets.mail.rtf import decompress, rtf_body

SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_FILES = 200
_INTERFACE = b"\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
_MAX_PROPERTIES = 2_000
_MAX_BLOCKS = 300
_MAX_BODY = 2_000_000

_BODY, _TITLE, _DATA, _RENDERING = 0x800C, 0x8010, 0x800F, 0x9002
_MESSAGE_PROPERTIES, _ATTACHMENT_PROPERTIES, _CODEPAGE = 0x9003, 0x9005, 0x9007
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_TEXT8, _TEXT16, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_PR_BODY, _PR_RTF, _PR_HTML, _PR_CPID, _PR_MESSAGE_CPID = 0x1000, 0x1009, 0x1013, 0x3FDE, 0x3FFD
_PR_FILE, _PR_LONG_FILE, _PR_ATTACH_DATA, _PR_MIME, _PR_CID, _PR_DISPLAY = (
    0x3704,
    0x3707,
    0x3701,
    0x370E,
    0x3712,
    0x3001,
)


@dataclass(slots=True)
class TnefFile:
    """One attachment; `name`, `mime_type` and `content_id` are as the sender wrote them."""

    name: str = ""
    mime_type: str = ""
    content_id: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Tnef:
    """What a TNEF stream holds. `text` and `html` may both be empty: Outlook mostly sends the text beside it."""

    files: list[TnefFile] = field(default_factory=list)
    text: str = ""
    html: str = ""
    complete: bool = True


def read_tnef(content: bytes) -> Tnef | None:
    """Files and bodies of a TNEF stream, as far as it can be read; None where it is none. Never raises."""
    if not content.startswith(SIGNATURE) or len(content) < 6:
        return None
    result = Tnef()
    bodies: dict[int, bytes | str] = {}
    codepage = 1252
    blocks = 0
    for kind, value in _attributes(content, result):
        blocks += kind in (_MESSAGE_PROPERTIES, _ATTACHMENT_PROPERTIES)
        if blocks > _MAX_BLOCKS:
            result.complete = False
            break
        if kind == _CODEPAGE and len(value) >= 4:
            codepage = struct.unpack_from("<I", value)[0]
        elif kind == _RENDERING:
            if len(result.files) >= MAX_FILES:
                result.complete = False
                break
            result.files.append(TnefFile())
        elif kind == _BODY:
            bodies.setdefault(_BODY, bytes(value[:_MAX_BODY]))
        elif kind == _MESSAGE_PROPERTIES:
            bodies |= {key: found for key, found in _properties(value, codepage) if key not in bodies}
        elif result.files:
            _file_attribute(result.files[-1], kind, value, codepage)
    _bodies(result, bodies, codepage)
    result.files = [file for file in result.files if file.content or file.name]
    return result


def _attributes(content: bytes, result: Tnef) -> Iterator[tuple[int, memoryview]]:
    view = memoryview(content)
    offset = 6
    while offset + 11 <= len(view):
        level, kind, _, length = struct.unpack_from("<BHHI", view, offset)
        end = offset + 9 + length
        if level not in (1, 2) or end > len(view):
            result.complete = False
            if level in (1, 2):
                yield kind, view[offset + 9 :]
            return
        yield kind, view[offset + 9 : end]
        offset = end + 2


def _file_attribute(file: TnefFile, kind: int, value: memoryview, codepage: int) -> None:
    if kind == _DATA:
        file.content = bytes(value)
    elif kind == _TITLE:
        file.name = file.name or _text(bytes(value), codepage)
    elif kind == _ATTACHMENT_PROPERTIES:
        found = dict(_properties(value, codepage))
        name = found.get(_PR_LONG_FILE) or file.name or found.get(_PR_FILE) or found.get(_PR_DISPLAY)
        file.name = name if isinstance(name, str) else ""
        mime_type, content_id, data = found.get(_PR_MIME), found.get(_PR_CID), found.get(_PR_ATTACH_DATA)
        file.mime_type = mime_type if isinstance(mime_type, str) else ""
        file.content_id = content_id if isinstance(content_id, str) else ""
        if isinstance(data, bytes):
            # Objects begin with the id of their interface; an embedded message is a TNEF stream of its own, and the
            # plain data beside it then only says so.
            data = data[16:] if data[4:16] == _INTERFACE else data
            embedded = data.startswith(SIGNATURE)
            file.content = data if embedded or not file.content else file.content
            file.name = f"{file.name or 'message'}.tnef" if embedded else file.name


def _properties(view: memoryview, codepage: int) -> Iterator[tuple[int, bytes | str]]:
    """(property id, value) of the string, binary, object and integer properties; stops where the bytes end."""
    if len(view) < 4:
        return
    offset = 4
    try:
        for _ in range(min(struct.unpack_from("<I", view)[0], _MAX_PROPERTIES)):
            kind, key = struct.unpack_from("<HH", view, offset)
            offset += 4
            if key >= 0x8000:
                offset = _after_name(view, offset)
            count, several = 1, bool(kind & 0x1000) or kind & 0xFFF in (_TEXT8, _TEXT16, _OBJECT, _BINARY)
            kind &= 0xFFF
            if several:
                count = struct.unpack_from("<I", view, offset)[0]
                offset += 4
            if kind in _FIXED:
                if key in (_PR_CPID, _PR_MESSAGE_CPID):
                    yield key, bytes(view[offset : offset + 4])
                offset += _FIXED[kind] * count
                continue
            if kind not in (_TEXT8, _TEXT16, _OBJECT, _BINARY) or count > _MAX_PROPERTIES:
                return
            for index in range(count):
                length = struct.unpack_from("<I", view, offset)[0]
                value = view[offset + 4 : offset + 4 + length]
                offset += 4 + length + (-length % 4)
                if index == 0 and key < 0x8000:
                    yield key, _value(kind, value, codepage)
    except struct.error:
        return


def _after_name(view: memoryview, offset: int) -> int:
    kind, length = struct.unpack_from("<II", view, offset + 16)
    return int(offset + 24 + (length + (-length % 4) if kind == 1 else 0))


def _value(kind: int, value: memoryview, codepage: int) -> bytes | str:
    if kind == _TEXT16:
        return bytes(value[:_MAX_BODY]).decode("utf-16-le", "replace").rstrip("\x00")
    return _text(bytes(value[:_MAX_BODY]), codepage) if kind == _TEXT8 else bytes(value)


def _text(data: bytes, codepage: int) -> str:
    charset = "utf-8" if codepage == 65001 else f"cp{codepage}"
    return decode(data.rstrip(b"\x00"), charset)[0]


def _bodies(result: Tnef, bodies: dict[int, bytes | str], codepage: int) -> None:
    stated = bodies.get(_PR_CPID) or bodies.get(_PR_MESSAGE_CPID)
    if isinstance(stated, bytes) and len(stated) == 4:
        codepage = struct.unpack("<I", stated)[0]
    html = bodies.get(_PR_HTML, b"")
    result.html = html if isinstance(html, str) else _text(html[:_MAX_BODY], codepage)
    text = bodies.get(_PR_BODY) or bodies.get(_BODY, b"")
    result.text = (text if isinstance(text, str) else _text(text, codepage)).strip()
    packed = bodies.get(_PR_RTF)
    if isinstance(packed, bytes) and not result.html:
        text, html = rtf_body(decompress(packed))
        result.html = html
        result.text = result.text or text
